//! A write to a shared tree that was prepared where memory may be waited for, and cannot fail any more.

use core::fmt;

use lock_api::RawMutex;

use super::WriteGuard;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::error::InsertErrorKind;
use crate::map::words::{keep, look_at};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Found;
use crate::raw::shared::PreparedShared;
use crate::reclaim::Reclaim;

/// A write that cannot fail: what [`Prepared`](crate::Prepared) is for a tree of one owner. Readers see nothing of it until
/// it is used; dropping it changes nothing.
#[must_use = "a prepared write does nothing until it is used"]
pub struct SharedPrepared<'w, 't, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> {
    guard: &'w mut WriteGuard<'t, T, R, G, L, A>,
    range: IndexRange,
    store: Option<PreparedShared<L>>,
    /// For the right part of an entry that is cut in two.
    duplicate: Option<T>,
}

impl<'w, 't, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc>
    SharedPrepared<'w, 't, T, R, G, L, A>
{
    pub(super) fn new(guard: &'w mut WriteGuard<'t, T, R, G, L, A>, store: PreparedShared<L>) -> Self {
        Self { guard, range: store.range(), store: Some(store), duplicate: None }
    }

    /// Has the value made for the right part of an entry that is cut in two, if one is.
    pub(super) fn split(
        mut self,
        split: impl FnOnce(IndexRange, &T) -> Option<T>,
    ) -> Result<Self, InsertErrorKind> {
        let Some(store) = self.store.as_mut() else { return Ok(self) };
        let Some(word) = store.duplicate().and_then(|word| *word) else { return Ok(self) };
        let parts = store.divided().and_then(|entry| {
            let right = store.range().after()?.intersection(entry)?;
            Some((entry, right))
        });
        if let Some((entry, right)) = parts {
            self.duplicate = look_at(word, |value| split(right, value));
            if self.duplicate.is_none() {
                return Err(InsertErrorKind::NotSplit { entry });
            }
        }
        Ok(self)
    }

    /// The range that is going to be written.
    #[must_use]
    pub fn range(&self) -> IndexRange {
        self.range
    }

    /// Stores `value`.
    pub fn store(self, value: T) {
        self.store_each(value, |_, _| ());
    }

    /// Stores `value`, and lends to `displaced` what lay wholly in the range, in order.
    pub fn store_each(mut self, value: T, mut displaced: impl FnMut(IndexRange, &T)) {
        if let Some(store) = self.take() {
            let word = Some(keep(value));
            self.guard.raw().commit_store(store, word, &mut |found| show(found, &mut displaced));
        }
    }

    /// Takes the range without a value.
    pub fn reserve(mut self) {
        if let Some(store) = self.take() {
            self.guard.raw().commit_store(store, None, &mut |_| ());
        }
    }

    /// Leaves nothing in the range.
    pub fn clear(self) {
        self.clear_each(|_, _| ());
    }

    /// Leaves nothing in the range, and lends to `cleared` what lay wholly in it, in order.
    pub fn clear_each(mut self, mut cleared: impl FnMut(IndexRange, &T)) {
        if let Some(store) = self.take() {
            self.guard.raw().commit_clear(store, &mut |found| show(found, &mut cleared));
        }
    }

    fn take(&mut self) -> Option<PreparedShared<L>> {
        let mut store = self.store.take()?;
        if let (Some(word), Some(value)) = (store.duplicate(), self.duplicate.take()) {
            *word = Some(keep(value));
        }
        Some(store)
    }
}

/// Shows the value of an entry that is retired.
fn show<T: Entry>(found: Found, receive: &mut impl FnMut(IndexRange, &T)) {
    if let Some(word) = found.word {
        look_at(word, |value| receive(found.range, value));
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> Drop
    for SharedPrepared<'_, '_, T, R, G, L, A>
{
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            store.release(self.guard.raw().tree);
        }
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for SharedPrepared<'_, '_, T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPrepared").field("range", &self.range).finish_non_exhaustive()
    }
}
