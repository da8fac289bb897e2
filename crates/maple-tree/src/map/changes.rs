//! Changing values in place.

use core::ops::RangeBounds;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::iter::{IterMut, RangeMut};
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// The value at `index`, to be changed. One walk, allocates nothing.
    ///
    /// What a [`Box`](std_alloc::boxed::Box) holds can be changed. Shared values and those that are a word
    /// themselves are lent as by [`get`](Self::get); [`replace`](Self::replace) puts another one in their
    /// place.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// if let Some(value) = tree.get_mut(15) {
    ///     *value += 1;
    /// }
    /// assert_eq!(tree.get(10), Some(&8));
    /// assert_eq!(tree.get_mut(20), None);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn get_mut(&mut self, index: u64) -> Option<T::BorrowedMut<'_>> {
        self.raw.get(index).map(|word| self.lend_mut(word))
    }

    /// The range and the value of the entry at `index`, the value to be changed. One walk, allocates nothing; see
    /// [`get_mut`](Self::get_mut).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(0))?;
    /// if let Some((range, offset)) = tree.get_entry_mut(15) {
    ///     *offset = 15 - range.first();
    /// }
    /// assert_eq!(tree.get(10), Some(&5));
    /// # Ok::<(), maple_tree::InsertError<Box<u64>>>(())
    /// ```
    pub fn get_entry_mut(&mut self, index: u64) -> Option<(IndexRange, T::BorrowedMut<'_>)> {
        let found = self.raw.find(index)?;
        Some((found.range, self.lend_mut(found.word?)))
    }

    /// The entries in order of their ranges, from either end, their values to be changed.
    ///
    /// A step is O(1), once per leaf O(height), for each reserved range that it passes over as well. Allocates
    /// nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(30..40, Box::new(2))?;
    /// for (range, value) in tree.iter_mut() {
    ///     *value += range.first();
    /// }
    /// let values: Vec<u64> = tree.iter().map(|(_, value)| *value).collect();
    /// assert_eq!(values, [11, 32]);
    /// # Ok::<(), maple_tree::InsertError<Box<u64>>>(())
    /// ```
    pub fn iter_mut(&mut self) -> IterMut<'_, T, L, A> {
        IterMut::new(self)
    }

    /// The entries that overlap `window`, in order, from either end, their values to be changed. Those at its
    /// edges may reach beyond it.
    ///
    /// O(height) node visits to begin at either end, then as for [`iter_mut`](Self::iter_mut); an empty window
    /// has no entries. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(30..40, Box::new(2))?;
    /// for (_, value) in tree.range_mut(..=10) {
    ///     *value = 0;
    /// }
    /// assert_eq!((tree.get(15), tree.get(35)), (Some(&0), Some(&2)));
    /// # Ok::<(), maple_tree::InsertError<Box<u64>>>(())
    /// ```
    pub fn range_mut(&mut self, window: impl RangeBounds<u64>) -> RangeMut<'_, T, L, A> {
        let window = self.within_bounds(window);
        RangeMut::new(self, window)
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> IntoIterator for &'a mut MapleTree<T, L, A> {
    type Item = (IndexRange, T::BorrowedMut<'a>);
    type IntoIter = IterMut<'a, T, L, A>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
