//! What a CPU may do in a step.

use std::collections::HashSet;

use iova::{AllocateError, FreeError, IovaRange, Request};
use maple_faults::Plan;

use crate::world::{PAGE, World};

impl World {
    /// Something random on a random CPU: mostly many of the same, so that magazines and rings fill and empty.
    pub(crate) fn step(&self) {
        self.change_cpu();
        let (choice, times) = {
            let mut rng = self.rng.borrow_mut();
            let times = if rng.bool() { rng.usize(1..4) } else { rng.usize(1..300) };
            (rng.u32(0..32), times)
        };
        match choice {
            0 => self.flush(),
            1 => self.totals.borrow_mut().trimmed += self.domain().caches().flush(),
            2..=5 => self.time_passes(),
            6 => self.change_plan(),
            7..=8 => self.free_wrongly(),
            9..=19 => self.allocate(times),
            _ => self.free(times),
        }
    }

    /// What was queued before a flush is not any more when that returns, whatever else was flushed meanwhile.
    fn flush(&self) {
        let queued = || {
            let mut unmappings = HashSet::new();
            let queue = self.domain().queue().unwrap();
            queue.for_each_queued(|range| assert!(unmappings.insert(self.iotlb.last_unmapping(range))));
            unmappings
        };
        let before = queued();
        self.domain().flush();
        assert!(queued().is_disjoint(&before), "what was queued before a flush is queued after it");
    }

    fn allocate(&self, times: usize) {
        let request = self.request();
        for _ in 0..times {
            let others = self.meanwhile.get();
            match self.domain().allocate(&request) {
                Ok(range) => self.allocated(&request, range),
                Err(AllocateError::OutOfAddressSpace(_)) => {
                    self.totals.borrow_mut().no_space += 1;
                    if self.depth.get() == 0 && self.meanwhile.get() == others {
                        self.must_be_out_of_space(&request);
                    }
                    return;
                }
                Err(AllocateError::OutOfNodeMemory(_)) => {
                    self.totals.borrow_mut().no_memory += 1;
                    return;
                }
                Err(AllocateError::BadRequest(_)) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn allocated(&self, request: &Request, range: IovaRange) {
        self.totals.borrow_mut().allocations += 1;
        self.iotlb.must_not_know(range);
        assert!(range.last() <= request.limit_iova());
        assert!(range.granules() >= u128::from(request.granules()));
        assert!(range.granules() <= u128::from(request.granules().next_power_of_two()));
        let align = match request.alignment() {
            iova::Alignment::Natural => request.granules().next_power_of_two(),
            iova::Alignment::Granules(align) => align,
        };
        let (first, last) = (range.first_pfn().get(), range.last_pfn().get());
        assert_eq!(first % align, 0);
        if let Some(boundary) = request.boundary_granules() {
            assert_eq!(first / boundary, last / boundary, "{range} crosses a multiple of {boundary}");
        }
        let mut live = self.live.borrow_mut();
        let below = live.range(..=range.last()).next_back();
        assert!(below.is_none_or(|(_, other)| other.last() < range.first()), "{range} is live twice");
        live.insert(range.first(), range);
    }

    fn free(&self, times: usize) {
        for _ in 0..times {
            let Some(range) = self.some_live() else { return };
            self.live.borrow_mut().remove(&range.first());
            self.iotlb.unmap(range);
            let attachment = if self.rng.borrow_mut().bool() { Some(self.iotlb.attachment()) } else { None };
            let calls = self.nodes.counts().calls;
            let others = self.meanwhile.get();
            match attachment {
                Some(word) => self.domain().free_with(range, word).unwrap(),
                None => self.domain().free(range).unwrap(),
            }
            if self.meanwhile.get() == others {
                assert_eq!(self.nodes.counts().calls, calls, "freeing asked for a node");
            }
        }
    }

    /// Frees a range again that is queued, cached, or free; or a live one with another size.
    fn free_wrongly(&self) {
        if !self.exact {
            return;
        }
        let mut wrong = Vec::new();
        self.domain().caches().for_each_cached(|range| wrong.push(range));
        self.domain().queue().unwrap().for_each_queued(|range| wrong.push(range));
        let other_size = self.some_live().and_then(|range| self.domain().space().find(range.last()));
        let live_exactly = |range: &IovaRange| self.live.borrow().get(&range.first()) == Some(range);
        let mut rng = self.rng.borrow_mut();
        let wrong =
            rng.choice(wrong).or(other_size.map(|(range, _)| range)).filter(|range| !live_exactly(range));
        drop(rng);
        if let Some(range) = wrong {
            let error = self.domain().free(range).unwrap_err();
            assert!(matches!(
                error,
                FreeError::FreedAlready { .. } | FreeError::WrongSize { .. } | FreeError::NotFirst { .. }
            ));
            self.totals.borrow_mut().wrong_frees += 1;
        }
    }

    fn time_passes(&self) {
        let passed = self.rng.borrow_mut().u64(0..60_000);
        let now = self.now.get() + passed;
        self.now.set(now);
        let queue = self.domain().queue().unwrap();
        self.iotlb.armed.set(false);
        // What was queued on other CPUs while it was running sets the timer.
        match self.domain().poll(now) {
            Some(next) => assert!(next >= now),
            None => assert!(self.iotlb.armed.get() || !queue.waits(), "nobody will look at what waits"),
        }
    }

    fn change_plan(&self) {
        let plan = {
            let mut rng = self.rng.borrow_mut();
            match rng.u32(0..4) {
                0 | 1 => Plan::Never,
                2 => Plan::Every(rng.u64(1..5)),
                _ => Plan::Random { probability: rng.f64(), seed: rng.u64(..) },
            }
        };
        self.nodes.set_plan(plan);
    }

    fn some_live(&self) -> Option<IovaRange> {
        let iova = self.rng.borrow_mut().u64(0..self.granules as u64 * PAGE);
        let live = self.live.borrow();
        live.range(iova..).next().or_else(|| live.iter().next()).map(|(_, range)| *range)
    }

    fn request(&self) -> Request {
        let mut rng = self.rng.borrow_mut();
        let size = match rng.u32(0..8) {
            0..=4 => 1,
            5 => rng.u64(1..=4),
            6 => rng.u64(1..=40),
            _ => 1 << rng.u32(0..7),
        };
        let request = Request::new(size);
        let request = if rng.u32(0..4) == 0 { request.align(1 << rng.u32(0..8)) } else { request };
        let last = self.granules as u64 * PAGE;
        let request = if rng.u32(0..3) == 0 { request.limit(rng.u64(0..last)) } else { request };
        let request = if rng.u32(0..4) == 0 { request.prefer_limit(rng.u64(0..last)) } else { request };
        if rng.u32(0..4) == 0 { request.not_crossing(1 << rng.u32(0..8)) } else { request }
    }
}
