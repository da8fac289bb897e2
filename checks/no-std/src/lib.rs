//! A program without the standard library that uses the allocator, and so the tree.
//!
//! It defines the panic handler itself: if a dependency pulled in `std`, there would be two of them and the
//! build would fail. Nothing runs; the build is the check.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::ptr::null_mut;

use iova::{AllocMode, Granule, Request, Space};

/// A global allocator that has nothing: the crates need one to link, and survive without memory.
struct Nothing;

// SAFETY: never returns memory.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        null_mut()
    }

    unsafe fn dealloc(&self, _memory: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Uses the allocator, and with it the tree, so that both are linked. There is no memory: the answer is 1.
#[unsafe(no_mangle)]
pub extern "C" fn allocate_without_memory(granules: u64) -> u64 {
    let Ok(mut space) = Space::new(Granule::FOUR_KIB, ..) else { return 0 };
    match space.allocate(&Request::new(granules).mode(AllocMode::Atomic)) {
        Ok(range) => space.free(range.first()).map_or(0, |range| range.first()),
        Err(_) => 1,
    }
}
