//! Epochs for the whole program, with a record per thread.

use core::cell::OnceCell;

use super::{Cookie, Epochs, Guard, Reader, Reclaim};
use crate::alloc::AllocMode;

static EPOCHS: Epochs = Epochs::new();

std::thread_local! {
    static READER: OnceCell<Reader<'static>> = const { OnceCell::new() };
}

/// The one [`Epochs`] of the program, in which each thread has a [`Reader`].
///
/// A thread gets its record when it first reads, and gives it back when it ends. From then on a reader costs a store to the
/// thread's own cache line and a fence; one inside another reader only a count. All trees that use this wait for each
/// other's readers: where that is too long, give a tree [`Epochs`] of its own.
///
/// The first reader of a thread allocates the record, if all are in use. Without memory for it, and in a thread whose
/// thread locals are gone already, readers work as those of [`Epochs`] do. One thing is not in our hands: std
/// itself needs a few bytes to remember that the thread's record is to be given back, and aborts without. A thread for which
/// that matters pins once when it starts.
///
/// Not for signal handlers.
///
/// ```
/// use maple_tree::reclaim::{GlobalEpochs, Reclaim};
///
/// let reader = GlobalEpochs.pin();
/// let cookie = GlobalEpochs.cookie();
/// assert!(!GlobalEpochs.is_over(cookie));
/// drop(reader);
/// GlobalEpochs.synchronize();
/// assert!(GlobalEpochs.is_over(cookie));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalEpochs;

impl GlobalEpochs {
    /// How many records there are: about the most that were in use at a time. O(records).
    ///
    /// ```
    /// use maple_tree::reclaim::{GlobalEpochs, Reclaim};
    ///
    /// let guard = GlobalEpochs.pin();
    /// assert!(GlobalEpochs.records() >= 1);
    /// # drop(guard);
    /// ```
    #[must_use]
    pub fn records(self) -> usize {
        EPOCHS.records()
    }
}

// SAFETY: forwards to `Epochs`, which keep the promises; a reader of a `Reader` is one of its `Epochs`.
unsafe impl Reclaim for GlobalEpochs {
    type Guard<'a> = Guard<'static>;
    type Cookie = Cookie;

    #[inline]
    fn pin(&self) -> Guard<'static> {
        let guard = READER.try_with(|reader| reader.get().map(Reader::pin));
        match guard {
            Ok(Some(guard)) => guard,
            Ok(None) => first_pin(),
            // The thread's locals are gone.
            Err(_) => EPOCHS.pin(),
        }
    }

    #[inline]
    fn cookie(&self) -> Cookie {
        EPOCHS.cookie()
    }

    #[inline]
    fn is_over(&self, cookie: Cookie) -> bool {
        EPOCHS.is_over(cookie)
    }
}

/// The first reader of a thread, or another one for which there is no record yet.
#[cold]
fn first_pin() -> Guard<'static> {
    let Ok(reader) = EPOCHS.register(AllocMode::Atomic) else {
        return EPOCHS.pin_without_record();
    };
    let guard = reader.pin();
    // If the locals are gone after all, the record is given back with the guard.
    let _ = READER.try_with(|local| local.set(reader));
    guard
}
