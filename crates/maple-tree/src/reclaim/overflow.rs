//! Readers without a record, for lack of memory: they are only counted.

use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};
use crate::sync::{AtomicUsize, const_unless_loom, fence};

/// At so many readers a count stays for ever, since it could wrap: safe, but no grace period ends any more. It
/// takes that many forgotten guards.
const STUCK: usize = isize::MAX as usize;

/// Two counts of readers: of those that pinned at an odd number of advances, and at an even one.
///
/// Any number of readers share them, so each of them writes a cache line that others write too. With a single count
/// new readers could keep it above zero for ever, and time would stand still. With two, new readers never join
/// those that the next advance waits for.
#[derive(Debug)]
pub(super) struct Overflow {
    counts: [AtomicUsize; 2],
}

/// In which counts a reader is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counted {
    /// In this one.
    In(usize),
    /// In both: the epoch moved while it pinned.
    Both,
}

/// The count for readers that pin at an epoch; `counts` has no other index.
fn count_of(epoch: usize) -> usize {
    (epoch >> 1) & 1
}

impl Overflow {
    const_unless_loom! {
        /// No readers.
        pub(super) fn new() -> Self {
            Self { counts: [AtomicUsize::new(0), AtomicUsize::new(0)] }
        }
    }

    /// Begins to read.
    ///
    /// A reader that found the epoch unchanged after its fence holds up the second advance from there, since that
    /// one's fence comes later: its load of the epoch saw what the reader did not. One that found it changed may
    /// be in the wrong count; so it joins both, and holds up every advance.
    #[cold]
    pub(super) fn enter(&self, epoch: &AtomicUsize) -> Counted {
        let pinned = epoch.load(Relaxed);
        self.join(count_of(pinned));
        // P
        fence(SeqCst);
        if epoch.load(Relaxed) == pinned {
            return Counted::In(count_of(pinned));
        }
        self.join(count_of(pinned) ^ 1);
        // P
        fence(SeqCst);
        Counted::Both
    }

    /// The reader is gone.
    #[cold]
    pub(super) fn leave(&self, counted: Counted) {
        match counted {
            Counted::In(count) => self.part(count),
            Counted::Both => {
                self.part(0);
                self.part(1);
            }
        }
    }

    /// Whether a reader is there since another epoch than this, for an advance.
    pub(super) fn delays(&self, epoch: usize) -> bool {
        self.count(count_of(epoch) ^ 1).load(Acquire) != 0
    }

    fn join(&self, count: usize) {
        let count = self.count(count);
        if count.fetch_add(1, Relaxed) >= STUCK {
            count.fetch_sub(1, Relaxed);
        }
    }

    fn part(&self, count: usize) {
        let count = self.count(count);
        if count.load(Relaxed) < STUCK {
            count.fetch_sub(1, Release);
        }
    }

    fn count(&self, count: usize) -> &AtomicUsize {
        let [even, odd] = &self.counts;
        if count == 0 { even } else { odd }
    }

    /// As if so many guards had been forgotten.
    #[cfg(all(test, not(loom)))]
    pub(super) fn forget(&self, guards: usize) {
        self.counts.iter().for_each(|count| count.store(guards, Relaxed));
    }
}
