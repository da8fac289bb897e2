//! What `kernel/*.c` exports, and safe owners of it.

#![expect(unsafe_code, reason = "calls C")]

use std::ffi::{c_int, c_long, c_uint, c_ulong, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Once;

#[repr(C)]
pub(super) struct RawTree {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawDomain {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawRange {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    fn peer_maple_setup();
    fn peer_maple_new() -> *mut RawTree;
    fn peer_maple_drop(tree: *mut RawTree);
    fn peer_maple_insert(tree: *mut RawTree, first: c_ulong, last: c_ulong, entry: *mut c_void) -> c_int;
    fn peer_maple_store(tree: *mut RawTree, first: c_ulong, last: c_ulong, entry: *mut c_void) -> c_int;
    fn peer_maple_load(tree: *mut RawTree, index: c_ulong) -> *mut c_void;
    fn peer_maple_replace(tree: *mut RawTree, index: c_ulong, entry: *mut c_void) -> c_int;
    fn peer_maple_erase(tree: *mut RawTree, index: c_ulong) -> *mut c_void;
    fn peer_maple_sum(tree: *mut RawTree) -> c_ulong;
    fn peer_maple_walk(tree: *mut RawTree, index: c_ulong, steps: c_ulong, back: bool) -> c_ulong;
    fn peer_maple_gap(
        tree: *mut RawTree,
        first: c_ulong,
        last: c_ulong,
        size: c_ulong,
        top_down: c_int,
    ) -> c_ulong;
    fn peer_maple_allocate(
        tree: *mut RawTree,
        entry: *mut c_void,
        size: c_ulong,
        first: c_ulong,
        last: c_ulong,
    ) -> c_ulong;
    fn peer_maple_allocate_aligned(
        tree: *mut RawTree,
        entry: *mut c_void,
        size: c_ulong,
        align: c_ulong,
        first: c_ulong,
        last: c_ulong,
    ) -> c_ulong;
    fn peer_iova_setup();
    fn peer_iova_new(start_pfn: c_ulong) -> *mut RawDomain;
    fn peer_iova_drop(domain: *mut RawDomain);
    fn peer_iova_allocate(
        domain: *mut RawDomain,
        size: c_ulong,
        limit_pfn: c_ulong,
        aligned: bool,
    ) -> *mut RawRange;
    fn peer_iova_free(domain: *mut RawDomain, range: *mut RawRange);
    fn peer_iova_allocate_cached(domain: *mut RawDomain, size: c_ulong, limit_pfn: c_ulong) -> c_ulong;
    fn peer_iova_free_cached(domain: *mut RawDomain, pfn: c_ulong, size: c_ulong);
    fn peer_iova_allocate_locked(domain: *mut RawDomain, size: c_ulong, limit_pfn: c_ulong) -> c_ulong;
    fn peer_iova_free_locked(domain: *mut RawDomain, pfn: c_ulong, size: c_ulong);
    fn peer_iova_flush(domain: *mut RawDomain);
    fn peer_iova_maple_setup();
    fn peer_live_bytes() -> c_long;
    fn peer_allocations() -> c_ulong;
    fn peer_thread(cpu: c_uint, threads: c_int);
}

/// Makes the caches that objects come from. They are the program's.
pub(super) fn set_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // SAFETY: called once, before anything that uses the caches.
        unsafe {
            peer_maple_setup();
            peer_iova_setup();
            peer_iova_maple_setup();
        }
    });
}

/// A tree of the kernel. Entries are odd numbers, as `xa_mk_value` makes them.
pub(super) struct Tree {
    raw: NonNull<RawTree>,
    /// It belongs to one thread, whose free list its nodes come from.
    thread: PhantomData<*mut ()>,
}

const NONE: c_ulong = c_ulong::MAX;

// SAFETY, for all blocks below: the pointer is that of a tree that lives, since only `drop` ends it; it does not leave this
// thread; and entries are odd, which the tree takes for values and never follows.
impl Tree {
    pub(super) fn new() -> Self {
        set_up();
        // SAFETY: needs nothing but the setup.
        let raw = NonNull::new(unsafe { peer_maple_new() }).expect("there is memory");
        Self { raw, thread: PhantomData }
    }

    #[inline]
    pub(super) fn insert(&mut self, first: u64, last: u64, value: usize) -> bool {
        // SAFETY: see above.
        unsafe { peer_maple_insert(self.raw.as_ptr(), first, last, entry(value)) == 0 }
    }

    #[inline]
    pub(super) fn store(&mut self, first: u64, last: u64, value: usize) -> bool {
        // SAFETY: see above.
        unsafe { peer_maple_store(self.raw.as_ptr(), first, last, entry(value)) == 0 }
    }

    #[inline]
    pub(super) fn load(&self, index: u64) -> Option<usize> {
        // SAFETY: see above.
        let entry = unsafe { peer_maple_load(self.raw.as_ptr(), index) };
        (!entry.is_null()).then(|| entry.addr())
    }

