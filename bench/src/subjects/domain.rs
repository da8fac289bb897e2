//! Our allocator of I/O virtual addresses, without the caches in front of it.

use iova::{Granule, Request};
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::NodeAlloc;

use crate::memory::Nodes;
use crate::subject::{Allocator, Failing, SharedDomain, Space, Subject};

/// The space of one owner, and one behind a lock: without caches, as in the rows.
type Exclusive = iova::Space<Nodes>;
type Threaded = iova::LockedSpace<parking_lot::RawMutex, Nodes>;

const PAGE: u64 = 4096;

/// One domain with one owner.
pub struct Iova {
    domain: Exclusive,
    natural: bool,
}

impl Subject for Iova {
    const NAME: &'static str = "iova";
    const OURS: bool = true;
}

impl Allocator for Iova {
    type Range = u64;

    fn new(space: Space) -> Self {
        Self { domain: domain(space.last), natural: space.natural }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<u64> {
        let request = Request::new(size);
        let request = if self.natural { request } else { request.align(1) };
        self.domain.allocate(&request).ok().map(|range| range.first())
    }

    #[inline]
    fn free(&mut self, first: u64) {
        self.domain.free(first).expect("it is allocated");
    }
}

/// The pages up to the last one.
pub(super) fn domain<A: NodeAlloc + Default>(last: u64) -> iova::Space<A> {
    iova::Space::new_in(Granule::FOUR_KIB, window(last), A::default()).expect("whole pages")
}

fn window(last: u64) -> std::ops::Range<u64> {
    Space::FIRST * PAGE..(last + 1) * PAGE
}

/// The same with node memory that can fail.
pub struct FailingIova {
    space: iova::Space<FaultyAlloc>,
    last: u64,
}

impl Subject for FailingIova {
    const NAME: &'static str = Iova::NAME;
    const OURS: bool = true;
}

impl Allocator for FailingIova {
    type Range = u64;

    fn new(space: Space) -> Self {
        let alloc = FaultyAlloc::new(Plan::Never);
        let last = space.last;
        let space = iova::Space::new_in(Granule::FOUR_KIB, window(last), alloc).expect("whole pages");
        Self { space, last }
    }

    fn allocate(&mut self, size: u64) -> Option<u64> {
        self.space.allocate(&Request::new(size)).ok().map(|range| range.first())
    }

    fn free(&mut self, first: u64) {
        self.space.free(first).expect("it is allocated");
    }
}

impl Failing for FailingIova {
    /// All calls fail.
    fn fail(&mut self, fails: bool) {
        self.space.allocator().set_plan(if fails { Plan::After(0) } else { Plan::Never });
    }

    fn lost(&mut self) -> u64 {
        let statistics = self.space.statistics();
        let pages = u128::from(self.last - Space::FIRST + 1);
        (pages - statistics.free_granules - statistics.allocated_granules) as u64
    }
}

/// One space behind a lock, for two threads.
pub struct Shared(Threaded);

impl Subject for Shared {
    const NAME: &'static str = Iova::NAME;
    const OURS: bool = true;
}

impl SharedDomain for Shared {
    type Range = u64;

    fn new(last: u64) -> Self {
        Self(domain::<Nodes>(last).into())
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<u64> {
        self.0.allocate(&Request::new(size)).ok().map(|range| range.first())
    }

    #[inline]
    fn free(&self, first: u64) {
        self.0.free(first).expect("it is allocated");
    }
}
