//! The allocator that was proposed to replace the kernel's red-black tree, as `kernel/iova_maple.c` has it: on the
//! kernel's maple tree, with markers for what could not be erased.

#![expect(unsafe_code, reason = "calls C")]

use std::ffi::{c_uint, c_ulong};
use std::ptr::NonNull;

use super::ffi::{become_thread, set_up};
use crate::subject::{Allocator, Convoy, Failing, SharedDomain, Space, Subject};

#[repr(C)]
struct RawSpace {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawArea {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn peer_iova_maple_new(first: c_ulong, last: c_ulong) -> *mut RawSpace;
    fn peer_iova_maple_drop(space: *mut RawSpace);
    fn peer_iova_maple_allocate(
        space: *mut RawSpace,
        size: c_ulong,
        limit: c_ulong,
        aligned: bool,
    ) -> *mut RawArea;
    fn peer_iova_maple_free(space: *mut RawSpace, area: *mut RawArea);
    fn peer_iova_maple_free_all(space: *mut RawSpace, all: *const Area, count: c_ulong);
    fn peer_iova_maple_marked(space: *mut RawSpace) -> c_ulong;
    fn peer_fail(of_65536: c_uint);
}

/// What it has allocated.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Area(NonNull<RawArea>);

// SAFETY: a number for who frees it.
unsafe impl Send for Area {}

/// One domain.
pub struct KernelIovaMaple {
    raw: NonNull<RawSpace>,
    last: u64,
    natural: bool,
    /// What waits to be given back in one go.
    queued: Vec<Area>,
}

// SAFETY: its functions take its lock, once `become_thread` was told that there are threads.
unsafe impl Send for KernelIovaMaple {}
// SAFETY: as above.
unsafe impl Sync for KernelIovaMaple {}

// SAFETY, for all blocks below: the pointer is that of a space that lives, since only `drop` ends it, and the workloads
// free each range once, in the space that made it.
impl KernelIovaMaple {
    fn allocate(&self, size: u64) -> Option<Area> {
        // SAFETY: see above.
        let area = unsafe { peer_iova_maple_allocate(self.raw.as_ptr(), size, self.last, self.natural) };
        NonNull::new(area).map(Area)
    }

    fn free(&self, area: Area) {
        // SAFETY: see above.
        unsafe { peer_iova_maple_free(self.raw.as_ptr(), area.0.as_ptr()) };
    }
}

impl Drop for KernelIovaMaple {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe { peer_iova_maple_drop(self.raw.as_ptr()) };
    }
}

impl Subject for KernelIovaMaple {
    const NAME: &'static str = "C iova (maple tree)";
}

impl Allocator for KernelIovaMaple {
    type Range = Area;

    fn new(space: Space) -> Self {
        set_up();
        // SAFETY: needs nothing but the setup.
        let raw = NonNull::new(unsafe { peer_iova_maple_new(Space::FIRST, space.last) });
        let raw = raw.expect("there is memory");
        Self { raw, last: space.last, natural: space.natural, queued: Vec::new() }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<Area> {
        Self::allocate(self, size)
    }

    #[inline]
    fn free(&mut self, area: Area) {
        Self::free(self, area);
    }
}

impl SharedDomain for KernelIovaMaple {
    type Range = Area;

    fn new(last: u64) -> Self {
        <Self as Allocator>::new(Space { last, natural: true, ranges: 0 })
    }

    fn enter(thread: u32, others: bool) {
        become_thread(thread, others);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<Area> {
        Self::allocate(self, size)
    }

    #[inline]
    fn free(&self, area: Area) {
        Self::free(self, area);
    }
}

impl Convoy for KernelIovaMaple {
    fn new(last: u64, n: usize) -> Self {
        let mut space = <Self as SharedDomain>::new(last);
        space.queued = (0..n).map(|_| Self::allocate(&space, 1).expect("there is space")).collect();
        space
    }

    fn enter(thread: u32, others: bool) {
        become_thread(thread, others);
    }

    fn pair(&self, size: u64) {
        let area = Self::allocate(self, size).expect("there is space");
        Self::free(self, area);
    }

    fn give_back(&self) {
        let (all, count) = (self.queued.as_ptr(), self.queued.len() as c_ulong);
        // SAFETY: see above; an area is a pointer, and the list is not used again.
        unsafe { peer_iova_maple_free_all(self.raw.as_ptr(), all, count) };
    }
}

impl Failing for KernelIovaMaple {
    fn fail(&mut self, fails: bool) {
        // If none at all succeeds its tree may never return from a store: some ask for part of what they need again.
        // SAFETY: sets a variable of this thread.
        unsafe { peer_fail(if fails { 58_982 } else { 0 }) };
    }

    fn lost(&mut self) -> u64 {
        // SAFETY: see above.
        unsafe { peer_iova_maple_marked(self.raw.as_ptr()) }
    }
}
