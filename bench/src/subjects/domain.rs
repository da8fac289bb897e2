//! Our allocator of I/O virtual addresses, without the caches in front of it.

use iova::{Granule, Request};

use crate::subject::{Allocator, SharedDomain, Space, Subject};

/// The space of one owner, and one behind a lock: without caches, as in the rows.
type Exclusive = iova::Space;
type Threaded = iova::LockedSpace<parking_lot::RawMutex>;

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

fn domain(last: u64) -> Exclusive {
    Exclusive::new(Granule::FOUR_KIB, Space::FIRST * PAGE..(last + 1) * PAGE).expect("whole pages")
}

/// A domain for two threads.
pub struct Shared(Threaded);

impl Shared {
    pub const NAME: &'static str = Iova::NAME;
}

impl SharedDomain for Shared {
    type Range = u64;

    fn new(last: u64) -> Self {
        Self(domain(last).into())
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
