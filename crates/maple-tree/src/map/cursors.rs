//! Cursors: places in a tree.

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::cursor::{Cursor, CursorMut};
use crate::entry::Entry;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Toward;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// A cursor on what covers `index`: an entry, a reserved range, or a whole gap. Outside of the tree's
    /// bounds it stands before them or after them. One walk, and a step to either side for a gap.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.cursor_at(5).range(), IndexRange::new(0, 9));
    /// assert_eq!(tree.cursor_at(5).next_entry().map(|(range, ())| range), IndexRange::new(10, 19));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[inline]
    pub fn cursor_at(&self, index: u64) -> Cursor<'_, T, L, A> {
        Cursor::at(self, index)
    }

    /// A cursor before the first index: its first step forward leads to the first range. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let mut cursor = tree.cursor_front();
    /// let mut ranges = Vec::new();
    /// while let Some((range, content)) = cursor.next_range() {
    ///     ranges.push((range.first(), content.is_gap()));
    /// }
    /// assert_eq!(ranges, [(0, true), (10, false), (20, true)]);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn cursor_front(&self) -> Cursor<'_, T, L, A> {
        Cursor::front(self)
    }

    /// A cursor after the last index: its first step back leads to the last range. O(1).
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.cursor_back().prev_entry().map(|(range, ())| range), IndexRange::new(10, 19));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn cursor_back(&self) -> Cursor<'_, T, L, A> {
        Cursor::back(self)
    }

    /// Like [`cursor_at`](Self::cursor_at), a cursor that can write. O(1).
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// assert_eq!(cursor.erase().map(|(range, value)| (range.last(), *value)), Some((19, 1)));
    /// assert_eq!(cursor.range(), Some(IndexRange::FULL));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn cursor_at_mut(&mut self, index: u64) -> CursorMut<'_, T, L, A> {
        CursorMut::at(self, index)
    }

    /// Like [`cursor_front`](Self::cursor_front), a cursor that can write. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// tree.insert(20..30, ())?;
    /// let mut cursor = tree.cursor_front_mut();
    /// while cursor.next_entry().is_some() {
    ///     cursor.erase();
    /// }
    /// assert!(tree.is_empty());
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn cursor_front_mut(&mut self) -> CursorMut<'_, T, L, A> {
        CursorMut::front(self)
    }

    /// Like [`cursor_back`](Self::cursor_back), a cursor that can write. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let mut cursor = tree.cursor_back_mut();
    /// cursor.insert(10..20, ())?;
    /// cursor.insert(20..30, ())?;
    /// assert_eq!(cursor.prev_range().map(|(range, _)| range.first()), Some(10));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn cursor_back_mut(&mut self) -> CursorMut<'_, T, L, A> {
        CursorMut::back(self)
    }

    /// The entry next to what covers `index`. One walk, two at the end of a branch, and as much again for each reserved
    /// range in between.
    pub(crate) fn entry_beyond(&self, index: u64, toward: Toward) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let mut index = index;
        loop {
            let found = self.raw().next_to(index, toward)?;
            match found.word {
                Some(word) => return Some((found.range, self.lend(word))),
                None => index = found.range.first(),
            }
        }
    }
}
