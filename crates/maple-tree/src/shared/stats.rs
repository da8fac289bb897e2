//! What a shared tree has beside its linked nodes.

use crate::node::Layout;
use crate::raw::shared::RetireStats;

/// What waits for readers, and what is kept for writes to come; made by
/// [`WriteGuard::shared_stats`](super::WriteGuard::shared_stats).
///
/// A number that grows is a reader that stays. There may be as many retired nodes as the tree has nodes (or 4096, if that
/// is more); then writes that would copy nodes are refused, as if there were no memory. The same holds for values (4096).
/// What an erase retires comes on top, and is bounded by what was in the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedStats {
    /// Leaves that are not in the tree any more, but may be looked at.
    pub retired_leaves: usize,
    /// Likewise branches.
    pub retired_branches: usize,
    /// Values that are not in the tree any more, but not dropped yet.
    pub retired_values: usize,
    /// Nodes that readers have left, kept for the next writes.
    pub kept_nodes: usize,
    /// What all this takes, in bytes, with the room for values that will be retired.
    pub bytes: usize,
}

impl SharedStats {
    pub(super) fn of<L: Layout>(retired: RetireStats, kept: (usize, usize)) -> Self {
        let (leaves, branches) = (retired.leaves + kept.0, retired.branches + kept.1);
        Self {
            retired_leaves: retired.leaves,
            retired_branches: retired.branches,
            retired_values: retired.values,
            kept_nodes: kept.0 + kept.1,
            bytes: leaves * size_of::<L::Leaf>()
                + branches * size_of::<L::Branch>()
                + retired.bags * crate::node::BAG_BYTES,
        }
    }
}
