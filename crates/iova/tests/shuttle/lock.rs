//! A lock at which another thread may come.
#![expect(unsafe_code, reason = "the trait of a lock is unsafe")]

use lock_api::{GuardSend, RawMutex};
use shuttle::sync::atomic::{AtomicBool, Ordering};

/// A spinning lock. One that waits is not run again before another thread was.
#[derive(Debug)]
pub(crate) struct Lock(AtomicBool);

// SAFETY: who changes it to `true` has it, until that changes it back.
unsafe impl RawMutex for Lock {
    #[expect(clippy::declare_interior_mutable_const, reason = "the trait is like this")]
    const INIT: Self = Self(AtomicBool::new(false));
    type GuardMarker = GuardSend;

    fn lock(&self) {
        while !self.try_lock() {
            shuttle::hint::spin_loop();
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
