//! When memory that readers may still look at can be used again.
//!
//! In shared mode readers take no lock. So a writer that unlinks a node must not free it at once: it *retires*
//! the node, and frees it when every reader that may have found it is gone. The time until then is a *grace
//! period*. [`Reclaim`] is how a tree learns that one is over. It asks for very little, so that a kernel can
//! bring its own RCU:
//!
//! | here | Linux |
//! | --- | --- |
//! | [`pin`](Reclaim::pin), drop of the guard | `rcu_read_lock`, `rcu_read_unlock` |
//! | [`cookie`](Reclaim::cookie) | `start_poll_synchronize_rcu` |
//! | [`is_over`](Reclaim::is_over) | `poll_state_synchronize_rcu` |
//! | [`synchronize`](Reclaim::synchronize) | `synchronize_rcu` |
//!
//! For all others there are [`Epochs`], which need nothing but atomics, and with the feature `std`
//! `GlobalEpochs`, which a whole program shares and whose readers are cheapest.
//!
//! ```
//! use maple_tree::reclaim::{Epochs, Reclaim};
//!
//! let epochs = Epochs::new();
//! let reader = epochs.pin();
//! // A writer unlinks something that the reader may be looking at ...
//! let cookie = epochs.cookie();
//! assert!(!epochs.is_over(cookie));
//! // ... and frees it when the reader is gone.
//! drop(reader);
//! assert!(epochs.is_over(cookie));
//! ```
//!
//! # How epochs work
//!
//! There is a global *epoch*, a number. A reader that pins writes the epoch into a *record* of its own. The
//! epoch may advance when no record has another epoch than the current one. A cookie is the epoch at which it
//! was taken, and its grace period is over two advances later. One is not enough: it may have looked at the
//! records before a reader pinned that still found the old link.
//!
//! What makes it right are three sequentially consistent fences: `P` in `pin`, between the store to the record
//! and the first load of the reader; `C` in `cookie`, between the unlinking and the load of the epoch; `A` in
//! each advance, between the load of the epoch and the loads of the records. Fences of this kind have one order
//! that all threads agree on. A store before one of two such fences is seen by a load after the other, if they
//! come in this order. Take a cookie `c`, and a reader that pinned at the epoch `r`.
//!
//! - If `C` comes before `P`, the reader's loads see the unlinking. This is the second promise of [`Reclaim`].
//! - If `P` comes before `C`, then `r <= c`, since the load of `c` came later. For the grace period to end, some
//!   advance takes the epoch from `c + 1` to `c + 2`. It had loaded `c + 1`, so `C` comes before its `A`, and so
//!   does `P`. So it sees what the reader wrote, and `r` is not `c + 1`: it can go on only because it sees that
//!   the reader is gone. This is the first promise.
//!
//! # Orderings
//!
//! | atomic | operation | pairs with | what it carries |
//! | --- | --- | --- | --- |
//! | state of a record | exchange when it is claimed: `Acquire` | store when its last owner gave it back | the owner's cells; and the release sequence goes on, for an advance that sees the new state |
//! | | store of the epoch in `pin`: `Release` | load in an advance: `Acquire` | all that *earlier* readers in this record did, for an advance that sees the new epoch and not that they left |
//! | | store when the reader leaves: `Release` | load in an advance: `Acquire` | all that the reader did: the first promise |
//! | fences `P`, `C`, `A` | `SeqCst` | each other | which came first, "I read" or "it is unlinked". Acquire and release do not order a store before a later load of something else |
//! | epoch | load in `pin`, `cookie` and an advance: `Relaxed` | | only a number: the fences order it |
//! | | exchange in an advance: `Release` | load in `is_over`: `Acquire` | what this advance acquired from the readers and, by the release sequence, what all before it did |
//! | head of the list | exchange that links a record: `Release` | loads by `pin` and an advance: `Acquire` | the contents of the record and, by the release sequence, of those linked before. An advance does not miss it because of `P` and `A` |
//! | overflow counts | add: `Relaxed`, subtract: `Release` | load in an advance: `Acquire` | all that those did who left. Each change is a read-modify-write, so the release sequences go on |
//!
//! # When the counters wrap
//!
//! An epoch is a `usize`, and goes up by two. The end of a grace period is a wrapping difference, which never says
//! "over" too soon. But an epoch that comes again after all others could be mistaken for the current one: by a
//! reader, if it is held up between the load of the epoch and the store to its record for *exactly* a multiple of 2^31
//! grace periods, less one, on a processor with 32 bits. With 64 bits nobody lives that long.
//!
//! # Why not a crate
//!
//! A tree promises that erase never allocates, and that lack of memory is never more than an error value. So its
//! readers must be able to pin without memory, and retiring must not take any: nodes are linked through their own
//! memory, and all they need is to know when. What there is does not fit:
//!
//! - `crossbeam-epoch` 0.9.21: a retired object is a closure in a bag of 64, and full bags are boxed into a queue.
//!   There is no way to ask for the epoch. A thread's participant is boxed when it first pins.
//! - `seize` 0.5.1: retired objects go into a `Vec` per thread. No grace periods; needs `std`.
//! - `haphazard` 0.1.8: hazard pointers, one protected store per node visited; retiring boxes a header.
//! - `kovan` 0.2.0: intrusive, but frees what is retired when it sees fit, and only what is `'static`: no memory
//!   from a borrowed allocator. First pins box pages of slots. Needs 128-bit atomics.
//! - `sdd` 4.8.11: intrusive, and its epochs can be observed. But needs `std` and one collector for the whole
//!   program, uses a thread's collector without a check that there was memory for it, and moves time only when
//!   guards are dropped.
//! - `urcu2` 0.1.3: has cookies, but binds to a C library.
//!
//! All of them abort or panic if there is no memory when a thread reads for the first time.
#![expect(
    unsafe_code,
    reason = "the trait is a promise about memory; records are shared through raw pointers"
)]

