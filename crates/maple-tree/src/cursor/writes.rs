//! What an exclusive cursor writes. It stands on that afterwards, or where it was if it failed.

use core::ops::RangeBounds;

use super::CursorMut;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{InsertError, InsertErrorKind};
#[cfg(doc)]
use crate::map::MapleTree;
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: Entry, L: Layout, A: NodeAlloc> CursorMut<'_, T, L, A> {
    /// Stores `value` over `range` and goes there; see [`MapleTree::insert`].
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::insert`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// cursor.insert(10..20, Box::new(1))?;
    /// assert!(cursor.insert(15..30, Box::new(2)).is_err());
    /// assert_eq!(cursor.range().map(|range| range.first()), Some(10));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn insert(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.insert_with(range, value, AllocMode::Normal)
    }

    /// Like [`insert`](Self::insert), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::insert`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// cursor.insert_with(10..20, (), AllocMode::Atomic)?;
    /// assert_eq!(cursor.range().map(|range| range.first()), Some(10));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn insert_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
    ) -> Result<(), InsertError<T>> {
        let Some(range) = IndexRange::from_bounds(range) else {
            return Err(InsertError { value, kind: InsertErrorKind::EmptyRange });
        };
        self.target.insert_with(range, value, mode)?;
        self.stand_at(range.first());
        Ok(())
    }

    /// Stores `value` over `range`, whatever is there, and goes there; see [`MapleTree::store`].
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::store`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..100, Box::new('a'))?;
    /// let mut cursor = tree.cursor_at_mut(50);
    /// cursor.store(40..60, Box::new('b'))?;
    /// assert_eq!(cursor.range().map(|range| (range.first(), range.last())), Some((40, 59)));
    /// assert_eq!(cursor.prev_entry().map(|(range, _)| range.last()), Some(39));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn store(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>>
    where
        T: Clone,
    {
        self.store_with(range, value, AllocMode::Normal, |_, _| ())
    }

    /// Like [`store`](Self::store), with the choice whether node memory may be waited for, and with what becomes of the
    /// entries that lay wholly in the range; see [`MapleTree::store_with`].
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::store`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// let (mut cursor, mut displaced) = (tree.cursor_front_mut(), String::new());
    /// cursor.store_with(0..30, Box::new('b'), AllocMode::Atomic, |_, value| displaced.push(*value))?;
    /// assert_eq!((displaced.as_str(), cursor.range().map(|range| range.last())), ("a", Some(29)));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn store_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
        displaced: impl FnMut(IndexRange, T),
    ) -> Result<(), InsertError<T>>
    where
        T: Clone,
    {
        let Some(range) = IndexRange::from_bounds(range) else {
            return Err(InsertError { value, kind: InsertErrorKind::EmptyRange });
        };
        self.target.store_with(range, value, mode, displaced)?;
        self.stand_at(range.first());
        Ok(())
    }

    /// Frees all of `range`, whatever is there, and goes to the gap that results, all of it; see
    /// [`MapleTree::clear_range`].
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::clear_range`]. The cursor stays where it is; so it does if the range is empty.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..100, Box::new('a'))?;
    /// let mut cursor = tree.cursor_at_mut(50);
    /// cursor.clear_range(40..60)?;
    /// assert_eq!(cursor.range().map(|range| (range.first(), range.last())), Some((40, 59)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_range(&mut self, range: impl RangeBounds<u64>) -> Result<(), AllocError>
    where
        T: Clone,
    {
        let within =
            IndexRange::from_bounds(range).and_then(|range| range.intersection(self.tree().bounds()));
        if let Some(range) = within {
            self.target.clear_range(range)?;
            self.stand_at(range.first());
        }
        Ok(())
    }

    /// Reserves `range` and goes there; see [`MapleTree::reserve`].
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::reserve`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// cursor.reserve(10..20)?;
    /// assert_eq!(cursor.range().map(|range| range.first()), Some(10));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn reserve(&mut self, range: impl RangeBounds<u64>) -> Result<(), InsertErrorKind> {
        self.reserve_with(range, AllocMode::Normal)
    }

    /// Like [`reserve`](Self::reserve), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`MapleTree::reserve`]. The cursor stays where it is.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, Content, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let mut cursor = tree.cursor_front_mut();
    /// cursor.reserve_with(10..20, AllocMode::Atomic)?;
    /// assert_eq!(cursor.current().map(|(_, content)| content), Some(Content::Reserved));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn reserve_with(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<(), InsertErrorKind> {
        let range = IndexRange::from_bounds(range).ok_or(InsertErrorKind::EmptyRange)?;
        self.target.reserve_with(range, mode)?;
        self.stand_at(range.first());
        Ok(())
    }

    /// Replaces the value of the entry that the cursor stands on, or gives the reserved range there a value.
    /// Returns the old value, if there was one. Never allocates; see [`MapleTree::replace`].
    ///
    /// # Errors
    ///
    /// `value`, if the cursor stands on a gap or on nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.reserve(10..20)?;
    /// let mut cursor = tree.cursor_at_mut(10);
    /// assert_eq!(cursor.replace(Box::new(1)), Ok(None));
    /// assert_eq!(cursor.replace(Box::new(2)), Ok(Some(Box::new(1))));
    /// cursor.next_range();
    /// assert_eq!(cursor.replace(Box::new(3)), Err(Box::new(3)));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn replace(&mut self, value: T) -> Result<Option<T>, T> {
        match self.index() {
            Some(index) => self.target.replace(index, value),
            None => Err(value),
        }
    }

    /// Takes out the entry that the cursor stands on: its range and its value, or `None` if there is no entry.
    /// The cursor stands on the gap that results then, all of it. Never allocates and cannot fail; see
    /// [`MapleTree::erase`].
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.insert(20..30, Box::new(2))?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// assert_eq!(cursor.erase().map(|(_, value)| *value), Some(1));
    /// assert_eq!(cursor.range().map(|range| (range.first(), range.last())), Some((0, 19)));
    /// assert_eq!(cursor.erase(), None);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase(&mut self) -> Option<(IndexRange, T)> {
        self.target.erase(self.index()?)
    }

    /// Frees the reserved range that the cursor stands on, and returns it; `None` if there is none. The cursor
    /// stands on the gap that results then, all of it. Never allocates and cannot fail; see
    /// [`MapleTree::unreserve`].
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.reserve(10..20)?;
    /// let mut cursor = tree.cursor_at_mut(15);
    /// assert_eq!(cursor.unreserve().map(|range| range.last()), Some(19));
    /// assert_eq!(cursor.unreserve(), None);
    /// assert_eq!(cursor.range().map(|range| range.first()), Some(0));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn unreserve(&mut self) -> Option<IndexRange> {
        self.target.unreserve(self.index()?)
    }
}
