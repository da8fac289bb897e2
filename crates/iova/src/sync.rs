//! Locks and atomics: those of the platform, or loom's in tests with `--cfg loom`.
//!
//! loom runs a test under every order in which threads may be scheduled and every value that a load may return.
//! It has to see each lock and each atomic for that.

#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(all(test, loom)))]
pub(crate) use lock_api::Mutex;

#[cfg(all(test, loom))]
pub(crate) use self::model::Mutex;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};

#[cfg(all(test, loom))]
mod model {
    use core::marker::PhantomData;
    use std::sync::PoisonError;

    /// loom's lock in the clothes of `lock_api`'s.
    pub(crate) struct Mutex<R, T> {
        lock: loom::sync::Mutex<T>,
        raw: PhantomData<fn() -> R>,
    }

    impl<R, T> Mutex<R, T> {
        pub(crate) fn new(value: T) -> Self {
            Self { lock: loom::sync::Mutex::new(value), raw: PhantomData }
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.lock.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
