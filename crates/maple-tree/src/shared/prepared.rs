//! A write to a shared tree that was prepared where memory may be waited for, and cannot fail any more.
#![expect(unsafe_code, reason = "lends out values as long as the guard is borrowed")]

use core::fmt;

use lock_api::RawMutex;

use super::WriteGuard;
use crate::alloc::NodeAlloc;
use crate::entry::{Entry, Held};
use crate::error::InsertErrorKind;
use crate::map::words;
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
    /// For the right part of an entry that is cut in two.
    duplicate: Option<T>,
}

impl<'w, 't, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc>
    SharedPrepared<'w, 't, T, R, G, L, A>
{
    pub(super) fn new(guard: &'w mut WriteGuard<'t, T, R, G, L, A>, store: PreparedShared<L>) -> Self {
        let range = store.range();
        guard.writing.prepared = Some(store);
        Self { guard, range, duplicate: None }
    }

    /// Has the value made for the right part of an entry that is cut in two, if one is, from the word of that entry.
    pub(super) fn split(
        mut self,
        make: impl FnOnce(IndexRange, Held) -> Option<T>,
    ) -> Result<Self, InsertErrorKind> {
        let Some(store) = self.guard.writing.prepared.as_mut() else { return Ok(self) };
        let Some(word) = store.duplicate().and_then(|word| *word) else { return Ok(self) };
        let parts = store.divided().and_then(|entry| {
            let right = store.range().after()?.intersection(entry)?;
            Some((entry, right))
        });
        if let Some((entry, right)) = parts {
            self.duplicate = make(right, word);
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

    /// Stores `value`, and lends to `displaced` what lay wholly in the range, in order. Should that panic, the store is
    /// complete all the same.
    pub fn store_each(mut self, value: T, mut displaced: impl FnMut(IndexRange, T::Borrowed<'w>)) {
        if let Some(store) = self.take() {
            let word = Some(words::keep(value));
            self.guard.raw().commit_store(store, word, &mut |found| show::<T>(found, &mut displaced));
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

    /// Leaves nothing in the range, and lends to `cleared` what lay wholly in it, in order. Likewise.
    pub fn clear_each(mut self, mut cleared: impl FnMut(IndexRange, T::Borrowed<'w>)) {
        if let Some(store) = self.take() {
            self.guard.raw().commit_clear(store, &mut |found| show::<T>(found, &mut cleared));
        }
    }

    fn take(&mut self) -> Option<PreparedShared<L>> {
        let mut store = self.guard.writing.prepared.take()?;
        if let (Some(word), Some(value)) = (store.duplicate(), self.duplicate.take()) {
            *word = Some(words::keep(value));
        }
        Some(store)
    }
}

/// Lends out the value of an entry that a prepared write for `'w` retires.
fn show<'w, T: Entry + 'w>(found: Found, receive: &mut impl FnMut(IndexRange, T::Borrowed<'w>)) {
    if let Some(word) = found.word {
        // SAFETY: by V1 the word was made from a `T`. It is taken back by the next write at the soonest, since none of this
        // one collects; that comes after `'w`, during which the guard is borrowed. Nobody changes the value.
        receive(found.range, unsafe { words::lend_unbound::<T>(word) });
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> Drop
    for SharedPrepared<'_, '_, T, R, G, L, A>
{
    fn drop(&mut self) {
        self.guard.give_up();
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for SharedPrepared<'_, '_, T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPrepared").field("range", &self.range).finish_non_exhaustive()
    }
}
