//! The kernel's IOVA allocator: a red-black tree, and magazines of free ranges in front of it.

use super::ffi::{Domain, Range, become_thread};
use crate::subject::{Allocator, Convoy, SharedDomain, Space, Subject};

/// Without the magazines, as for what these are too small for: `alloc_iova` and `__free_iova`.
pub struct KernelIova {
    domain: Domain,
    space: Space,
}

impl Subject for KernelIova {
    const NAME: &'static str = "C iova (rbtree)";
    const LINEAR: &'static [&'static str] =
        &["pair-*", "page-random", "ageing", "fragmented", "over-asking", "bytes-steady"];
}

impl Allocator for KernelIova {
    type Range = Range;

    fn new(space: Space) -> Self {
        Self { domain: Domain::new(Space::FIRST), space }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<Range> {
        self.domain.allocate(size, self.space.last, self.space.natural)
    }

    #[inline]
    fn free(&mut self, range: Range) {
        self.domain.free(range);
    }
}

/// With them, as DMA mappings do: `alloc_iova_fast` and `free_iova_fast`.
pub struct KernelIovaCached {
    domain: Domain,
    space: Space,
}

impl Subject for KernelIovaCached {
    const NAME: &'static str = "C iova (magazines)";
}

impl Allocator for KernelIovaCached {
    /// First page and how many.
    type Range = (u64, u64);

    fn new(space: Space) -> Self {
        Self { domain: Domain::new(Space::FIRST), space }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<(u64, u64)> {
        self.domain.allocate_cached(size, self.space.last).map(|first| (first, size))
    }

    #[inline]
    fn free(&mut self, (first, size): (u64, u64)) {
        self.domain.free_cached(first, size);
    }
}

/// The same, with locks that are taken although there is one thread: as a kernel for several processors does.
pub struct KernelIovaLocked(KernelIovaCached);

impl Subject for KernelIovaLocked {
    const NAME: &'static str = "C iova (magazines and locks)";
}

impl Allocator for KernelIovaLocked {
    type Range = (u64, u64);

    fn new(space: Space) -> Self {
        Self(KernelIovaCached::new(space))
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<(u64, u64)> {
        self.0.domain.allocate_locked(size, self.0.space.last).map(|first| (first, size))
    }

    #[inline]
    fn free(&mut self, (first, size): (u64, u64)) {
        self.0.domain.free_locked(first, size);
    }
}

/// A domain for two threads, without the magazines.
pub struct KernelShared {
    domain: Domain,
    last: u64,
}

impl Subject for KernelShared {
    const NAME: &'static str = KernelIova::NAME;
    const LINEAR: &'static [&'static str] = &["threads-2"];
}

/// With them.
pub struct KernelSharedCached {
    domain: Domain,
    last: u64,
}

impl Subject for KernelSharedCached {
    const NAME: &'static str = KernelIovaCached::NAME;
}

impl SharedDomain for KernelSharedCached {
    type Range = u64;

    fn new(last: u64) -> Self {
        Self { domain: Domain::new(Space::FIRST), last }
    }

    fn enter(thread: u32, others: bool) {
        become_thread(thread, others);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<u64> {
        self.domain.allocate_cached(size, self.last)
    }

    #[inline]
    fn free(&self, first: u64) {
        self.domain.free_cached(first, 1);
    }
}

/// Its magazines are full of what is given back in one go; the other thread's ranges are too large for them.
impl Convoy for KernelSharedCached {
    fn new(last: u64, n: usize) -> Self {
        let domain = <Self as SharedDomain>::new(last);
        let all: Vec<u64> =
            (0..n).map(|_| SharedDomain::allocate(&domain, 1).expect("there is space")).collect();
        all.into_iter().for_each(|first| SharedDomain::free(&domain, first));
        domain
    }

    fn enter(thread: u32, others: bool) {
        become_thread(thread, others);
    }

    fn pair(&self, size: u64) {
        let range = self.domain.allocate(size, self.last, true).expect("there is space");
        self.domain.free(range);
    }

    fn give_back(&self) {
        self.domain.flush();
    }
}

impl SharedDomain for KernelShared {
    type Range = Range;

    fn new(last: u64) -> Self {
        Self { domain: Domain::new(Space::FIRST), last }
    }

    fn enter(thread: u32, others: bool) {
        become_thread(thread, others);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<Range> {
        self.domain.allocate(size, self.last, true)
    }

    #[inline]
    fn free(&self, range: Range) {
        self.domain.free(range);
    }
}
