//! Where a reader says that it reads: a record of its own, and the list of all records.

use core::alloc::Layout;
use core::ptr::{self, NonNull};

use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::sync::{AtomicPtr, AtomicUsize, Cell, const_unless_loom, fence};

/// Nobody's: whoever exchanges it for [`OWNED`] has the record.
const FREE: usize = 0;
/// Somebody's, who does not read now.
const OWNED: usize = 2;
/// Added to an epoch, which is even: the owner reads since then.
const PINNED: usize = 1;

/// One reader, or one thread with all its readers.
///
/// Two cache lines, since processors fetch them in pairs: what the owner writes is near nothing that others write.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Record {
    state: AtomicUsize,
    /// How many guards the owner has. Only the owner touches this cell and the next.
    nesting: Cell<usize>,
    /// Whether the owner keeps the record when the last guard is dropped.
    kept: Cell<bool>,
    /// The record that was in the list before. Fixed once this one is in it.
    next: *mut Record,
}

// SAFETY: `state` is atomic and `next` does not change while the record is shared. The cells are touched by the owner only:
// owners follow each other by a `Release` store of `FREE` and an `Acquire` exchange for it, and while a thread
// owns the record, what it hands out (`Guard`, `Reader`) cannot leave the thread.
unsafe impl Sync for Record {}

impl Record {
    fn owned() -> Self {
        Self {
            state: AtomicUsize::new(OWNED),
            nesting: Cell::new(0),
            kept: Cell::new(false),
            next: ptr::null_mut(),
        }
    }

    fn claim(&self) -> bool {
        // Only who finds it free writes to it: the cache line of a reader is left alone.
        self.state.load(Relaxed) == FREE && self.state.compare_exchange(FREE, OWNED, Acquire, Relaxed).is_ok()
    }

    /// Begins to read, for the owner: a store to the record and a fence, or neither if the owner reads already.
    #[inline]
    pub(super) fn enter(&self, epoch: &AtomicUsize) {
        let nesting = self.nesting.get();
        if nesting == 0 {
            self.state.store(epoch.load(Relaxed) | PINNED, Release);
            // P
            fence(SeqCst);
        }
        // Forgotten guards may saturate it. Then the record stays pinned, which is safe.
        self.nesting.set(nesting.saturating_add(1));
    }

    /// One guard less, for the owner. With the last one the reader is gone.
    #[inline]
    pub(super) fn leave(&self) {
        let nesting = self.nesting.get();
        if nesting == usize::MAX {
            return;
        }
        self.nesting.set(nesting.wrapping_sub(1));
        if nesting == 1 {
            let next = if self.kept.get() { OWNED } else { FREE };
            self.state.store(next, Release);
        }
    }

    /// From now on the owner keeps the record between guards, until it is released.
    pub(super) fn keep(&self) {
        self.kept.set(true);
    }

    /// The owner gives the record back: now, or with the last guard.
    pub(super) fn release(&self) {
        self.kept.set(false);
        if self.nesting.get() == 0 {
            self.state.store(FREE, Release);
        }
    }

    /// Whether its owner reads since another epoch than this, for an advance.
    fn delays(&self, epoch: usize) -> bool {
        let state = self.state.load(Acquire);
        state & PINNED != 0 && state != epoch | PINNED
    }
}

/// All records: a list that only grows.
#[derive(Debug)]
pub(super) struct Records {
    head: AtomicPtr<Record>,
}

impl Records {
    const_unless_loom! {
        /// None yet.
        pub(super) fn new() -> Self {
            Self { head: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Record> {
        // SAFETY: a pointer in the list is null or to a record that was made before it was linked, by a `Release`
        // exchange of the head (or one before it in the release sequence), and lives as long as the list.
        let to_record = |record: *mut Record| unsafe { record.as_ref() };
        core::iter::successors(to_record(self.head.load(Acquire)), move |record| to_record(record.next))
    }

    /// A record that nobody had, or a new one.
    pub(super) fn claim<A: NodeAlloc>(&self, alloc: &A, mode: AllocMode) -> Result<&Record, AllocError> {
        match self.iter().find(|record| record.claim()) {
            Some(record) => Ok(record),
            None => self.grow(alloc, mode),
        }
    }

    #[cold]
    fn grow<A: NodeAlloc>(&self, alloc: &A, mode: AllocMode) -> Result<&Record, AllocError> {
        let memory = alloc.allocate(Layout::new::<Record>(), mode)?.cast::<Record>();
        let mut record = Record::owned();
        record.next = self.head.load(Relaxed);
        // SAFETY: the memory is new and has the layout of a record.
        unsafe { memory.write(record) };
        loop {
            // SAFETY: the record is not in the list yet, so it is this function's alone.
            let record = unsafe { &mut *memory.as_ptr() };
            match self.head.compare_exchange_weak(record.next, memory.as_ptr(), Release, Relaxed) {
                // SAFETY: records in the list live as long as the list.
                Ok(_) => return Ok(unsafe { memory.as_ref() }),
                Err(head) => record.next = head,
            }
        }
    }

    /// Whether a reader is there since another epoch than this, for an advance.
    pub(super) fn delay(&self, epoch: usize) -> bool {
        self.iter().any(|record| record.delays(epoch))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.iter().count()
    }

    /// Gives back the memory of all.
    ///
    /// # Safety
    ///
    /// All of it came from `alloc`, and nobody has a record any more.
    pub(super) unsafe fn free<A: NodeAlloc>(&mut self, alloc: &A) {
        let mut next = self.head.load(Relaxed);
        self.head.store(ptr::null_mut(), Relaxed);
        while let Some(record) = NonNull::new(next) {
            // SAFETY: the record is in no list any more, so it is this function's alone; it was made by `grow`.
            unsafe {
                next = record.as_ref().next;
                record.drop_in_place();
                alloc.deallocate(record.cast(), Layout::new::<Record>());
            }
        }
    }
}