mod epochs;
mod overflow;
mod record;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(feature = "std", not(loom)))]
mod thread;

use core::fmt::Debug;

pub use epochs::{Cookie, Epochs, Guard, Reader};
#[cfg(all(feature = "std", not(loom)))]
pub use thread::GlobalEpochs;

/// Tells when all readers of before are gone.
///
/// A *reader* is between [`pin`](Self::pin) and the drop of the guard. A grace period goes from
/// [`cookie`](Self::cookie) until [`is_over`](Self::is_over) first answers `true` for it.
///
/// # Safety
///
/// Implementations promise, for each guard and each cookie whose grace period was found to be over, at least one of:
///
/// 1. All that was done while the guard lived, its drop included, *happens before* `is_over` returns `true`.
/// 2. Each atomic load of the guard's thread after `pin` returned sees what was stored to that location before
///    `cookie` was called (in its thread, or in one that it synchronised with), or something newer.
///
/// So if `pin` happens before `cookie`, the first holds. And what was unlinked before `cookie` is either not
/// found by a reader, or no more in use when the grace period is over.
///
/// Once `is_over` answered `true`, what happens after that is also after the grace period. [`synchronize`](Self::synchronize)
/// promises on its return what `is_over` promises for a cookie that was taken when it was called.
///
/// No method unwinds. The promises hold for a cookie that came from this very instance, or a reference to it.
pub unsafe trait Reclaim {
    /// A reader; it ends when this is dropped. A thread may have many at a time, and drop them in any order.
    ///
    /// One that is forgotten reads for ever: no grace period that begins later ends, and maybe some that did not end yet.
    type Guard<'a>
    where
        Self: 'a;

    /// A moment, to ask about later.
    type Cookie: Copy + Debug;

    /// Begins to read. Never fails, never blocks.
    fn pin(&self) -> Self::Guard<'_>;

    /// Takes the time, after something was unlinked. Neither blocks nor allocates.
    fn cookie(&self) -> Self::Cookie;

    /// Whether all readers are gone who may have found what was unlinked before `cookie` was taken. Neither blocks nor
    /// allocates; may help time along.
    ///
    /// Once those are gone, and a few that came right after, it answers `true` if it is asked often enough.
    fn is_over(&self, cookie: Self::Cookie) -> bool;

    /// Waits until all readers of before are gone. By default this asks again and again.
    ///
    /// A thread that is a reader itself waits for ever.
    fn synchronize(&self) {
        let cookie = self.cookie();
        while !self.is_over(cookie) {
            crate::sync::relax();
        }
    }
}

// SAFETY: forwards to an implementation that keeps the promises.
unsafe impl<R: Reclaim + ?Sized> Reclaim for &R {
    type Guard<'a>
        = R::Guard<'a>
    where
        Self: 'a;
    type Cookie = R::Cookie;

    #[inline]
    fn pin(&self) -> Self::Guard<'_> {
        (**self).pin()
    }

    #[inline]
    fn cookie(&self) -> Self::Cookie {
        (**self).cookie()
    }

    #[inline]
    fn is_over(&self, cookie: Self::Cookie) -> bool {
        (**self).is_over(cookie)
    }

    #[inline]
    fn synchronize(&self) {
        (**self).synchronize();
    }
}

// SAFETY: forwards to an implementation that keeps the promises.
unsafe impl<R: Reclaim + ?Sized> Reclaim for std_alloc::sync::Arc<R> {
    type Guard<'a>
        = R::Guard<'a>
    where
        Self: 'a;
    type Cookie = R::Cookie;

    #[inline]
    fn pin(&self) -> Self::Guard<'_> {
        (**self).pin()
    }

    #[inline]
    fn cookie(&self) -> Self::Cookie {
        (**self).cookie()
    }

    #[inline]
    fn is_over(&self, cookie: Self::Cookie) -> bool {
        (**self).is_over(cookie)
    }

    #[inline]
    fn synchronize(&self) {
        (**self).synchronize();
    }
}
