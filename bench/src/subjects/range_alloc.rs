//! `range_alloc::RangeAllocator`: best fit.

use range_alloc::RangeAllocator;

use crate::subject::{Allocator, Space, Subject};

pub struct RangeAlloc {
    allocator: RangeAllocator<u64>,
    space: Space,
}

impl Subject for RangeAlloc {
    const NAME: &'static str = "range-alloc";
    const LINEAR: &'static [&'static str] =
        &["pair-*", "page-random", "pages-64-*", "ageing", "fragmented", "over-asking"];
}

impl Allocator for RangeAlloc {
    /// First index, and the one behind the last.
    type Range = (u64, u64);

    fn new(space: Space) -> Self {
        Self { allocator: RangeAllocator::new(Space::FIRST..space.last + 1), space }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<(u64, u64)> {
        let range = if self.space.natural {
            self.allocator.allocate_range_aligned(size, self.space.align(size))
        } else {
            self.allocator.allocate_range(size)
        };
        range.ok().map(|range| (range.start, range.end))
    }

    #[inline]
    fn free(&mut self, (start, end): (u64, u64)) {
        self.allocator.free_range(start..end);
    }
}
