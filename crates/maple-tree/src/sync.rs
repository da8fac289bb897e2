//! What shared mode is synchronised with: `core`'s atomics, or those of a model that checks the code.
//!
//! With `--cfg loom` the tests run in a model of memory that tries all interleavings and all values that a load
//! may see. Its atomics are larger, and cannot be made in a `const fn`. With `--cfg shuttle` they run in some interleavings of
//! many, with `core`'s atomics, before each of which another thread may come.

pub(crate) use core::sync::atomic::Ordering;

#[cfg(shuttle)]
pub(crate) use self::scheduled::{AtomicPtr, AtomicUsize};
#[cfg(not(any(loom, shuttle)))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicUsize};
#[cfg(not(loom))]
pub(crate) use core::{cell::Cell, sync::atomic::fence};
#[cfg(loom)]
pub(crate) use loom::{
    cell::Cell,
    sync::atomic::{AtomicPtr, AtomicUsize, fence},
};

#[cfg(shuttle)]
mod scheduled;

/// Lets others run for a moment, while this thread waits for them.
#[inline]
pub(crate) fn relax() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(shuttle)]
    shuttle::thread::yield_now();
    #[cfg(all(not(any(loom, shuttle)), feature = "std"))]
    std::thread::yield_now();
    #[cfg(all(not(any(loom, shuttle)), not(feature = "std")))]
    core::hint::spin_loop();
}

/// Makes a function `const` except under loom.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* $visibility:vis fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])*
        $visibility const fn $($rest)*
        #[cfg(loom)]
        $(#[$attribute])*
        $visibility fn $($rest)*
    };
}
pub(crate) use const_unless_loom;
