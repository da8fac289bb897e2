//! Layouts, those that track gaps and those that do not, so that one program runs on both.

use maple_tree::reclaim::Reclaim;
use maple_tree::shared::WriteGuard;
use maple_tree::{
    AllocMode, AllocateError, Cyclic, Entry, GapRequest, Gaps, IndexRange, Layout, MapleTree, NoGaps,
    NodeAlloc, Placed, SmallGaps, SmallNoGaps,
};

use crate::kind::Lock;

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

    /// What an allocation does; nothing if there is no search.
    fn allocate<T: Entry, A: NodeAlloc>(
        _tree: &mut MapleTree<T, Self, A>,
        _request: &GapRequest,
        _value: T,
        _mode: AllocMode,
    ) -> Option<Result<IndexRange, AllocateError<T>>> {
        None
    }

    /// The same in a shared tree.
    fn allocate_shared<T: Entry, G: Reclaim, A: NodeAlloc>(
        _writer: &mut WriteGuard<'_, T, Lock, G, Self, A>,
        _request: &GapRequest,
        _value: T,
        _mode: AllocMode,
    ) -> Option<Result<IndexRange, AllocateError<T>>> {
        None
    }

    /// What a cyclic allocation does; nothing if there is no search.
    fn allocate_cyclic<T: Entry, A: NodeAlloc>(
        _tree: &mut MapleTree<T, Self, A>,
        _request: &GapRequest,
        _value: T,
        _mode: AllocMode,
        _cyclic: &mut Cyclic,
    ) -> Option<Result<Placed, AllocateError<T>>> {
        None
    }

    /// The same in a shared tree.
    fn allocate_cyclic_shared<T: Entry, G: Reclaim, A: NodeAlloc>(
        _writer: &mut WriteGuard<'_, T, Lock, G, Self, A>,
        _request: &GapRequest,
        _value: T,
        _mode: AllocMode,
        _cyclic: &mut Cyclic,
    ) -> Option<Result<Placed, AllocateError<T>>> {
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

            fn allocate<T: Entry, A: NodeAlloc>(
                tree: &mut MapleTree<T, Self, A>,
                request: &GapRequest,
                value: T,
                mode: AllocMode,
            ) -> Option<Result<IndexRange, AllocateError<T>>> {
                Some(tree.allocate_with(request, value, mode))
            }

            fn allocate_shared<T: Entry, G: Reclaim, A: NodeAlloc>(
                writer: &mut WriteGuard<'_, T, Lock, G, Self, A>,
                request: &GapRequest,
                value: T,
                mode: AllocMode,
            ) -> Option<Result<IndexRange, AllocateError<T>>> {
                Some(writer.allocate_with(request, value, mode))
            }

            fn allocate_cyclic<T: Entry, A: NodeAlloc>(
                tree: &mut MapleTree<T, Self, A>,
                request: &GapRequest,
                value: T,
                mode: AllocMode,
                cyclic: &mut Cyclic,
            ) -> Option<Result<Placed, AllocateError<T>>> {
                Some(tree.allocate_cyclic(request, value, mode, cyclic))
            }

            fn allocate_cyclic_shared<T: Entry, G: Reclaim, A: NodeAlloc>(
                writer: &mut WriteGuard<'_, T, Lock, G, Self, A>,
                request: &GapRequest,
                value: T,
                mode: AllocMode,
                cyclic: &mut Cyclic,
            ) -> Option<Result<Placed, AllocateError<T>>> {
                Some(writer.allocate_cyclic(request, value, mode, cyclic))
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
