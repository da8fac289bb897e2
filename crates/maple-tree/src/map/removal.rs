//! Taking out many entries: all, those in a window, those that nobody wants.

use core::ops::RangeBounds;

use super::MapleTree;
use super::words::{change, take_back};
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::iter::{Drain, IntoIter};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Toward;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Takes out the entries that overlap `window`, in order, from either end; also those at its edges that
    /// reach beyond it, as a whole. Reserved ranges that overlap the window are freed on the way.
    ///
    /// Each step is an erase, O(height), and one more for each reserved range that it passes over. It never
    /// allocates and cannot fail; what was taken out is free at once. Dropping the iterator takes out the rest.
    /// Forgetting it leaves the rest in the tree.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// tree.insert(30..40, Box::new('b'))?;
    /// tree.insert(50..60, Box::new('c'))?;
    /// let values: String = tree.drain(15..=30).map(|(_, value)| *value).collect();
    /// assert_eq!(values, "ab");
    /// assert_eq!(tree.gaps().next(), IndexRange::new(0, 49));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn drain(&mut self, window: impl RangeBounds<u64>) -> Drain<'_, T, L, A> {
        let window = self.within_bounds(window);
        Drain::new(self, window)
    }

    /// Takes out and drops the entries of which `wanted` says no, in order of their ranges. Their values may be
    /// changed or exchanged. Reserved ranges stay.
    ///
    /// One walk over the tree, reserved ranges included, and one erase, O(height), for each entry that goes.
    /// Never allocates and cannot fail. Should `wanted` panic, what it refused before is gone, and all else is
    /// there.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(20..30, Box::new(2))?;
    /// tree.retain(|range, value| {
    ///     **value += 1;
    ///     range.first() > 10
    /// });
    /// assert_eq!((tree.get(15), tree.get(25)), (None, Some(&3)));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn retain(&mut self, mut wanted: impl FnMut(IndexRange, &mut T) -> bool) {
        self.raw.retain(
            |range, word| change(word, |value| wanted(range, value)),
            |word| drop(take_back::<T>(word)),
        );
    }

    /// Takes out the entry, or frees the reserved range, that covers `index`; what the entry was.
    pub(crate) fn erase_taken(&mut self, index: u64) -> Option<(IndexRange, T)> {
        let found = self.raw.erase_if(index, |_| true)?;
        Some((found.range, take_back(found.word?)))
    }

    /// Takes the value of the first entry that ends at or after `index`, or of the last one that begins at or
    /// before it. Its range is reserved from then on.
    pub(crate) fn vacate(&mut self, index: u64, toward: Toward) -> Option<(IndexRange, T)> {
        if self.is_empty() {
            return None;
        }
        let (range, word) = self.raw.vacate(index, toward)?;
        Some((range, take_back(word)))
    }
}

/// The entries in order, from either end, by value. Reserved ranges are passed over.
///
/// A step is a walk, O(height), plus the reserved ranges that it passes over. It changes nothing but the one
/// slot and allocates nothing. Dropping the iterator drops the rest and gives the nodes back.
///
/// ```
/// # use maple_tree::MapleTree;
/// let mut tree: MapleTree<Box<char>> = MapleTree::new();
/// tree.insert(30..40, Box::new('b'))?;
/// tree.insert(10..20, Box::new('a'))?;
/// let values: String = tree.into_iter().map(|(_, value)| *value).collect();
/// assert_eq!(values, "ab");
/// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
/// ```
impl<T: Entry, L: Layout, A: NodeAlloc> IntoIterator for MapleTree<T, L, A> {
    type Item = (IndexRange, T);
    type IntoIter = IntoIter<T, L, A>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter::new(self)
    }
}
