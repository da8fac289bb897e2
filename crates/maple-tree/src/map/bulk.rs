//! Building a tree from entries that are in order.

use super::MapleTree;
use super::words::{keep, take_back};
use crate::alloc::{AllocMode, Global, NodeAlloc};
use crate::entry::Entry;
use crate::error::ExtendError;
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: Entry, L: Layout> MapleTree<T, L> {
    /// A tree of entries that are in order, as dense as can be. O(n), a node visit or two per entry.
    ///
    /// For a tree with bounds, or to choose whether memory may be waited for, make an empty one and use
    /// [`extend_sorted`](Self::extend_sorted).
    ///
    /// # Errors
    ///
    /// The first entry that does not lie after the one before it, or for which there is no node memory. Those
    /// that came before are dropped.
    ///
    /// ```
    /// use maple_tree::{IndexRange, MapleTree};
    ///
    /// let ranges = (0..1600).filter_map(|i| IndexRange::sized(i * 0x1000, 0x1000));
    /// let tree: MapleTree<()> = MapleTree::from_sorted(ranges.map(|range| (range, ())))?;
    /// // 100 leaves of 16 slots.
    /// assert_eq!((tree.len(), tree.stats().leaves), (1600, 100));
    /// # Ok::<(), maple_tree::ExtendError<()>>(())
    /// ```
    pub fn from_sorted(entries: impl IntoIterator<Item = (IndexRange, T)>) -> Result<Self, ExtendError<T>> {
        Self::from_sorted_in(entries, Global)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Like [`from_sorted`](MapleTree::from_sorted), with nodes from `alloc`; memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`from_sorted`](MapleTree::from_sorted).
    ///
    /// ```
    /// use maple_tree::{Global, IndexRange, MapleTree, NoGaps};
    ///
    /// let entries = [(IndexRange::single(3), ()), (IndexRange::single(9), ())];
    /// let tree: MapleTree<(), NoGaps, _> = MapleTree::from_sorted_in(entries, Global)?;
    /// assert_eq!(tree.len(), 2);
    /// # Ok::<(), maple_tree::ExtendError<()>>(())
    /// ```
    pub fn from_sorted_in(
        entries: impl IntoIterator<Item = (IndexRange, T)>,
        alloc: A,
    ) -> Result<Self, ExtendError<T>> {
        let mut tree = Self::new_in(alloc);
        tree.extend_sorted(entries)?;
        Ok(tree)
    }

    /// Appends entries that are in order, behind all that is in the tree; memory may be waited for.
    ///
    /// The new nodes are filled completely, leaves and branches: a leaf of 16 slots holds 16 entries that
    /// adjoin, or 8 with gaps between. That is 17.8 or 35.6 bytes per entry, where inserting them one by one in
    /// the same order leaves 19 or 41.
    ///
    /// O(n): an entry goes straight to the last leaf, and the summaries of a branch are computed once, when it
    /// is full. A test asserts 3 node visits per entry at most. To begin and to end takes O(height). Asks just
    /// for the nodes that the tree then has, each when the first entry comes that needs it.
    ///
    /// This is what the kernel's bulk mode (`mas_expected_entries`) is for, which wants the number of entries
    /// in advance and all of the memory for them.
    ///
    /// A dense tree has no room: an insertion into the midst of it splits a leaf.
    ///
    /// # Errors
    ///
    /// The first entry that does not lie after all that is there before it, or out of bounds, or for which
    /// there is no node memory, with its range. The entries that came before it are in the tree. So one that
    /// lacked memory can be passed again, in front of the rest of the iterator. The same holds if the iterator
    /// panics.
    ///
    /// ```
    /// use maple_tree::{ExtendErrorKind, IndexRange, MapleTree};
    ///
    /// let range = |first, last| IndexRange::new(first, last).ok_or("empty");
    /// let mut tree: MapleTree<Box<char>> = MapleTree::bounded(range(0, 99)?);
    /// tree.insert(0..10, Box::new('a'))?;
    /// tree.extend_sorted([(range(10, 19)?, Box::new('b')), (range(40, 49)?, Box::new('c'))])?;
    /// assert_eq!(tree.iter().map(|(_, value)| value).collect::<String>(), "abc");
    ///
    /// let error = tree.extend_sorted([(range(45, 50)?, Box::new('d'))]).unwrap_err();
    /// assert_eq!(error.kind, ExtendErrorKind::OutOfOrder { after: range(40, 49)? });
    /// assert_eq!(error.value, (range(45, 50)?, Box::new('d')));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn extend_sorted(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, T)>,
    ) -> Result<(), ExtendError<T>> {
        self.extend_sorted_with(entries, AllocMode::Normal)
    }

    /// Like [`extend_sorted`](Self::extend_sorted), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`extend_sorted`](Self::extend_sorted).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.extend_sorted_with([(IndexRange::single(7), ())], AllocMode::Atomic)?;
    /// # Ok::<(), maple_tree::ExtendError<()>>(())
    /// ```
    pub fn extend_sorted_with(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, T)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<T>> {
        let mut build = self.raw.build();
        for (range, value) in entries {
            let word = keep(value);
            let pushed = build.push(range, word, mode);
            pushed.map_err(|kind| ExtendError { value: (range, take_back(word)), kind })?;
        }
        Ok(())
    }
}
