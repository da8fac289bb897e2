//! Grace periods by counting epochs.

use core::fmt;
use core::marker::PhantomData;

use super::Reclaim;
use super::overflow::{Counted, Overflow};
use super::record::{Record, Records};
use crate::alloc::{AllocError, AllocMode, Global, NodeAlloc};
use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::sync::{AtomicUsize, const_unless_loom, fence};

/// How much an epoch goes up by: the lowest bit is for the records.
const STEP: usize = 2;

/// Readers that say in which epoch they began, and an epoch that advances when all of before are gone.
///
/// Needs nothing but atomics, and memory for one record of 128 bytes per reader at a time. Records are never given
/// back before the `Epochs` are dropped, but used again.
///
/// | | writes | waits | memory |
/// | --- | --- | --- | --- |
/// | [`pin`](Reclaim::pin) | one record, found by going over the records from the first | never; 2 atomic operations | a record, if all are in use |
/// | [`Reader::pin`] | its own record; nothing if it is nested | never; a store and a fence | none |
/// | drop of a guard | the same record, one store | never | none |
/// | [`cookie`](Reclaim::cookie) | nothing | never | none |
/// | [`is_over`](Reclaim::is_over) | the epoch | never; goes over all records at most twice | none |
///
/// So threads that read often have a [`Reader`] each, or use `GlobalEpochs` (feature `std`). Threads that
/// [`pin`](Reclaim::pin) the `Epochs` take each other's records, and with them their cache lines.
///
/// If a record is needed and there is no memory, the reader is counted in two shared counters instead. That is just as right,
/// but all such readers write the same cache line.
///
/// A reader that stays holds up the grace periods that begin later, and those that began in the epoch in which it
/// pinned. No memory is lost, it only comes back later.
///
/// ```
/// use std::sync::Arc;
///
/// use maple_tree::reclaim::{Epochs, Reclaim};
///
/// let epochs = Arc::new(Epochs::new());
/// let other = Arc::clone(&epochs);
/// let thread = std::thread::spawn(move || {
///     let guard = other.pin();
///     // Reads what is shared ...
///     drop(guard);
/// });
/// epochs.synchronize();
/// # assert!(thread.join().is_ok());
/// ```
pub struct Epochs<A: NodeAlloc = Global> {
    /// Read by all, written when time goes on.
    epoch: Padded<AtomicUsize>,
    records: Records,
    overflow: Padded<Overflow>,
    alloc: A,
}

/// Shares its cache lines with nothing.
#[repr(align(128))]
struct Padded<T>(T);

impl Epochs {
    const_unless_loom! {
        /// No readers yet. Allocates nothing; records will come from the global allocator.
        ///
        /// ```
        /// use maple_tree::reclaim::Epochs;
        ///
        /// static EPOCHS: Epochs = Epochs::new();
        /// assert_eq!(EPOCHS.records(), 0);
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self::new_in(Global)
        }
    }
}

impl<A: NodeAlloc> Epochs<A> {
    const_unless_loom! {
        /// The same, with records from `alloc`.
        ///
        /// ```
        /// use maple_tree::Global;
        /// use maple_tree::reclaim::Epochs;
        ///
        /// let epochs: Epochs<&Global> = Epochs::new_in(&Global);
        /// assert_eq!(epochs.records(), 0);
        /// ```
        pub fn new_in(alloc: A) -> Self {
            Self {
                epoch: Padded(AtomicUsize::new(0)),
                records: Records::new(),
                overflow: Padded(Overflow::new()),
                alloc,
            }
        }
    }

    /// Has a record ready for this thread: its readers will need no memory and touch no other thread's cache lines.
    ///
    /// Goes over the records from the first; allocates one, in `mode`, if all are in use.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if it needs memory and there is none. [`pin`](Reclaim::pin) works nevertheless.
    ///
    /// ```
    /// use maple_tree::AllocMode;
    /// use maple_tree::reclaim::{Epochs, Reclaim};
    ///
    /// let epochs = Epochs::new();
    /// let reader = epochs.register(AllocMode::Normal)?;
    /// let guard = reader.pin();
    /// assert!(!epochs.is_over(epochs.cookie()));
    /// # drop(guard);
    /// # Ok::<(), maple_tree::AllocError>(())
    /// ```
    pub fn register(&self, mode: AllocMode) -> Result<Reader<'_>, AllocError> {
        let record = self.records.claim(&self.alloc, mode)?;
        record.keep();
        Ok(Reader { epoch: &self.epoch.0, record, not_send: PhantomData })
    }

    /// Whether a reader is one of these epochs.
    #[must_use]
    pub fn has(&self, reader: &Reader<'_>) -> bool {
        core::ptr::eq(reader.epoch, &raw const self.epoch.0)
    }

    /// How many records there are: about the most that were in use at a time. O(records).
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.count()
    }

    /// A reader without a record of its own.
    pub(super) fn pin_without_record(&self) -> Guard<'_> {
        let counted = self.overflow.0.enter(&self.epoch.0);
        Guard { place: Place::Overflow(&self.overflow.0, counted), not_send: PhantomData }
    }

    /// Takes the epoch one further, or finds that somebody else just did. `false` if a reader is in the way.
    pub(super) fn advance(&self) -> bool {
        let epoch = self.epoch.0.load(Relaxed);
        // A
        fence(SeqCst);
        if self.records.delay(epoch) || self.overflow.0.delays(epoch) {
            return false;
        }
        // If this fails, the epoch is not what it was: it has advanced.
        let _ = self.epoch.0.compare_exchange(epoch, epoch.wrapping_add(STEP), Release, Relaxed);
        true
    }

    /// Whether the epoch has advanced twice since the cookie. The one who asks got the cookie from who took it, so it
    /// sees that epoch or a later one: the difference is never negative.
    fn is_past(&self, cookie: Cookie) -> bool {
        self.epoch.0.load(Acquire).wrapping_sub(cookie.0) >= 2 * STEP
    }

    /// As if there had been many advances.
    #[cfg(all(test, not(loom)))]
    pub(super) fn at_epoch(self, epoch: usize) -> Self {
        self.epoch.0.store(epoch, Relaxed);
        self
    }

    /// For tests of the counts.
    #[cfg(all(test, not(loom)))]
    pub(super) fn overflow(&self) -> &Overflow {
        &self.overflow.0
    }
}

