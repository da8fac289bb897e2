//! A cursor over a tree that is borrowed exclusively: it can write.
//!
//! Its place is an index and no more. So nothing that it writes can invalidate it, and no error can leave it in
//! between.

use core::borrow::Borrow;
use core::fmt;
use core::marker::PhantomData;

use super::Cursor;
use crate::alloc::{Global, NodeAlloc};
use crate::content::Content;
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::Toward;

/// For a marker of a type that must be that very type.
type Invariant<X> = fn(X) -> X;

/// Where the cursor stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the first index of the bounds.
    Before,
    /// On whatever covers an index.
    At(u64),
    /// After the last index of the bounds.
    After,
}

/// A place in a tree, from which to look around and to write; made by [`MapleTree::cursor_at_mut`],
/// [`MapleTree::cursor_front_mut`] and [`MapleTree::cursor_back_mut`].
///
/// `W` is what it writes to: a tree, or the [write guard](crate::shared::WriteGuard) of a shared one.
///
/// It stands and steps like a [`Cursor`]. A write leaves it on what was written; one that fails, where it was.
///
/// Since any write may come in between, it keeps nothing but an index. A look is one walk, and a step of a
/// [`Cursor`] to either side for a gap; a step to a range is a look and such a step, one to an entry is a walk to it,
/// and one more for each reserved range that it passes over. Writes cost what the methods of the tree of the same
/// names cost. That is O(height) node visits for each. To go over many ranges without writes use
/// [`as_cursor`](Self::as_cursor) or an iterator.
///
/// ```
/// use maple_tree::{Content, IndexRange, MapleTree};
///
/// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
/// tree.insert(10..20, Box::new(1))?;
/// tree.insert(30..40, Box::new(2))?;
///
/// let mut cursor = tree.cursor_front_mut();
/// while let Some((range, &value)) = cursor.next_entry() {
///     if value == 1 {
///         cursor.erase();
///         cursor.insert(range.first()..=range.last() + 5, Box::new(3))?;
///     }
/// }
/// assert_eq!((tree.get(24), tree.get(35)), (Some(&3), Some(&2)));
/// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
/// ```
#[must_use = "a cursor does nothing by itself"]
pub struct CursorMut<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global, W = MapleTree<T, L, A>> {
    pub(crate) target: &'a mut W,
    place: Place,
    tree: PhantomData<Invariant<MapleTree<T, L, A>>>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc, W: Borrow<MapleTree<T, L, A>>> CursorMut<'a, T, L, A, W> {
    pub(crate) fn front(target: &'a mut W) -> Self {
        Self { target, place: Place::Before, tree: PhantomData }
    }

    pub(crate) fn back(target: &'a mut W) -> Self {
        Self { target, place: Place::After, tree: PhantomData }
    }

    pub(crate) fn at(target: &'a mut W, index: u64) -> Self {
        let place = place_of((*target).borrow(), index);
        Self { target, place, tree: PhantomData }
    }

