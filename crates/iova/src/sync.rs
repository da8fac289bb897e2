//! Locks and atomics: those of the platform, or of a model in tests.
//!
//! With `--cfg loom`, loom runs a test under every order in which threads may be scheduled and every value that a load may return.
//! It has to see each lock and each atomic for that. With `--cfg shuttle`, shuttle says at each atomic and at each lock
//! which thread comes next, in some orders of many; the lock is then one of the tests' own, like any other.

#[cfg(not(any(all(test, loom), shuttle)))]
pub(crate) use core::sync::atomic::AtomicU64;
#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::{Ordering, fence};
#[cfg(not(all(test, loom)))]
pub(crate) use lock_api::Mutex;

#[cfg(all(test, loom))]
pub(crate) use self::model::Mutex;
#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};

#[cfg(all(shuttle, not(all(test, loom))))]
pub(crate) use shuttle::sync::atomic::AtomicU64;

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