    #[inline]
    pub(super) fn replace(&mut self, index: u64, value: usize) -> bool {
        // SAFETY: see above.
        unsafe { peer_maple_replace(self.raw.as_ptr(), index, entry(value)) == 0 }
    }

    #[inline]
    pub(super) fn erase(&mut self, index: u64) -> bool {
        // SAFETY: see above.
        unsafe { !peer_maple_erase(self.raw.as_ptr(), index).is_null() }
    }

    pub(super) fn sum(&self) -> u64 {
        // SAFETY: see above.
        unsafe { peer_maple_sum(self.raw.as_ptr()) }
    }

    #[inline]
    pub(super) fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        // SAFETY: see above.
        unsafe { peer_maple_walk(self.raw.as_ptr(), index, steps as c_ulong, back) }
    }

    #[inline]
    pub(super) fn gap(&self, first: u64, last: u64, size: u64, top_down: bool) -> Option<u64> {
        // SAFETY: see above.
        let found = unsafe { peer_maple_gap(self.raw.as_ptr(), first, last, size, top_down.into()) };
        (found != NONE).then_some(found)
    }

    #[inline]
    pub(super) fn allocate(&mut self, size: u64, align: u64, first: u64, last: u64) -> Option<u64> {
        let (tree, entry) = (self.raw.as_ptr(), entry(1));
        // SAFETY: see above.
        let found = unsafe {
            if align == 1 {
                peer_maple_allocate(tree, entry, size, first, last)
            } else {
                peer_maple_allocate_aligned(tree, entry, size, align, first, last)
            }
        };
        (found != NONE).then_some(found)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe { peer_maple_drop(self.raw.as_ptr()) };
    }
}

pub(super) fn entry(value: usize) -> *mut c_void {
    debug_assert_eq!(value % 2, 1, "other values are the tree's own");
    std::ptr::without_provenance_mut(value)
}

/// A domain of the kernel's IOVA allocator.
pub(super) struct Domain(NonNull<RawDomain>);

/// What it has allocated, without the caches.
#[derive(Clone, Copy)]
pub struct Range(NonNull<RawRange>);

// SAFETY: its functions take its locks, once `become_thread` was told that there are threads.
unsafe impl Send for Domain {}
// SAFETY: as above.
unsafe impl Sync for Domain {}

// SAFETY, for all blocks below: the pointer is that of a domain that lives, since only `drop` ends it.
impl Domain {
    pub(super) fn new(first: u64) -> Self {
        set_up();
        // SAFETY: needs nothing but the setup.
        Self(NonNull::new(unsafe { peer_iova_new(first) }).expect("there is memory"))
    }

    #[inline]
    pub(super) fn allocate(&self, size: u64, limit: u64, natural: bool) -> Option<Range> {
        // SAFETY: see above.
        NonNull::new(unsafe { peer_iova_allocate(self.0.as_ptr(), size, limit, natural) }).map(Range)
    }

    #[inline]
    pub(super) fn free(&self, range: Range) {
        // SAFETY: see above; the workloads free each range once, in the domain that made it.
        unsafe { peer_iova_free(self.0.as_ptr(), range.0.as_ptr()) };
    }

    #[inline]
    pub(super) fn allocate_cached(&self, size: u64, limit: u64) -> Option<u64> {
        // SAFETY: see above.
        let first = unsafe { peer_iova_allocate_cached(self.0.as_ptr(), size, limit) };
        (first != 0).then_some(first)
    }

    #[inline]
    pub(super) fn free_cached(&self, first: u64, size: u64) {
        // SAFETY: see above; what is not allocated is no range of the domain, and is left alone.
        unsafe { peer_iova_free_cached(self.0.as_ptr(), first, size) };
    }

    /// As [`allocate_cached`](Self::allocate_cached), with locks that are taken.
    #[inline]
    pub(super) fn allocate_locked(&self, size: u64, limit: u64) -> Option<u64> {
        // SAFETY: see above.
        let first = unsafe { peer_iova_allocate_locked(self.0.as_ptr(), size, limit) };
        (first != 0).then_some(first)
    }

    #[inline]
    pub(super) fn free_locked(&self, first: u64, size: u64) {
        // SAFETY: as for `free_cached`.
        unsafe { peer_iova_free_locked(self.0.as_ptr(), first, size) };
    }

    /// Gives back what the magazines hold.
    pub(super) fn flush(&self) {
        // SAFETY: see above.
        unsafe { peer_iova_flush(self.0.as_ptr()) };
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        // SAFETY: see above.
        unsafe { peer_iova_drop(self.0.as_ptr()) };
    }
}

/// This thread is one of the kernel's two processors from now on, and takes locks or not.
pub(super) fn become_thread(processor: u32, threads: bool) {
    // SAFETY: sets variables of this thread.
    unsafe { peer_thread(processor, threads.into()) };
}

/// Bytes of nodes and ranges in use.
pub fn live_bytes() -> i64 {
    // SAFETY: reads numbers of this thread.
    unsafe { peer_live_bytes() }
}

/// Calls for one of them.
pub fn allocations() -> u64 {
    // SAFETY: as above.
    unsafe { peer_allocations() }
}
