//! Random operations on a space and a model at once.

use fastrand::Rng;
use iova::{AllocMode, AllocateError, FreeBatch, IovaRange, PlaceError, RangeKind, Request, Space};
use maple_faults::FaultyAlloc;

use crate::model::{Cell, Model, PlaceRefusal, Refusal, word_for, word_for_free};

pub(crate) struct Driver<'a> {
    pub(crate) space: Space<&'a FaultyAlloc>,
    pub(crate) model: Model,
    pub(crate) rng: Rng,
    /// Mostly allocate single granules and never reserve, so that the tree gets large.
    pub(crate) singles: bool,
    /// How many unreservations freed anything.
    pub(crate) unreserved: u64,
}

impl Driver<'_> {
    /// One random operation; `fill` out of 8 that change anything take space, the others give it back.
    pub(crate) fn step(&mut self, fill: u32) {
        match self.rng.u32(0..64) {
            0 if !self.singles || self.rng.u32(0..8) == 0 => self.reserve(),
            1..=2 => self.unreserve(),
            3..=4 => self.find(),
            5..=8 => self.free_somewhere(),
            9..=14 => self.allocate_at(),
            15 if self.rng.u32(0..8) >= fill => self.free_batch(),
            16..=20 if self.rng.u32(0..8) < fill => self.prepare(),
            _ if self.rng.u32(0..8) < fill => self.allocate(),
            _ => self.free_an_allocation(),
        }
    }

    fn allocate(&mut self) {
        let request = self.request();
        let expected = self.model.highest_fit(&request);
        let (failures, fallbacks) = (self.node_failures(), self.fallbacks());
        let result = self.space.allocate(&request);
        self.allocated(&request, result, expected, failures);
        let fell_back = result.is_ok() && matches!(expected, Ok((_, _, true)));
        assert_eq!(self.fallbacks(), fallbacks + u64::from(fell_back), "{request:?}");
    }

    /// In two steps, of which the second is left out sometimes.
    fn prepare(&mut self) {
        let (request, commit) = (self.request(), self.rng.u32(0..4) > 0);
        let expected = self.model.highest_fit(&request);
        let failures = self.node_failures();
        let alloc = *self.space.allocator();
        let result = match self.space.prepare(&request) {
            Ok(prepared) => {
                let (range, calls) = (prepared.range(), alloc.counts().calls);
                if commit {
                    assert_eq!(prepared.commit(), range);
                } else {
                    drop(prepared);
                }
                assert_eq!(alloc.counts().calls, calls, "committing asked for memory");
                Ok(range)
            }
            Err(error) => Err(error),
        };
        if commit || result.is_err() {
            self.allocated(&request, result, expected, failures);
        }
    }

    fn allocated(
        &mut self,
        request: &Request,
        result: Result<IovaRange, AllocateError>,
        expected: Result<(usize, usize, bool), Refusal>,
        failures: u64,
    ) {
        match (result, expected) {
            (Ok(range), Ok((first, last, _))) => {
                assert_eq!((range.first(), range.last()), self.ends(first, last), "{request:?}");
                self.model.allocate(first, last);
            }
            (Err(AllocateError::OutOfNodeMemory(error)), Ok((first, last, _))) => {
                assert_eq!((error.range.first(), error.range.last()), self.ends(first, last));
                assert!(self.node_failures() > failures, "no node was refused");
            }
            (Err(AllocateError::OutOfAddressSpace(error)), Err(refusal)) => {
                assert_eq!((error.granules, error.limit), (request.granules(), request.limit_iova()));
                assert_eq!(error.boundary_granules, request.boundary_granules());
                assert_eq!(error.window.first(), self.model.first_of(0));
                let numbers = Refusal::NoSpace {
                    window_last: error.window.last(),
                    align: error.align_granules,
                    longest: error.longest_free_granules,
                    free: error.free_granules,
                    preferred: error.preferred.map(|below| (below.limit, below.longest_free_granules)),
                };
                assert_eq!(numbers, refusal);
            }
            (Err(AllocateError::BadRequest(error)), Err(Refusal::Bad(why))) => {
                assert_eq!(word_for(&error), why, "{request:?}");
            }
            (got, expected) => panic!("{request:?} gave {got:?} instead of {expected:?}"),
        }
    }

    fn fallbacks(&self) -> u64 {
        self.space.statistics().counters.fallbacks
    }

    fn allocate_at(&mut self) {
        let ((first, last), mode) = (self.bytes(), self.mode());
        let expected = self.model.place(first, last);
        let failures = self.node_failures();
        match (self.space.allocate_at(first..=last, mode), expected) {
            (Ok(range), Ok((from, to))) => {
                assert_eq!((range.first(), range.last()), (first, last));
                self.model.allocate(from, to);
            }
            (Err(error), expected) => self.placing_failed(error, expected.err(), failures),
            (got, expected) => panic!("{first:#x}..={last:#x} gave {got:?} instead of {expected:?}"),
        }
    }

    fn reserve(&mut self) {
        let ((first, last), mode) = (self.bytes(), self.mode());
        let expected = self.model.reservation(first, last);
        let failures = self.node_failures();
        match (self.space.reserve(first..=last, mode), expected) {
            (Ok(granules), Ok(cells)) => {
                let before = self.model.count(|cell| cell == Cell::Reserved);
                if let Some((from, to)) = cells {
                    let cells = &mut self.model.cells[from..=to];
                    cells
                        .iter_mut()
                        .filter(|cell| **cell == Cell::Free)
                        .for_each(|cell| *cell = Cell::Reserved);
                }
                assert_eq!(granules, self.model.count(|cell| cell == Cell::Reserved) - before);
            }
            (Err(error), expected) => self.placing_failed(error, expected.err(), failures),
            (got, expected) => panic!("{first:#x}..={last:#x} gave {got:?} instead of {expected:?}"),
        }
    }

    fn placing_failed(&self, error: PlaceError, expected: Option<PlaceRefusal>, failures: u64) {
        match (error, expected) {
            (PlaceError::Occupied { by, kind }, Some(PlaceRefusal::Occupied(first, last, expected))) => {
                assert_eq!(((by.first(), by.last()), kind), (self.ends(first, last), expected));
            }
            (PlaceError::BadRequest(bad), Some(PlaceRefusal::Bad(why))) => assert_eq!(word_for(&bad), why),
            (PlaceError::OutOfNodeMemory(_), None) => {
                assert!(self.node_failures() > failures, "no node was refused");
            }
            (error, expected) => panic!("{error:?} instead of {expected:?}"),
        }
    }

    fn unreserve(&mut self) {
        let ((first, last), mode) = (self.bytes_of_regions(), self.mode());
        let expected = self.model.unreservation(first, last);
        let (cells, sticks_out) = self.model.reserved_within(first, last);
        let before = self.space.allocator().counts();
        match (self.space.unreserve(first..=last, mode), expected) {
            (Ok(granules), Ok(())) => {
                assert_eq!(granules, cells.len() as u128);
                for cell in cells {
                    self.model.cells[cell] = Cell::Free;
                }
                self.unreserved += u64::from(granules > 0);
            }
            (Err(PlaceError::OutOfNodeMemory(_)), Ok(())) => {
                assert!(self.node_failures() > before.failed, "no node was refused");
            }
            (Err(PlaceError::BadRequest(error)), Err(why)) => assert_eq!(word_for(&error), why),
            (got, expected) => panic!("{first:#x}..={last:#x} gave {got:?} instead of {expected:?}"),
        }
        let calls = self.space.allocator().counts().calls;
        assert!(sticks_out || calls == before.calls, "memory for whole regions");
    }

    fn free_an_allocation(&mut self) {
        let allocated = self.model.runs(RangeKind::Allocated);
        if let Some((iova, last)) = self.rng.choice(allocated) {
            let granules = ((last - iova) >> self.model.granule.shift()) + 1;
            let sizes =
                [None, Some(granules), Some(granules + 1), Some(granules - 1), Some(0), Some(u64::MAX)];
            let size = sizes[self.rng.usize(0..16).saturating_sub(10)];
            self.free(iova, size);
        }
    }

    fn free_somewhere(&mut self) {
        let (iova, granules) = (self.iova(), self.rng.u64(0..4));
        let granules = self.rng.bool().then_some(granules);
        self.free(iova, granules);
    }

    fn free(&mut self, iova: u64, granules: Option<u64>) {
        let before = self.space.allocator().counts().calls;
        let result = match granules {
            None => self.space.free(iova),
            Some(granules) => self.space.free_sized(iova, granules),
        };
        match (result, self.model.free(iova, granules)) {
            (Ok(range), Ok((first, last))) => {
                assert_eq!((range.first(), range.last()), self.ends(first, last));
                self.model.cells[first..=last].fill(Cell::Free);
            }
            (Err(error), Err(why)) => assert_eq!(word_for_free(&error), why, "{iova:#x}"),
            (got, expected) => panic!("free of {iova:#x} gave {got:?} instead of {expected:?}"),
        }
        assert_eq!(self.space.allocator().counts().calls, before, "free asked for memory");
    }

    /// Some allocations, some of them twice, and some iovas of which most are wrong; in steps of any size.
    fn free_batch(&mut self) {
        let allocated = self.model.runs(RangeKind::Allocated);
        let mut iovas = Vec::new();
        for _ in 0..self.rng.usize(0..12) {
            let Some((iova, _)) = self.rng.choice(&allocated) else { break };
            iovas.push(*iova);
        }
        for _ in 0..self.rng.usize(0..4) {
            iovas.push(self.iova());
        }
        let before = self.space.allocator().counts().calls;
        let (mut freed, mut wrong) = (0, Vec::new());
        let mut sorted = iovas.clone();
        let mut batch = FreeBatch::new(&mut sorted);
        while !batch.is_empty() {
            let (most, left) = (self.rng.usize(0..5), batch.len());
            freed += self.space.free_batch(&mut batch, most, |error| wrong.push(word_for_free(&error)));
            assert_eq!(batch.len(), left.saturating_sub(most.max(1)));
        }
        assert_eq!(self.space.allocator().counts().calls, before, "a batch asked for memory");

        iovas.sort();
        let mut expected = Vec::new();
        for iova in iovas {
            match self.model.free(iova, None) {
                Ok((first, last)) => {
                    self.model.cells[first..=last].fill(Cell::Free);
                    freed -= 1;
                }
                Err(why) => expected.push(why),
            }
        }
        assert_eq!((freed, wrong), (0, expected));
    }

    fn find(&mut self) {
        let iova = self.iova();
        let found = self.space.find(iova).map(|(range, kind)| ((range.first(), range.last()), kind));
        let expected = self.model.cell_of(iova).and_then(|cell| {
            let kind = self.model.cells[cell].kind()?;
            let (first, last) = self.model.around(cell);
            Some((self.ends(first, last), kind))
        });
        assert_eq!(found, expected, "{iova:#x}");

        let below = (0..self.model.cells.len()).rfind(|&cell| self.model.last_of(cell) <= iova);
        let longest = below.map_or(0, |last| self.model.longest_free(last));
        let run = self.space.longest_free_run(iova);
        assert_eq!(run.map_or(0, IovaRange::granules), u128::from(longest), "{iova:#x}");
        assert!(run.is_none_or(|run| run.last() <= iova && self.space.find(run.first()).is_none()));
    }

    fn request(&mut self) -> Request {
        let granules = match self.rng.u32(0..40) {
            0 => 0,
            1 => self.rng.u64(..),
            2..=4 => self.rng.u64(1..=self.model.cells.len() as u64 + 1),
            5..=14 if !self.singles => self.rng.u64(1..=20),
            _ if self.singles => 1,
            _ => self.rng.u64(1..=3),
        };
        let request = Request::new(granules).mode(self.mode());
        let request = match self.rng.u32(0..4) {
            0 => request.limit(self.iova()),
            _ => request,
        };
        let request = match self.rng.u32(0..6) {
            0 => request.prefer_limit(self.iova()),
            _ => request,
        };
        let request = match self.rng.u32(0..32) {
            0 => request.not_crossing(self.rng.u64(0..20)),
            1..=3 => request.not_crossing(1 << self.rng.u32(0..64)),
            4..=8 => request.not_crossing(1 << self.rng.u32(0..6)),
            _ => request,
        };
        match self.rng.u32(0..16) {
            0 => request.align(self.rng.u64(0..10)),
            1 => request.align(1 << self.rng.u32(0..64)),
            2..=5 => request.align(1 << self.rng.u32(0..5)),
            6..=8 => request.align(1),
            _ => request,
        }
    }

    /// An iova: mostly the first of a granule in the aperture, sometimes odd or outside.
    fn iova(&mut self) -> u64 {
        let cell = self.rng.usize(0..self.model.cells.len());
        let first = self.model.first_of(cell);
        match self.rng.u32(0..16) {
            0 => self.rng.u64(..),
            1 => self.model.last_of(cell),
            2 => first.wrapping_add(self.rng.u64(0..self.model.granule.bytes())),
            3 => self.model.first_of(0).wrapping_sub(1),
            4 => self.model.last_of(self.model.cells.len() - 1).wrapping_add(1),
            5 => *self.rng.choice(&[0, u64::MAX]).unwrap_or(&0),
            _ => first,
        }
    }

    /// A range of iovas: mostly of whole granules in the aperture, sometimes odd, outside, or reversed.
    fn bytes(&mut self) -> (u64, u64) {
        if self.rng.u32(0..6) == 0 {
            return (self.iova(), self.iova());
        }
        let first = self.rng.usize(0..self.model.cells.len());
        let more = if self.rng.u32(0..4) == 0 { self.rng.usize(0..100) } else { self.rng.usize(0..6) };
        let last = (first + more).min(self.model.cells.len() - 1);
        self.ends(first, last)
    }

    /// A range of iovas: mostly from somewhere in a reserved region to somewhere in the same or another.
    fn bytes_of_regions(&mut self) -> (u64, u64) {
        let regions = self.model.runs(RangeKind::Reserved);
        if regions.is_empty() || self.rng.u32(0..4) == 0 {
            return self.bytes();
        }
        let region = self.rng.usize(0..regions.len());
        let another = (region + self.rng.usize(0..2)).min(regions.len() - 1);
        let (first, last) = (regions[region].0, regions[another].1);
        let granule = self.model.granule;
        let some = |rng: &mut Rng, end| if rng.bool() { end } else { rng.u64(first..=last) };
        let (one, two) = (some(&mut self.rng, first), some(&mut self.rng, last));
        (granule.align_down(one.min(two)), granule.align_down(one.max(two)) + (granule.bytes() - 1))
    }

    fn mode(&mut self) -> AllocMode {
        if self.rng.bool() { AllocMode::Atomic } else { AllocMode::Normal }
    }

    fn ends(&self, first: usize, last: usize) -> (u64, u64) {
        (self.model.first_of(first), self.model.last_of(last))
    }

    fn node_failures(&self) -> u64 {
        self.space.allocator().counts().failed
    }
}
