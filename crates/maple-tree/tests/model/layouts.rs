//! Layouts, those that track gaps and those that do not, so that one program runs on both.

use maple_tree::{
    Entry, GapRequest, Gaps, IndexRange, Layout, MapleTree, NoGaps, NodeAlloc, SmallGaps, SmallNoGaps,
};

/// A layout whose trees may or may not search for gaps.
pub(crate) trait Tested: Layout {
    /// Whether its trees can.
    const SEARCHES: bool;

    /// What the search finds; nothing if there is no search.
    fn find_gap<T: Entry, A: NodeAlloc>(
        _tree: &MapleTree<T, Self, A>,
        _request: &GapRequest,
    ) -> Option<IndexRange> {
        None
    }

    /// The longest free run in a window; nothing if there is no search.
    fn longest_gap<T: Entry, A: NodeAlloc>(
        _tree: &MapleTree<T, Self, A>,
        _window: IndexRange,
    ) -> Option<IndexRange> {
        None
    }
}

macro_rules! searches {
    ($($layout:ty),+) => {$(
        impl Tested for $layout {
            const SEARCHES: bool = true;

            fn find_gap<T: Entry, A: NodeAlloc>(
                tree: &MapleTree<T, Self, A>,
                request: &GapRequest,
            ) -> Option<IndexRange> {
                tree.find_gap(request)
            }

            fn longest_gap<T: Entry, A: NodeAlloc>(
                tree: &MapleTree<T, Self, A>,
                window: IndexRange,
            ) -> Option<IndexRange> {
                tree.longest_gap(window)
            }
        }
    )+};
}

searches!(SmallGaps, Gaps);

impl Tested for SmallNoGaps {
    const SEARCHES: bool = false;
}

impl Tested for NoGaps {
    const SEARCHES: bool = false;
}
