//! A cursor over a tree that is shared.

use core::fmt;

use super::place::{Place, Spot};
use crate::alloc::{Global, NodeAlloc};
use crate::content::Content;
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::Toward;

/// A place in a tree, from which to look around; made by [`MapleTree::cursor_at`], [`MapleTree::cursor_front`]
/// and [`MapleTree::cursor_back`].
///
/// It stands on an entry, on a reserved range or on a gap, all of it; or before the first index of the tree's
/// bounds, or after the last one. A step off an end leaves it there, and a step back leads in again. Steps
/// return what the cursor stands on afterwards, `None` at the ends.
///
/// A step is O(1), and O(height) node visits where it leaves the leaves below a branch. A step to an entry is that
/// for each reserved range, too, that it passes over. [`seek`](Self::seek) is one walk, and a step to either side
/// if it comes to a gap. Nothing allocates. A copy of a cursor goes its own ways.
///
/// ```
/// use maple_tree::{Content, IndexRange, MapleTree};
///
/// let mut tree: MapleTree<Box<char>> = MapleTree::new();
/// tree.insert(10..20, Box::new('a'))?;
/// tree.reserve(20..30)?;
///
/// let mut cursor = tree.cursor_at(15);
/// assert_eq!(cursor.current(), IndexRange::new(10, 19).map(|range| (range, Content::Entry(&'a'))));
/// assert_eq!(cursor.next_range(), IndexRange::new(20, 29).map(|range| (range, Content::Reserved)));
/// assert_eq!(cursor.next_range(), IndexRange::new(30, u64::MAX).map(|range| (range, Content::Gap)));
/// assert_eq!(cursor.next_range(), None);
/// assert_eq!(cursor.prev_entry(), IndexRange::new(10, 19).map(|range| (range, &'a')));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a cursor does nothing by itself"]
pub struct Cursor<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    tree: &'a MapleTree<T, L, A>,
    place: Place<'a, L>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Cursor<'a, T, L, A> {
    pub(crate) fn front(tree: &'a MapleTree<T, L, A>) -> Self {
        Self { tree, place: Place::Beyond(Toward::Lower) }
    }

    pub(crate) fn back(tree: &'a MapleTree<T, L, A>) -> Self {
        Self { tree, place: Place::Beyond(Toward::Higher) }
    }

    /// On what covers `index`. One walk, and for a gap a step to either side.
    ///
    /// Whichever way it is made, it is made where it is returned to. What was written in parts and then copied as a whole
    /// could not be forwarded from one to the other.
    #[inline]
    pub(crate) fn at(tree: &'a MapleTree<T, L, A>, index: u64) -> Self {
        match Spot::at(tree.raw(), index) {
            Some(spot) if spot.is_empty() => Self::around(tree, index, spot),
            Some(spot) => Self { tree, place: Place::Taken(spot) },
            None => Self::outside_of_leaves(tree, index),
        }
    }

    #[inline(never)]
    fn around(tree: &'a MapleTree<T, L, A>, index: u64, empty: Spot<'a, L>) -> Self {
        Self { tree, place: Place::around(tree.raw(), index, empty) }
    }

    #[inline(never)]
    fn outside_of_leaves(tree: &'a MapleTree<T, L, A>, index: u64) -> Self {
        Self { tree, place: Place::outside_of_leaves(tree.raw(), index) }
    }

    /// What the cursor stands on; `None` before the first and after the last index. O(1).
    ///
    /// ```
    /// # use maple_tree::{Content, IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let cursor = tree.cursor_at(15);
    /// assert_eq!(cursor.current(), IndexRange::new(10, 19).map(|range| (range, Content::Entry(&1))));
    /// assert_eq!(tree.cursor_front().current(), None);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn current(&self) -> Option<(IndexRange, Content<T::Borrowed<'a>>)> {
        let Some(found) = self.place.spot().map(|spot| spot.found()) else {
            return Some((self.range()?, Content::Gap));
        };
        let content = found.word.map_or(Content::Reserved, |word| Content::Entry(self.tree.lend(word)));
        Some((found.range, content))
    }

    /// The range that the cursor stands on; `None` before the first and after the last index. O(1).
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.cursor_at(15).range(), IndexRange::new(10, 19));
    /// assert_eq!(tree.cursor_at(20).range(), IndexRange::new(20, u64::MAX));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn range(&self) -> Option<IndexRange> {
        self.place.range()
    }

    /// Goes to what covers `index`. Outside of the tree's bounds that is one of the ends. One walk, and a
    /// step to either side for a gap.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let mut cursor = tree.cursor_front();
    /// assert_eq!(cursor.seek(15).and_then(|(_, content)| content.value()), Some(&1));
    /// assert!(cursor.seek(20).is_some_and(|(range, content)| range.first() == 20 && content.is_gap()));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn seek(&mut self, index: u64) -> Option<(IndexRange, Content<T::Borrowed<'a>>)> {
        *self = Self::at(self.tree, index);
        self.current()
    }

    /// Goes to the next range, whatever is there (`mas_next_range` of the kernel).
    ///
    /// ```
    /// # use maple_tree::{Content, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let mut cursor = tree.cursor_front();
    /// assert_eq!(cursor.next_range(), IndexRange::new(0, 9).map(|range| (range, Content::Gap)));
    /// assert_eq!(cursor.next_range(), IndexRange::new(10, 19).map(|range| (range, Content::Entry(()))));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn next_range(&mut self) -> Option<(IndexRange, Content<T::Borrowed<'a>>)> {
        self.place = self.place.next(self.tree.raw(), Toward::Higher);
        self.current()
    }

    /// Goes to the range before, whatever is there (`mas_prev_range` of the kernel).
    ///
    /// ```
    /// # use maple_tree::{Content, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10.., ())?;
    /// let mut cursor = tree.cursor_back();
    /// assert_eq!(cursor.prev_range().map(|(_, content)| content), Some(Content::Entry(())));
    /// assert_eq!(cursor.prev_range(), IndexRange::new(0, 9).map(|range| (range, Content::Gap)));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn prev_range(&mut self) -> Option<(IndexRange, Content<T::Borrowed<'a>>)> {
        self.place = self.place.next(self.tree.raw(), Toward::Lower);
        self.current()
    }

    /// Goes to the next entry, past gaps and reserved ranges (`mas_next` of the kernel).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(30..40, Box::new(2))?;
    /// let mut cursor = tree.cursor_at(25);
    /// assert_eq!(cursor.next_entry().map(|(_, value)| *value), Some(2));
    /// assert_eq!(cursor.next_entry(), None);
    /// assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some(2));
    /// assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some(1));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    #[inline]
    pub fn next_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'a>)> {
        loop {
            let found = self.place.go(self.tree.raw(), Toward::Higher)?;
            if let Some(word) = found.word {
                return Some((found.range, self.tree.lend(word)));
            }
        }
    }

    /// Goes to the entry before, past gaps and reserved ranges (`mas_prev` of the kernel).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.reserve(20..30)?;
    /// let mut cursor = tree.cursor_back();
    /// assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some(1));
    /// assert_eq!(cursor.prev_entry(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn prev_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'a>)> {
        loop {
            let found = self.place.go(self.tree.raw(), Toward::Lower)?;
            if let Some(word) = found.word {
                return Some((found.range, self.tree.lend(word)));
            }
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> Clone for Cursor<'_, T, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, place: self.place }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Cursor<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("range", &self.range()).finish_non_exhaustive()
    }
}
