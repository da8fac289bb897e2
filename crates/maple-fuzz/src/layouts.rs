//! Layouts, those that track gaps and those that do not, so that one program runs on both.

use maple_tree::{Gaps, Layout, NoGaps, SmallGaps, SmallNoGaps};

use crate::ops::{Done, search};
use crate::shared;
use crate::subject::Subject;

/// A layout whose trees may or may not search for gaps.
pub(crate) trait Tested: Layout {
    /// Searches if trees of this layout can.
    fn search(subject: &mut Subject<'_, Self>, op: search::Op) -> Done;

    /// Likewise, in a shared tree.
    fn search_shared(subject: &mut shared::Subject<'_, Self>, op: shared::Search) -> shared::Done;
}

impl Tested for Gaps {
    fn search(subject: &mut Subject<'_, Self>, op: search::Op) -> Done {
        op.apply(subject)
    }

    fn search_shared(subject: &mut shared::Subject<'_, Self>, op: shared::Search) -> shared::Done {
        op.apply(subject)
    }
}

impl Tested for SmallGaps {
    fn search(subject: &mut Subject<'_, Self>, op: search::Op) -> Done {
        op.apply(subject)
    }

    fn search_shared(subject: &mut shared::Subject<'_, Self>, op: shared::Search) -> shared::Done {
        op.apply(subject)
    }
}

impl Tested for NoGaps {
    fn search(_subject: &mut Subject<'_, Self>, _op: search::Op) -> Done {
        Done::Nothing
    }

    fn search_shared(_subject: &mut shared::Subject<'_, Self>, _op: shared::Search) -> shared::Done {
        shared::Done::WithoutMemory
    }
}

impl Tested for SmallNoGaps {
    fn search(_subject: &mut Subject<'_, Self>, _op: search::Op) -> Done {
        Done::Nothing
    }

    fn search_shared(_subject: &mut shared::Subject<'_, Self>, _op: shared::Search) -> shared::Done {
        shared::Done::WithoutMemory
    }
}
