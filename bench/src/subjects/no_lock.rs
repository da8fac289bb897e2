//! A lock for one thread, which costs what the kernel's does in these benchmarks: a branch.
#![expect(unsafe_code, reason = "implements the lock's trait")]

use std::cell::Cell;

use iova::lock_api::{GuardNoSend, RawMutex};

/// Not `Sync`, so that nothing that is behind it is.
pub struct NoLock {
    taken: Cell<bool>,
}

// SAFETY: it excludes, since who takes it twice panics, and no other thread can.
unsafe impl RawMutex for NoLock {
    const INIT: Self = Self { taken: Cell::new(false) };

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock(&self) {
        assert!(self.try_lock(), "one thread takes it twice");
    }

    #[inline]
    fn try_lock(&self) -> bool {
        !self.taken.replace(true)
    }

    #[inline]
    unsafe fn unlock(&self) {
        self.taken.set(false);
    }
}