    /// A shared cursor at the same place, while this one is borrowed. One walk, and a step to either side for a gap.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let cursor = tree.cursor_at_mut(15);
    /// let mut ahead = cursor.as_cursor();
    /// assert!(ahead.next_entry().is_none());
    /// assert_eq!(cursor.range().map(|range| range.first()), Some(10));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn as_cursor(&self) -> Cursor<'_, T, L, A> {
        shared(self.tree(), self.place)
    }

    /// What the cursor stands on; `None` before the first and after the last index. One walk, and a step to either
    /// side for a gap.
    ///
    /// ```
    /// # use maple_tree::{Content, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// assert_eq!(cursor.current(), None);
    /// cursor.insert(10..20, ())?;
    /// assert_eq!(cursor.current(), IndexRange::new(10, 19).map(|range| (range, Content::Entry(()))));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn current(&self) -> Option<(IndexRange, Content<T::Borrowed<'_>>)> {
        self.as_cursor().current()
    }

    /// The range that the cursor stands on; `None` before the first and after the last index. One walk, and
    /// a step to either side for a gap.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// cursor.erase();
    /// assert_eq!(cursor.range(), Some(IndexRange::FULL));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn range(&self) -> Option<IndexRange> {
        self.as_cursor().range()
    }

    /// The tree, to be read.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// cursor.insert(10..20, ())?;
    /// assert_eq!(cursor.tree().len(), 1);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn tree(&self) -> &MapleTree<T, L, A> {
        (*self.target).borrow()
    }

    /// The tree, for whatever the cursor does not do. The cursor stays at its index, whatever is there then.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// let prepared = cursor.tree_mut().prepare_store(10..16, AllocMode::Normal)?;
    /// prepared.store(Box::new(2));
    /// assert_eq!(cursor.range().map(|range| range.last()), Some(15));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tree_mut(&mut self) -> &mut W {
        self.target
    }

    /// Goes to what covers `index`. Outside of the tree's bounds that is one of the ends.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let mut cursor = tree.cursor_front_mut();
    /// assert!(cursor.seek(15).is_some_and(|(range, _)| range.first() == 10));
    /// assert!(cursor.erase().is_some());
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn seek(&mut self, index: u64) -> Option<(IndexRange, Content<T::Borrowed<'_>>)> {
        self.place = place_of(self.tree(), index);
        self.current()
    }

    /// Goes to the next range, whatever is there (`mas_next_range` of the kernel).
    ///
    /// ```
    /// # use maple_tree::{Content, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.reserve(10..20)?;
    /// tree.reserve(30..40)?;
    /// let mut cursor = tree.cursor_front_mut();
    /// while let Some((_, content)) = cursor.next_range() {
    ///     if content == Content::Reserved {
    ///         cursor.unreserve();
    ///     }
    /// }
    /// assert_eq!(tree.stats().reserved, 0);
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn next_range(&mut self) -> Option<(IndexRange, Content<T::Borrowed<'_>>)> {
        let found = shared((*self.target).borrow(), self.place).next_range();
        self.place = found.as_ref().map_or(Place::After, |(range, _)| Place::At(range.first()));
        found
    }

    /// Goes to the range before, whatever is there (`mas_prev_range` of the kernel).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let mut cursor = tree.cursor_back_mut();
    /// assert!(cursor.prev_range().is_some_and(|(range, content)| range.first() == 20 && content.is_gap()));
    /// assert!(cursor.prev_range().is_some_and(|(range, _)| range.first() == 10));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn prev_range(&mut self) -> Option<(IndexRange, Content<T::Borrowed<'_>>)> {
        let found = shared((*self.target).borrow(), self.place).prev_range();
        self.place = found.as_ref().map_or(Place::Before, |(range, _)| Place::At(range.first()));
        found
    }

    /// Goes to the next entry, past gaps and reserved ranges (`mas_next` of the kernel).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(30..40, Box::new(2))?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// assert_eq!(cursor.next_entry().map(|(_, value)| *value), Some(2));
    /// assert_eq!(cursor.erase().map(|(range, _)| range.first()), Some(30));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn next_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let tree: &MapleTree<T, L, A> = (*self.target).borrow();
        let found = match self.place {
            Place::Before => tree.cursor_front().next_entry(),
            Place::At(index) => tree.entry_beyond(index, Toward::Higher),
            Place::After => None,
        };
        self.place = found.as_ref().map_or(Place::After, |(range, _)| Place::At(range.first()));
        found
    }

    /// Goes to the entry before, past gaps and reserved ranges (`mas_prev` of the kernel).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let mut cursor = tree.cursor_back_mut();
    /// assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some(1));
    /// assert_eq!(cursor.replace(Box::new(2)), Ok(Some(Box::new(1))));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn prev_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let tree: &MapleTree<T, L, A> = (*self.target).borrow();
        let found = match self.place {
            Place::Before => None,
            Place::At(index) => tree.entry_beyond(index, Toward::Lower),
            Place::After => tree.cursor_back().prev_entry(),
        };
        self.place = found.as_ref().map_or(Place::Before, |(range, _)| Place::At(range.first()));
        found
    }

    /// Stands on what covers an index from now on.
    pub(crate) fn stand_at(&mut self, index: u64) {
        self.place = Place::At(index);
    }

    pub(crate) fn index(&self) -> Option<u64> {
        match self.place {
            Place::At(index) => Some(index),
            Place::Before | Place::After => None,
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> CursorMut<'_, T, L, A> {
    /// The value of the entry that the cursor stands on, to be changed; see [`MapleTree::get_mut`].
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// if let Some(value) = cursor.value_mut() {
    ///     *value = 2;
    /// }
    /// assert_eq!(tree.get(10), Some(&2));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn value_mut(&mut self) -> Option<T::BorrowedMut<'_>> {
        self.target.get_mut(self.index()?)
    }
}

/// A shared cursor at a place.
fn shared<T: Entry, L: Layout, A: NodeAlloc>(tree: &MapleTree<T, L, A>, place: Place) -> Cursor<'_, T, L, A> {
    match place {
        Place::Before => tree.cursor_front(),
        Place::At(index) => tree.cursor_at(index),
        Place::After => tree.cursor_back(),
    }
}

/// The place where a search for `index` ends.
fn place_of<T: Entry, L: Layout, A: NodeAlloc>(tree: &MapleTree<T, L, A>, index: u64) -> Place {
    if index < tree.bounds().first() {
        Place::Before
    } else if index > tree.bounds().last() {
        Place::After
    } else {
        Place::At(index)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc, W> fmt::Debug for CursorMut<'_, T, L, A, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CursorMut").field("place", &self.place).finish_non_exhaustive()
    }
}
