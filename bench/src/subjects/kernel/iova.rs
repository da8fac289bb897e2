//! The kernel's IOVA allocator: a red-black tree, and magazines of free ranges in front of it.

use super::ffi::{Domain, Range, become_thread};
use crate::subject::{Allocator, SharedDomain, Space, Subject};

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

/// A domain for two threads, without the magazines.
pub struct KernelShared {
    domain: Domain,
    last: u64,
}

impl KernelShared {
    pub const NAME: &'static str = KernelIova::NAME;
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
