//! Which flushes cover which ranges.

use crate::sync::{AtomicU64, Ordering, fence};

/// Two counters: of flushes that were started, and of flushes that have finished.
///
/// A range that is queued notes how many flushes were *started*: those may have passed it by. When more than
/// that have *finished*, then one of them at least was started later, and covers the range. That holds also if
/// flushes overlap and finish in any order: it is a matter of counting, not of which flush it was.
pub(super) struct Generations {
    started: AtomicU64,
    finished: AtomicU64,
}

/// A range's place among the flushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

impl Generations {
    pub(super) fn new() -> Self {
        Self { started: AtomicU64::new(0), finished: AtomicU64::new(0) }
    }

    /// For a range that is queued now.
    ///
    /// The fence pairs with the one in [`flush`](Self::flush): either that flush is counted here, or it sees
    /// that the range was unmapped.
    pub(super) fn now(&self) -> Generation {
        fence(Ordering::SeqCst);
        Generation(self.started.load(Ordering::SeqCst))
    }

    /// Runs a flush. If it unwinds, it has not finished, and nothing is taken to be covered by it.
    pub(super) fn flush(&self, flush: impl FnOnce()) {
        self.started.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        flush();
        self.finished.fetch_add(1, Ordering::Release);
    }

    /// Whether a flush that covers this generation has finished.
    pub(super) fn covers(&self, generation: Generation) -> bool {
        generation.0 < self.finished.load(Ordering::Acquire)
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
    fn a_flush_in_progress_does_not_cover_what_is_queued_meanwhile() {
        let generations = Generations::new();
        let mut during = None;
        generations.flush(|| {
            during = Some(generations.now());
            // Another one starts later and finishes earlier. It covers the range, but only one flush has
            // finished, and that might have been the other one: to be sure takes two.
            generations.flush(|| ());
            assert!(!generations.covers(during.unwrap()));
        });
        assert!(generations.covers(during.unwrap()));
    }

    #[test]
    fn a_flush_that_unwinds_covers_nothing() {
        let generations = Generations::new();
        let before = generations.now();
        let unwinds = || std::panic::resume_unwind(std::boxed::Box::new(()));
        let result = std::panic::catch_unwind(|| generations.flush(unwinds));
        assert!(result.is_err() && !generations.covers(before));
        generations.flush(|| ());
        assert!(generations.covers(before));
    }
}
