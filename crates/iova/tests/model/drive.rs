//! Random operations on a space and a model at once.

use fastrand::Rng;
use iova::{AllocMode, AllocateError, PlaceError, RangeKind, Request, Space};
use maple_faults::FaultyAlloc;

use crate::model::{Cell, Model, PlaceRefusal, Refusal, word_for, word_for_free};

pub(crate) struct Driver<'a> {
    pub(crate) space: Space<&'a FaultyAlloc>,
    pub(crate) model: Model,
    pub(crate) rng: Rng,
    /// Mostly allocate single granules and never reserve, so that the tree gets large.
    pub(crate) singles: bool,
}

impl Driver<'_> {
    /// One random operation; `fill` out of 8 that change anything take space, the others give it back.
    pub(crate) fn step(&mut self, fill: u32) {
        match self.rng.u32(0..64) {
            0 if !self.singles => self.reserve(),
            1..=3 => self.find(),
            4..=8 => self.free_somewhere(),
            9..=14 => self.allocate_at(),
            _ if self.rng.u32(0..8) < fill => self.allocate(),
            _ => self.free_an_allocation(),
        }
    }

    fn allocate(&mut self) {
        let request = self.request();
        let expected = self.model.highest_fit(&request);
        let failures = self.node_failures();
        match (self.space.allocate(&request), expected) {
            (Ok(range), Ok((first, last))) => {
                assert_eq!((range.first(), range.last()), self.ends(first, last), "{request:?}");
                self.model.allocate(first, last);
            }
            (Err(AllocateError::OutOfNodeMemory(error)), Ok((first, last))) => {
                assert_eq!((error.range.first(), error.range.last()), self.ends(first, last));
                assert!(self.node_failures() > failures, "no node was refused");
            }
            (Err(AllocateError::OutOfAddressSpace(error)), Err(refusal)) => {
                assert_eq!(error.granules, request.granules());
                assert_eq!(error.window.first(), self.model.first_of(0));
                let numbers = Refusal::NoSpace {
                    window_last: error.window.last(),
                    align: error.align_granules,
                    longest: error.longest_free_granules,
                    free: error.free_granules,
                };
                assert_eq!(numbers, refusal);
            }
            (Err(AllocateError::BadRequest(error)), Err(Refusal::Bad(why))) => {
                assert_eq!(word_for(&error), why, "{request:?}");
            }
            (got, expected) => panic!("{request:?} gave {got:?} instead of {expected:?}"),
        }
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
                    self.model.cells[from..=to].fill(Cell::Reserved);
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
            // A reservation may need a node before it meets the allocation in its way.
            (PlaceError::OutOfNodeMemory(_), None | Some(PlaceRefusal::Occupied(..))) => {
                assert!(self.node_failures() > failures, "no node was refused");
            }
            (error, expected) => panic!("{error:?} instead of {expected:?}"),
        }
    }

    fn free_an_allocation(&mut self) {
        let allocated = self.model.runs(RangeKind::Allocated);
        if let Some((iova, _)) = self.rng.choice(allocated) {
            self.free(iova);
        }
    }

    fn free_somewhere(&mut self) {
        let iova = self.iova();
        self.free(iova);
    }

    fn free(&mut self, iova: u64) {
        let calls = self.space.allocator().counts().calls;
        match (self.space.free(iova), self.model.free(iova)) {
            (Ok(range), Ok((first, last))) => {
                assert_eq!((range.first(), range.last()), self.ends(first, last));
                self.model.cells[first..=last].fill(Cell::Free);
            }
            (Err(error), Err(why)) => assert_eq!(word_for_free(&error), why, "{iova:#x}"),
            (got, expected) => panic!("free of {iova:#x} gave {got:?} instead of {expected:?}"),
        }
        assert_eq!(self.space.allocator().counts().calls, calls, "free asked for memory");
    }

    fn find(&mut self) {
        let iova = self.iova();
        let found = self.space.find(iova).map(|(range, kind)| ((range.first(), range.last()), kind));
        let expected = self.model.cell_of(iova).and_then(|cell| {
            let kind = match self.model.cells[cell] {
                Cell::Free => return None,
                Cell::Allocated(_) => RangeKind::Allocated,
                Cell::Reserved => RangeKind::Reserved,
            };
            let (first, last) = self.model.around(cell);
            Some((self.ends(first, last), kind))
        });
        assert_eq!(found, expected, "{iova:#x}");
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
