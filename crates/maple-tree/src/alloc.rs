//! Where nodes come from: a fallible allocator with a choice per call whether it may wait.
//!
//! `core::alloc::Allocator` is not stable and has no such choice, so this is a trait of our own. It is modelled
//! on `kernel::alloc::Allocator` of Rust for Linux, where each call takes flags (`GFP_KERNEL`, `GFP_ATOMIC`).
#![expect(unsafe_code, reason = "implements the allocator trait on top of the global allocator")]

mod slab;

use core::alloc::Layout;
use core::fmt;
use core::ptr::NonNull;

pub use slab::SlabAlloc;

/// Whether an allocation may wait for memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AllocMode {
    /// May sleep or reclaim memory to succeed (the kernel's `GFP_KERNEL`).
    #[default]
    Normal,
    /// Must answer at once, for callers in interrupt handlers or under spin locks (the kernel's `GFP_ATOMIC`).
    Atomic,
}

/// No memory for a node.
///
/// A tree also says so instead of growing beyond 64 levels, as if there were none. No known order of writes
/// comes near: a million entries take 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AllocError;

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory for a node")
    }
}

impl core::error::Error for AllocError {}

/// An allocator for the nodes of a tree.
///
/// A tree asks for few sizes only (one per kind of node), always before it changes anything, and never while
/// it erases.
///
/// # Safety
///
/// Implementations promise that
///
/// 1. memory that `allocate` returns has the requested layout, is not otherwise in use, and stays valid until
///    it is passed to `deallocate`, even if the allocator itself is moved;
/// 2. neither method unwinds.
pub unsafe trait NodeAlloc {
    /// Memory for one node, uninitialised.
    ///
    /// # Errors
    ///
    /// [`AllocError`] when there is none. The tree hands this to its caller as an error value.
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError>;

    /// Takes back the memory of one node. Never fails; must not wait.
    ///
    /// # Safety
    ///
    /// `node` came from `allocate` of this allocator with the same `layout`, and is not used any more.
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout);
}

/// The global allocator of the program, asked fallibly; it does not tell the two modes apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Global;

// SAFETY: (1) is the contract of the global allocator, which is the program's and does not move; (2) likewise.
unsafe impl NodeAlloc for Global {
    #[inline]
    fn allocate(&self, layout: Layout, _mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        if layout.size() == 0 {
            return Err(AllocError);
        }
        // SAFETY: the layout's size is not zero.
        NonNull::new(unsafe { std_alloc::alloc::alloc(layout) }).ok_or(AllocError)
    }

    #[inline]
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        // SAFETY: by the contract of this method `node` came from `allocate` above with this layout.
        unsafe { std_alloc::alloc::dealloc(node.as_ptr(), layout) };
    }
}

// SAFETY: forwards to an implementation that keeps the promises.
unsafe impl<A: NodeAlloc + ?Sized> NodeAlloc for &A {
    #[inline]
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        (**self).allocate(layout, mode)
    }

    #[inline]
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { (**self).deallocate(node, layout) };
    }
}

// SAFETY: forwards to an implementation that keeps the promises.
unsafe impl<A: NodeAlloc + ?Sized> NodeAlloc for std_alloc::sync::Arc<A> {
    #[inline]
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        (**self).allocate(layout, mode)
    }

    #[inline]
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { (**self).deallocate(node, layout) };
    }
}
