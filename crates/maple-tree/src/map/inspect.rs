//! Looking at a tree from outside: sizes, invariants, text.

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::dump::Dump;
use crate::entry::Entry;
use crate::node::Layout;
use crate::stats::{SlotStats, Stats};
use crate::validate::{Violation, validate};

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// How high the tree is and what its nodes take. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!((tree.stats().height, tree.stats().node_bytes), (1, 256));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::of(&self.raw)
    }

    /// What the slots of the nodes are used for. Visits all nodes, allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let leaves = tree.slots().leaves;
    /// assert_eq!((leaves.live, leaves.empty, leaves.unused), (1, 2, 13));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use]
    pub fn slots(&self) -> SlotStats {
        SlotStats::of(&self.raw)
    }

    /// Recomputes the invariants of the tree from scratch: for tests and debugging. O(n log n) time; needs scratch
    /// memory from the global allocator, and unlike the rest of this crate aborts if there is none.
    ///
    /// # Errors
    ///
    /// The first violation that it meets. There is none unless this crate has a bug.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.validate(), Ok(()));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn validate(&self) -> Result<(), Violation> {
        validate(&self.raw)
    }

    /// The tree as text, node by node, to be printed with `{}`.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(0x10..0x20, ())?;
    /// assert_eq!(
    ///     tree.dump().to_string(),
    ///     "leaf 0x0..=0xffffffffffffffff: 3 slots, 1 live\n\
    ///      \x20 0x0..=0xf: empty\n\
    ///      \x20 0x10..=0x1f: entry\n\
    ///      \x20 0x20..=0xffffffffffffffff: empty\n"
    /// );
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use = "a dump does nothing until it is printed"]
    pub fn dump(&self) -> Dump<'_, L, A> {
        Dump::new(&self.raw)
    }
}
