//! The longest free run in a window, by asking the exact search.

use super::RawTree;
use super::summarize::summary;
use crate::gap::{Direction, GapRequest};
use crate::node::TracksGaps;
use crate::range::IndexRange;

impl<L: TracksGaps, A> RawTree<L, A> {
    /// The longest free run clipped to `window`, the highest of equals.
    ///
    /// The search says whether there is a run of a given length, so the longest is found by bisection. The root's
    /// summary bounds it from above, and is the answer at once if the window does not cut the longest run.
    pub(crate) fn longest_gap(&self, window: IndexRange) -> Option<IndexRange> {
        let Some(root) = self.root() else { return self.bounds().intersection(window) };
        let run_of = |size: u64| self.find_gap(&GapRequest::any(window, size, Direction::TopDown));
        let window = self.bounds().intersection(window)?;
        let whole_window = u64::try_from(window.count()).unwrap_or(u64::MAX);
        let most = summary(root, self.bounds()).longest.min(whole_window);
        if most == 0 {
            return None;
        }
        let mut best = run_of(most);
        if best.is_some() {
            return best;
        }
        let (mut fits, mut too_long) = (0, most);
        while too_long - fits > 1 {
            let middle = fits + (too_long - fits) / 2;
            match run_of(middle) {
                Some(run) => (fits, best) = (middle, Some(run)),
                None => too_long = middle,
            }
        }
        best
    }
}
