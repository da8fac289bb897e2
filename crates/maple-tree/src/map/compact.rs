//! Making a sparse tree dense.

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::node::Layout;
use crate::raw::Compaction;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Makes the tree dense in place and returns how many nodes that gave back. Values and ranges stay as they
    /// are.
    ///
    /// Needs no memory and cannot fail. Entries move to the left within their branch until the nodes there are
    /// full, first in the leaves, then level by level up to the root; and all over again until no node can be
    /// given back (32 times at most, five to eight with 100 000 to a million entries). Each pass visits every
    /// node.
    ///
    /// Of 100 000 entries inserted at random, adjacent or with gaps between, and three in four of them erased,
    /// those that are left take 69 to 70 bytes each; after one pass it is 39, in the end 36.5. 35.6 is the
    /// least, when all of them have gaps between. Without any erased, adjacent ones go from 23.7 to 18.3; the
    /// least is 17.8.
    ///
    /// A tree does not have to be compacted to work well: a node that gets sparse is joined with its neighbour
    /// when something is erased in it. This is for a tree that was large once or was filled at random, and will
    /// now be read more than written: a dense tree has no room, so an insertion into the midst of it takes a
    /// new leaf. To build a new tree with [`from_sorted`](MapleTree::from_sorted) makes it denser still, and
    /// takes memory for both.
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

    /// Does a part of one pass of [`compact`](Self::compact): tightens `budget` branches, and notes in `state`
    /// how far it came. Whether there is more to do.
    ///
    /// To tighten a branch takes O(height) node visits to get there and a bounded number of them there: the
    /// slots of its children move, 31 times 31 at most, and its summaries and those of its children are
    /// computed. A test asserts 2000 visits at most; with 100 000 entries it is 360 at most and 75 on average.
    /// So steps with a small budget are for where nothing may take long.
    ///
    /// The tree is complete after each step, and between two anything may be done with it. What was written
    /// behind the place where `state` stands is not looked at again in this pass.
    ///
    /// A budget of 0 does nothing.
    ///
    /// Another pass, with a new state, may find more to do: leaves of different branches are not joined, but
    /// the branches are, at the end of the first pass.
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
