//! Writes to one place: inserting, reserving, replacing, erasing.

use core::ops::RangeBounds;

use super::MapleTree;
use super::words::{keep, look_at, take_back};
use crate::alloc::{AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{InsertError, InsertErrorKind};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::InsertFailure;

impl From<InsertFailure> for InsertErrorKind {
    fn from(failure: InsertFailure) -> Self {
        match failure {
            InsertFailure::Occupied(by) => Self::Occupied { by },
            InsertFailure::NoMemory(error) => Self::NodeMemory(error),
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Stores `value` over `range`, all of which must be free; memory may be waited for.
    ///
    /// O(height) node visits. Allocates only if the tree is empty or the leaf that takes the entry is full (an
    /// entry takes up to three slots of the gap that it divides) and no leaf beside it under the same branch
    /// has four slots left.
    ///
    /// # Errors
    ///
    /// An entry or a reserved range is in the way, there is no node memory, or the range is empty or out of bounds. The tree
    /// is as it was, to the last slot, and the error has the value.
    ///
    /// ```
    /// use maple_tree::{IndexRange, InsertErrorKind, MapleTree};
    ///
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let error = tree.insert(15.., Box::new(2)).unwrap_err();
    /// assert_eq!(*error.value, 2);
    /// assert_eq!(Some(error.kind), IndexRange::new(10, 19).map(|by| InsertErrorKind::Occupied { by }));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn insert(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.insert_with(range, value, AllocMode::Normal)
    }

    /// Like [`insert`](Self::insert), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert_with(10..20, (), AllocMode::Atomic)?;
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn insert_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
    ) -> Result<(), InsertError<T>> {
        let range = match self.checked(range) {
            Ok(range) => range,
            Err(kind) => return Err(InsertError { value, kind }),
        };
        let word = keep(value);
        let inserted = self.raw.insert(range, Some(word), mode);
        inserted.map_err(|failure| InsertError { value: take_back(word), kind: failure.into() })
    }

    /// Takes `range`, all of which must be free, without a value: readers find nothing there, and neither does a gap
    /// search. [`replace`](Self::replace) gives it a value without memory, [`unreserve`](Self::unreserve) frees it.
    ///
    /// Allocates what an insertion allocates. The kernel stores `XA_ZERO_ENTRY` for this.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.reserve(10..20)?;
    /// assert_eq!(tree.get(15), None);
    /// assert!(tree.insert(15..30, Box::new(1)).is_err());
    /// assert_eq!(tree.replace(10, Box::new(2)), Ok(None));
    /// assert_eq!(tree.get(15), Some(&2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(&mut self, range: impl RangeBounds<u64>) -> Result<(), InsertErrorKind> {
        self.reserve_with(range, AllocMode::Normal)
    }

    /// Like [`reserve`](Self::reserve), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.reserve_with(10..20, AllocMode::Atomic)?;
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn reserve_with(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<(), InsertErrorKind> {
        let range = self.checked(range)?;
        Ok(self.raw.insert(range, None, mode)?)
    }

    /// Frees the reserved range that covers `index`, all of it, and returns it; `None` if there is no reserved range.
    ///
    /// O(height) node visits. Like [`erase`](Self::erase) it never allocates and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.reserve(10..20)?;
    /// assert_eq!(tree.erase(15), None);
    /// assert_eq!(tree.unreserve(15), IndexRange::new(10, 19));
    /// assert_eq!(tree.unreserve(15), None);
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn unreserve(&mut self, index: u64) -> Option<IndexRange> {
        self.raw.erase_if(index, |found| found.word.is_none()).map(|found| found.range)
    }

    /// Replaces the value of the entry that covers `index`, or gives the reserved range there a value; the range
    /// stays. Returns the old value, if there was one, or `value` as an error if `index` is free.
    ///
    /// One walk, never allocates.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// assert_eq!(tree.replace(15, Box::new(2)), Ok(Some(Box::new(1))));
    /// assert_eq!(tree.replace(20, Box::new(3)), Err(Box::new(3)));
    /// assert_eq!(tree.get(10), Some(&2));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The value that was not stored.
    pub fn replace(&mut self, index: u64, value: T) -> Result<Option<T>, T> {
        let word = keep(value);
        match self.raw.replace(index, Some(word)) {
            Some(old) => Ok(old.map(take_back)),
            None => Err(take_back(word)),
        }
    }

    /// Takes out the entry that covers `index`, all of it: its range and its value, or `None` if there is no entry.
    ///
    /// O(height) node visits. Never allocates and cannot fail. The range is free at once: the next search can
    /// find it.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// assert_eq!(tree.erase(12), IndexRange::new(10, 19).map(|range| (range, Box::new(7))));
    /// assert_eq!(tree.erase(12), None);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase(&mut self, index: u64) -> Option<(IndexRange, T)> {
        let found = self.raw.erase_if(index, |found| found.word.is_some())?;
        Some((found.range, take_back(found.word?)))
    }

    /// Takes out the entry that covers `index` if `wanted` says so of its range and value; else changes nothing.
    ///
    /// Like [`erase`](Self::erase) in one walk with a look at what is to be erased: one walk if it stays,
    /// O(height) node visits if it goes. Never allocates and cannot fail.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// assert!(tree.erase_if(12, |range, _| range.first() == 12).is_none());
    /// assert!(tree.erase_if(10, |range, value| range.first() == 10 && **value == 7).is_some());
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase_if(
        &mut self,
        index: u64,
        wanted: impl FnOnce(IndexRange, &T) -> bool,
    ) -> Option<(IndexRange, T)> {
        let found = self.raw.erase_if(index, |found| {
            found.word.is_some_and(|word| look_at(word, |value| wanted(found.range, value)))
        })?;
        Some((found.range, take_back(found.word?)))
    }

    /// Takes out and drops all entries, frees all reserved ranges, and gives all nodes back. O(n), allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// tree.clear();
    /// assert_eq!((tree.len(), tree.stats().node_bytes), (0, 0));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn clear(&mut self) {
        self.raw.clear(|word| drop(take_back::<T>(word)));
    }

    /// A range to store over, if it is one.
    pub(crate) fn checked(&self, range: impl RangeBounds<u64>) -> Result<IndexRange, InsertErrorKind> {
        let range = IndexRange::from_bounds(range).ok_or(InsertErrorKind::EmptyRange)?;
        let bounds = self.bounds();
        if bounds.contains_range(range) { Ok(range) } else { Err(InsertErrorKind::OutOfBounds { bounds }) }
    }
}
