//! Making a sparse tree dense.

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::node::Layout;
use crate::raw::Compaction;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Makes the tree dense in place and returns how many nodes that gave back. Values and ranges stay as they are.
    ///
    /// Needs no memory and cannot fail. Entries move to the left within their branch until the nodes there are full, first
    /// in the leaves, then level by level up to the root; and all over again until no node can be given back (32 times at
    /// most, five to eight with 100 000 to a million entries). Each pass visits every node.
    ///
    /// Nothing has to be compacted for the tree to work well: a node that gets sparse is joined with its neighbour when
    /// something is erased beside it. This is for a tree that was large once or was filled at random, and will now be read
    /// more than written: a dense tree has no room, so an insertion into the midst of it takes a new leaf. It is an
    /// alternative to a copy with [`from_sorted`](MapleTree::from_sorted), which is a little denser and takes memory.
    ///
    /// ```
    /// use maple_tree::MapleTree;
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// for i in 0..1000 {
    ///     tree.insert(i * 10..i * 10 + 10, ())?;
    /// }
    /// for i in (0..1000).filter(|i| i % 4 != 0) {
    ///     tree.erase(i * 10);
    /// }
    /// let before = tree.stats();
    /// let released = tree.compact();
    /// let after = tree.stats();
    /// assert_eq!(before.leaves + before.branches, after.leaves + after.branches + released);
    /// // 250 entries with gaps between, in leaves of 8 entries and 8 empty slots.
    /// assert!(after.leaves <= 36);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn compact(&mut self) -> usize {
        self.raw.compact()
    }

    /// Does a part of one pass of [`compact`](Self::compact): tightens `budget` branches, and notes in `state` how far it
    /// came. Whether there is more to do.
    ///
    /// One branch takes O(height) node visits to get there and a fixed number there: the slots of its children
    /// move, 31 times 31 at most, and its summaries and those of its children are computed. So a step with a small budget
    /// is for where nothing may take long. The tree is complete after each step; between two anything may be done with
    /// it. What was written to the left of where `state` stands is not looked at again in this pass.
    ///
    /// After the end of a pass another one, with a new state, may find more: at the first it is the leaves of different
    /// branches that cannot be joined, which then have come under one branch.
    ///
    /// ```
    /// use maple_tree::{Compaction, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// for i in (0..1000).rev() {
    ///     tree.insert(i * 10..i * 10 + 5, ())?;
    /// }
    /// let mut state = Compaction::new();
    /// while tree.compact_step(&mut state, 4) {
    ///     tree.erase(1230);
    /// }
    /// assert!(state.is_done());
    /// println!("{} nodes given back", state.released());
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        self.raw.compact_step(state, budget)
    }
}
