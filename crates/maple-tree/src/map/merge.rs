//! Joining neighbours that have equal values.

use core::ops::RangeBounds;

use super::MapleTree;
use super::words::{look_at, take_back};
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::node::Layout;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Joins entries that adjoin and have equal values, among those that overlap `window`: of two the left one gets
    /// both ranges, the value of the right one is dropped. Reserved ranges that adjoin are joined, too. Returns how many
    /// ranges are gone.
    ///
    /// The tree never does this by itself. O(k height) node visits for k entries and reserved ranges in the
    /// window. Never allocates and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// for (first, value) in [(0, 'a'), (10, 'a'), (20, 'b'), (40, 'b')] {
    ///     tree.insert(first..first + 10, Box::new(value))?;
    /// }
    /// assert_eq!(tree.merge(..), 1);
    /// assert_eq!(tree.get_entry(15).map(|(range, _)| range), IndexRange::new(0, 19));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn merge(&mut self, window: impl RangeBounds<u64>) -> usize
    where
        T: PartialEq,
    {
        self.merge_by(window, T::eq)
    }

    /// Like [`merge`](Self::merge), where `same` says of two neighbours whether they are to be joined.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<(char, u8)>> = MapleTree::new();
    /// tree.insert(0..10, Box::new(('a', 1)))?;
    /// tree.insert(10..20, Box::new(('a', 2)))?;
    /// assert_eq!(tree.merge_by(.., |left, right| left.0 == right.0), 1);
    /// assert_eq!(tree.get(15), Some(&('a', 1)));
    /// # Ok::<(), maple_tree::InsertError<Box<(char, u8)>>>(())
    /// ```
    pub fn merge_by(&mut self, window: impl RangeBounds<u64>, mut same: impl FnMut(&T, &T) -> bool) -> usize {
        let mut merged = 0;
        let Some(window) = self.within_bounds(window) else { return merged };
        let Some(mut left) = self.raw.first_in(window) else { return merged };
        while let Some(right) =
            left.range.after().and_then(|rest| self.raw.first_in(rest.intersection(window)?))
        {
            let joins = left.range.last().checked_add(1) == Some(right.range.first())
                && match (left.word, right.word) {
                    (Some(left), Some(right)) => {
                        look_at(left, |left| look_at(right, |right| same(left, right)))
                    }
                    (None, None) => true,
                    _ => false,
                };
            if !joins {
                left = right;
                continue;
            }
            self.raw.erase_if(right.range.first(), |_| true);
            left.range = left.range.ending_at(right.range.last());
            self.raw.widen(left.range.first(), left.range);
            merged += 1;
            drop(right.word.map(take_back::<T>));
        }
        merged
    }
}
