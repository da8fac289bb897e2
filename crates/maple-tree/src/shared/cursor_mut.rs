//! What a cursor writes to a shared tree. It stands on that afterwards, or where it was if it failed.

use core::borrow::Borrow;
use core::ops::RangeBounds;

use lock_api::RawMutex;

use super::{ReplaceError, ReplaceErrorKind, WriteGuard};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::cursor::CursorMut;
use crate::entry::Entry;
use crate::error::{InsertError, InsertErrorKind};
use crate::map::MapleTree;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::reclaim::Reclaim;

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> Borrow<MapleTree<T, L, A>>
    for WriteGuard<'_, T, R, G, L, A>
{
    fn borrow(&self) -> &MapleTree<T, L, A> {
        self
    }
}

/// A cursor that writes through the guard of a shared tree. It steps as one of a tree of one owner does.
pub type SharedCursorMut<'w, 't, T, R, G, L, A> = CursorMut<'w, T, L, A, WriteGuard<'t, T, R, G, L, A>>;

impl<'t, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> WriteGuard<'t, T, R, G, L, A> {
    /// As [`MapleTree::cursor_at_mut`].
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// let mut writer = tree.write();
    /// let mut cursor = writer.cursor_at_mut(15);
    /// cursor.insert(10..20, Box::new(1))?;
    /// assert_eq!(cursor.erase().map(|(_, value)| *value), Some(1));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn cursor_at_mut(&mut self, index: u64) -> SharedCursorMut<'_, 't, T, R, G, L, A> {
        CursorMut::at(self, index)
    }

    /// As [`MapleTree::cursor_front_mut`].
    pub fn cursor_front_mut(&mut self) -> SharedCursorMut<'_, 't, T, R, G, L, A> {
        CursorMut::front(self)
    }

    /// As [`MapleTree::cursor_back_mut`].
    pub fn cursor_back_mut(&mut self) -> SharedCursorMut<'_, 't, T, R, G, L, A> {
        CursorMut::back(self)
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc>
    CursorMut<'_, T, L, A, WriteGuard<'_, T, R, G, L, A>>
{
    /// As [`WriteGuard::insert`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn insert(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.insert_with(range, value, AllocMode::Normal)
    }

    /// As [`WriteGuard::insert_with`].
    ///
    /// # Errors
    ///
    /// As there.
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

    /// As [`WriteGuard::store`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn store(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>>
    where
        T: Clone,
    {
        self.store_with(range, value, AllocMode::Normal, |_, _| ())
    }

    /// As [`WriteGuard::store_with`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn store_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
        displaced: impl FnMut(IndexRange, &T),
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

    /// As [`WriteGuard::clear_range`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn clear_range(&mut self, range: impl RangeBounds<u64>) -> Result<(), AllocError>
    where
        T: Clone,
    {
        if let Some(range) = self.target.within_bounds(range) {
            self.target.clear_range(range)?;
            self.stand_at(range.first());
        }
        Ok(())
    }

    /// As [`WriteGuard::reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve(&mut self, range: impl RangeBounds<u64>) -> Result<(), InsertErrorKind> {
        self.reserve_with(range, AllocMode::Normal)
    }

    /// As [`WriteGuard::reserve_with`].
    ///
    /// # Errors
    ///
    /// As there.
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

    /// As [`WriteGuard::replace`], for what the cursor stands on.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn replace(&mut self, value: T) -> Result<Option<T::Borrowed<'_>>, ReplaceError<T>> {
        match self.index() {
            Some(index) => self.target.replace(index, value),
            None => Err(ReplaceError { value, kind: ReplaceErrorKind::Free }),
        }
    }

    /// As [`WriteGuard::erase`], for what the cursor stands on.
    pub fn erase(&mut self) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let index = self.index()?;
        self.target.erase(index)
    }

    /// As [`WriteGuard::unreserve`], for what the cursor stands on.
    pub fn unreserve(&mut self) -> Option<IndexRange> {
        let index = self.index()?;
        self.target.unreserve(index)
    }
}
