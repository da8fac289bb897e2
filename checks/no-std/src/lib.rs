//! A program without the standard library that uses the tree and the allocator.
//!
//! It defines the panic handler itself: if a dependency pulled in `std`, there would be two of them and the
//! build would fail. Nothing runs; the build is the check.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::ptr::null_mut;

use maple_tree::{Direction, GapRequest, MapleTree};

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

/// Uses the tree so that it is linked.
#[unsafe(no_mangle)]
pub extern "C" fn use_the_tree(size: u64) -> u64 {
    let mut tree: MapleTree<()> = MapleTree::new();
    let Ok(request) = GapRequest::new(.., size, 1, Direction::TopDown) else { return 0 };
    let Some(range) = tree.find_gap(&request) else { return 0 };
    match tree.insert(range, ()) {
        Ok(()) => tree.erase(range.first()).map_or(0, |(range, ())| range.last()),
        Err(_) => 1,
    }
}