// SAFETY: the two promises are shown in the head of the module `reclaim`. Nothing in here unwinds: it calls only
// the allocator, which promises not to.
unsafe impl<A: NodeAlloc> Reclaim for Epochs<A> {
    type Guard<'a>
        = Guard<'a>
    where
        Self: 'a;
    type Cookie = Cookie;

    /// Takes a record for this reader alone, or counts it if there is no memory for one.
    #[inline]
    fn pin(&self) -> Guard<'_> {
        match self.records.claim(&self.alloc, AllocMode::Atomic) {
            Ok(record) => {
                record.enter(&self.epoch.0);
                Guard { place: Place::Record(record), not_send: PhantomData }
            }
            Err(AllocError) => self.pin_without_record(),
        }
    }

    #[inline]
    fn cookie(&self) -> Cookie {
        // C
        fence(SeqCst);
        Cookie(self.epoch.0.load(Relaxed))
    }

    /// Tries to advance the epoch where that is still needed.
    fn is_over(&self, cookie: Cookie) -> bool {
        // Without readers one call is enough.
        self.is_past(cookie)
            || (self.advance() && self.is_past(cookie))
            || (self.advance() && self.is_past(cookie))
    }
}

impl<A: NodeAlloc> Drop for Epochs<A> {
    fn drop(&mut self) {
        // SAFETY: guards and readers borrow the `Epochs`, so there are none; records come from this allocator only.
        unsafe { self.records.free(&self.alloc) };
    }
}

impl Default for Epochs {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: NodeAlloc> fmt::Debug for Epochs<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epochs")
            .field("epoch", &(self.epoch.0.load(Relaxed) / STEP))
            .field("records", &self.records())
            .finish_non_exhaustive()
    }
}

/// When a grace period of [`Epochs`] began. It means nothing to other `Epochs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie(usize);

/// A record that a thread keeps, for readers that are cheap. See [`Epochs::register`].
///
/// Readers in it nest: only the first writes anything. Guards may outlive it, so it cannot go to other threads;
/// then the record is given back with the last of them.
pub struct Reader<'a> {
    epoch: &'a AtomicUsize,
    record: &'a Record,
    not_send: PhantomData<*const ()>,
}

impl<'a> Reader<'a> {
    /// Begins to read, like [`Reclaim::pin`] of the `Epochs`.
    ///
    /// A load, a store to the thread's own cache line and a fence; if there is a guard already, only a count. Never
    /// allocates.
    ///
    /// ```
    /// use maple_tree::AllocMode;
    /// use maple_tree::reclaim::{Epochs, Reclaim};
    ///
    /// let epochs = Epochs::new();
    /// let reader = epochs.register(AllocMode::Normal)?;
    /// let (outer, inner) = (reader.pin(), reader.pin());
    /// let cookie = epochs.cookie();
    /// drop(outer);
    /// assert!(!epochs.is_over(cookie));
    /// drop(inner);
    /// assert!(epochs.is_over(cookie));
    /// # Ok::<(), maple_tree::AllocError>(())
    /// ```
    #[inline]
    pub fn pin(&self) -> Guard<'a> {
        self.record.enter(self.epoch);
        Guard { place: Place::Record(self.record), not_send: PhantomData }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.record.release();
    }
}

/// A reader of [`Epochs`], until it is dropped. It stays in its thread.
#[must_use = "the reader is gone when this is dropped"]
pub struct Guard<'a> {
    place: Place<'a>,
    /// The owner of a record is one thread.
    not_send: PhantomData<*const ()>,
}

/// Where a reader is seen.
enum Place<'a> {
    Record(&'a Record),
    Overflow(&'a Overflow, Counted),
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.place {
            Place::Record(record) => record.leave(),
            Place::Overflow(overflow, counted) => overflow.leave(counted),
        }
    }
}

impl fmt::Debug for Guard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
