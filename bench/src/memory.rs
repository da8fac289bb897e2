//! How much memory the subjects use: this program's global allocator, which counts.
//!
//! Counting costs an addition or two to a variable of the thread. The kernel's peers have their own objects and count
//! these likewise.

#![expect(unsafe_code, reason = "implements the allocator's trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::NonNull;

use maple_tree::{AllocError, AllocMode, NodeAlloc, SlabAlloc};

thread_local! {
    static BYTES: Cell<i64> = const { Cell::new(0) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(calls: u64, bytes: i64) {
    CALLS.set(CALLS.get() + calls);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: every call is passed on to the system's allocator as it is. Counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) };
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as i64 - layout.size() as i64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Slabs of nodes, of which each node is counted: as the kernel's peers take nodes from a cache, and count these.
#[derive(Debug)]
pub struct Nodes(SlabAlloc<Uncounted>);

impl Default for Nodes {
    fn default() -> Self {
        Self(SlabAlloc::new_in(Uncounted))
    }
}

// SAFETY: every call is passed on as it is. Counting allocates nothing.
unsafe impl NodeAlloc for Nodes {
    #[inline]
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        count(1, layout.size() as i64);
        self.0.allocate(layout, mode)
    }

    #[inline]
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.deallocate(node, layout) };
    }
}

/// The system's allocator, for slabs.
#[derive(Debug)]
struct Uncounted;

// SAFETY: the system's allocator keeps the same promises, and is not asked for nothing.
unsafe impl NodeAlloc for Uncounted {
    fn allocate(&self, layout: Layout, _mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        // SAFETY: slabs have a size.
        NonNull::new(unsafe { System.alloc(layout) }).ok_or(AllocError)
    }

    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(node.as_ptr(), layout) };
    }
}

/// What this thread has allocated and not given back, in bytes as asked for.
pub fn live_bytes() -> i64 {
    #[cfg(feature = "kernel")]
    let others = crate::subjects::kernel::live_bytes();
    #[cfg(not(feature = "kernel"))]
    let others = 0;
    BYTES.get() + others
}

/// How often this thread has asked for memory.
pub fn calls() -> u64 {
    #[cfg(feature = "kernel")]
    let others = crate::subjects::kernel::allocations();
    #[cfg(not(feature = "kernel"))]
    let others = 0;
    CALLS.get() + others
}
