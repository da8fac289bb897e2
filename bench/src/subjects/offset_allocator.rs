//! `offset_allocator::Allocator`: bins, in constant time; it neither aligns nor chooses a place.

use offset_allocator::{Allocation, Allocator as Bins};

use crate::subject::{Allocator, Space, Subject};

pub struct OffsetAllocator(Bins);

const NO_ALIGNMENT: &str = "does not align";

impl Subject for OffsetAllocator {
    const NAME: &'static str = "offset-allocator";
    const CANNOT: &'static [(&'static str, &'static str)] = &[
        ("pair-natural", NO_ALIGNMENT),
        ("pair-powers", NO_ALIGNMENT),
        ("pages-64-fifo", NO_ALIGNMENT),
        ("pages-64-lifo", NO_ALIGNMENT),
        ("ageing", NO_ALIGNMENT),
        ("fragmented", NO_ALIGNMENT),
        ("over-asking", NO_ALIGNMENT),
    ];
}

impl Allocator for OffsetAllocator {
    type Range = Allocation;

    fn new(space: Space) -> Self {
        // Its offsets have 32 bits. Each free range between two others takes a number as well.
        let size = space.last.min(u64::from(u32::MAX >> 1)) as u32;
        Self(Bins::with_max_allocs(size, space.ranges as u32 * 2 + 16))
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<Allocation> {
        self.0.allocate(size as u32)
    }

    #[inline]
    fn free(&mut self, range: Allocation) {
        self.0.free(range);
    }
}
