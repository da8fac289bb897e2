//! `vm_allocator::AddressAllocator`, from the top (`LastMatch`).

use vm_allocator::{AddressAllocator, AllocPolicy, RangeInclusive};

use crate::subject::{Allocator, Space, Subject};

pub struct VmAllocator {
    allocator: AddressAllocator,
    space: Space,
}

impl Subject for VmAllocator {
    const NAME: &'static str = "vm-allocator";
    const LINEAR: &'static [&'static str] =
        &["pair-*", "page-*", "pages-64-*", "ageing", "fragmented", "over-asking", "bytes-*"];
    const LINEAR_UP_TO: usize = 1000;
}

impl Allocator for VmAllocator {
    type Range = RangeInclusive;

    fn new(space: Space) -> Self {
        let size = space.last - Space::FIRST + 1;
        let allocator = AddressAllocator::new(Space::FIRST, size).expect("not empty");
        Self { allocator, space }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<RangeInclusive> {
        self.allocator.allocate(size, self.space.align(size), AllocPolicy::LastMatch).ok()
    }

    #[inline]
    fn free(&mut self, range: RangeInclusive) {
        self.allocator.free(&range).expect("it is allocated");
    }
}
