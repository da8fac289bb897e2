//! Which flushes cover which ranges.

use crate::sync::{AtomicU64, Ordering, fence};

/// Flushes have numbers, in the order in which they start. There are two counters: how many were started, and
/// the highest number, plus one, of those that have completed.
///
/// A range that is queued notes how many flushes were *started*: these may have passed it by. All later ones
/// have that number or a higher one, and each of them covers the range. So it is covered as soon as one of that
/// number or higher has completed, however flushes overlap, in whichever order they complete, and whether
/// others ever do.
pub(super) struct Generations {
    started: AtomicU64,
    completed: AtomicU64,
}

/// A range's place among the flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Generations {
    pub(super) fn new() -> Self {
        Self { started: AtomicU64::new(0), completed: AtomicU64::new(0) }
    }

    /// For a range that is queued now.
    ///
    /// The fence pairs with the one in [`flush`](Self::flush): either that flush is counted here, or it sees
    /// that the range was unmapped.
    pub(super) fn now(&self) -> Generation {
        fence(Ordering::SeqCst);
        Generation(self.started.load(Ordering::SeqCst))
    }

    /// Runs a flush. If it unwinds, it has not completed, and nothing is taken to be covered by it.
    pub(super) fn flush(&self, flush: impl FnOnce()) {
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        flush();
        self.completed.fetch_max(number + 1, Ordering::Release);
    }

    /// Whether a flush that covers this generation has completed.
    pub(super) fn covers(&self, generation: Generation) -> bool {
        generation.0 < self.completed.load(Ordering::Acquire)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_flush_covers_what_was_queued_before_it() {
        let generations = Generations::new();
        let before = generations.now();
        assert!(!generations.covers(before));
        generations.flush(|| {
            let during = generations.now();
            assert!(!generations.covers(before) && !generations.covers(during));
        });
        assert!(generations.covers(before) && !generations.covers(generations.now()));
    }

    #[test]
    fn a_later_flush_covers_while_an_earlier_one_is_in_progress() {
        let generations = Generations::new();
        let mut during = None;
        generations.flush(|| {
            during = Some(generations.now());
            assert!(!generations.covers(during.unwrap()));
            // It starts later and completes earlier.
            generations.flush(|| ());
            assert!(generations.covers(during.unwrap()));
        });
        assert!(generations.covers(during.unwrap()) && !generations.covers(generations.now()));
    }

    #[test]
    fn an_earlier_flush_that_completes_later_covers_nothing_more() {
        let generations = Generations::new();
        let mut after = None;
        generations.flush(|| {
            generations.flush(|| ());
            after = Some(generations.now());
        });
        assert!(!generations.covers(after.unwrap()));
    }

    #[test]
    fn a_flush_that_unwinds_covers_nothing_and_delays_nothing() {
        let generations = Generations::new();
        let before = generations.now();
        let unwinds = || std::panic::resume_unwind(std::boxed::Box::new(()));
        let result = std::panic::catch_unwind(|| generations.flush(unwinds));
        assert!(result.is_err() && !generations.covers(before));
        let after = generations.now();
        generations.flush(|| ());
        assert!(generations.covers(before) && generations.covers(after));
    }
}
