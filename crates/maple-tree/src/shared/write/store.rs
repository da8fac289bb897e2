//! Writing over whatever is there, at once or prepared.

use core::ops::RangeBounds;

use lock_api::RawMutex;

use super::{WriteGuard, lend_while_borrowed};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::{CloneEntry, Entry, Held};
use crate::error::{InsertError, InsertErrorKind};
use crate::map::words::duplicate;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::reclaim::Reclaim;
use crate::shared::SharedPrepared;

impl<'t, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> WriteGuard<'t, T, R, G, L, A> {
    /// As [`MapleTree::store`](crate::MapleTree::store). Readers see all of it at once: at each index what was
    /// there or what is there then, never nothing in between.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn store(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>>
    where
        T: CloneEntry,
    {
        self.store_with(range, value, AllocMode::Normal, |_, _| ())
    }

    /// As [`MapleTree::store_with`](crate::MapleTree::store_with), likewise. What lay wholly in the range is
    /// lent to `displaced`, not handed over.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn store_with<'w>(
        &'w mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
        displaced: impl FnMut(IndexRange, T::Borrowed<'w>),
    ) -> Result<(), InsertError<T>>
    where
        T: CloneEntry,
    {
        match self.prepare_store(range, mode) {
            Ok(prepared) => {
                prepared.store_each(value, displaced);
                Ok(())
            }
            Err(kind) => Err(InsertError { value, kind }),
        }
    }

    /// As [`MapleTree::clear_range`](crate::MapleTree::clear_range). Where an entry is cut, readers see all of
    /// it at once; else they see the entries go one by one.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn clear_range(&mut self, range: impl RangeBounds<u64>) -> Result<(), AllocError>
    where
        T: CloneEntry,
    {
        self.clear_range_with(range, AllocMode::Normal, |_, _| ())
    }

    /// As [`MapleTree::clear_range_with`](crate::MapleTree::clear_range_with), likewise. What lay wholly in the
    /// range is lent to `cleared`, not handed over.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn clear_range_with<'w>(
        &'w mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        cleared: impl FnMut(IndexRange, T::Borrowed<'w>),
    ) -> Result<(), AllocError>
    where
        T: CloneEntry,
    {
        let cleared = self.clear_range_made(range, mode, |_, word| Some(duplicate(word)), cleared);
        cleared.map_err(|_| AllocError)
    }

    /// As [`MapleTree::clear_range_split`](crate::MapleTree::clear_range_split), likewise.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn clear_range_split<'w>(
        &'w mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        split: impl FnOnce(IndexRange, T::Borrowed<'w>) -> Option<T>,
        cleared: impl FnMut(IndexRange, T::Borrowed<'w>),
    ) -> Result<(), InsertErrorKind> {
        self.clear_range_made(
            range,
            mode,
            |right, word| split(right, lend_while_borrowed::<T>(word)),
            cleared,
        )
    }

    fn clear_range_made<'w>(
        &'w mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        make: impl FnOnce(IndexRange, Held) -> Option<T>,
        cleared: impl FnMut(IndexRange, T::Borrowed<'w>),
    ) -> Result<(), InsertErrorKind> {
        let Some(range) = self.within_bounds(range) else { return Ok(()) };
        let store = self.writer().prepare_clear(range, mode)?;
        SharedPrepared::new(self, store).split(make)?.clear_each(cleared);
        Ok(())
    }

    /// As [`MapleTree::prepare_insert`](crate::MapleTree::prepare_insert).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn prepare_insert(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<SharedPrepared<'_, 't, T, R, G, L, A>, InsertErrorKind> {
        let range = self.checked(range)?;
        let store = self.writer().prepare_insert_as_store(range, mode)?;
        Ok(SharedPrepared::new(self, store))
    }

    /// As [`MapleTree::prepare_store`](crate::MapleTree::prepare_store).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn prepare_store(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<SharedPrepared<'_, 't, T, R, G, L, A>, InsertErrorKind>
    where
        T: CloneEntry,
    {
        self.prepare_store_made(range, mode, |_, word| Some(duplicate(word)))
    }

    /// As [`MapleTree::prepare_store_split`](crate::MapleTree::prepare_store_split).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn prepare_store_split<'w>(
        &'w mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        split: impl FnOnce(IndexRange, T::Borrowed<'w>) -> Option<T>,
    ) -> Result<SharedPrepared<'w, 't, T, R, G, L, A>, InsertErrorKind> {
        self.prepare_store_made(range, mode, |right, word| split(right, lend_while_borrowed::<T>(word)))
    }

    fn prepare_store_made(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        make: impl FnOnce(IndexRange, Held) -> Option<T>,
    ) -> Result<SharedPrepared<'_, 't, T, R, G, L, A>, InsertErrorKind> {
        let range = self.checked(range)?;
        let store = self.writer().prepare_store(range, mode)?;
        SharedPrepared::new(self, store).split(make)
    }
}
