//! The longest free run in a window, by asking the exact search.

use super::request::{Direction, GapRequest};
use super::search::find;
use crate::node::{Link, TracksGaps};
use crate::range::IndexRange;
use crate::raw::summarize::summary;

/// The longest free run of a tree clipped to `window`, the highest of equals.
///
/// The search says whether there is a run of a given length, so the longest is found by bisection. The root's
/// summary bounds it from above, and is the answer at once if the window does not cut the longest run.
pub(crate) fn longest<L: TracksGaps>(
    root: &Link<L>,
    bounds: IndexRange,
    window: IndexRange,
) -> Option<IndexRange> {
    let run_of = |size: u64| find(root, bounds, &GapRequest::any(window, size, Direction::TopDown));
    let mut too_long = u64::try_from(window.count()).unwrap_or(u64::MAX);
    let most = summary(root, bounds).longest.min(too_long);
    if most == 0 {
        return None;
    }
    let mut best = run_of(most);
    if best.is_some() {
        return best;
    }
    too_long = most;
    let mut fits = 0;
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        match run_of(middle) {
            Some(run) => (fits, best) = (middle, Some(run)),
            None => too_long = middle,
        }
    }
    best
}
