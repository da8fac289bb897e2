//! Writing to a shared tree.
#![expect(unsafe_code, reason = "lends out values as long as the guard is borrowed")]

use core::fmt;
use core::ops::{Deref, RangeBounds};

use lock_api::{MutexGuard, RawMutex};

use super::{Published, SharedPrepared, SharedStats, Writing};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::{CloneEntry, Entry, Held};
use crate::error::{AllocateError, AllocateErrorKind, ExtendError, InsertError, InsertErrorKind, Rejected};
use crate::gap::GapRequest;
use crate::map::words::{duplicate, keep, lend_unbound, look_at_both, take_back};
use crate::map::{Cyclic, MapleTree, Placed};
use crate::node::{Layout, TracksGaps};
use crate::range::IndexRange;
use crate::raw::shared::Writer;
use crate::raw::{Compaction, Found, InsertFailure};
use crate::reclaim::Reclaim;

/// How many things a write gives back at most that earlier ones retired.
const BUDGET: usize = 32;

/// A value that was not stored in the place of another one.
pub type ReplaceError<T> = Rejected<T, ReplaceErrorKind>;

/// Why a value was not stored in the place of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplaceErrorKind {
    /// The index is free.
    Free,
    /// The old value would have to wait for its readers, and there is no memory to remember it.
    NodeMemory(AllocError),
}

/// The writer of a shared tree; made by [`SharedMapleTree::write`](super::SharedMapleTree::write).
///
/// All that can be asked of a [`MapleTree`] can be asked of it (it is one, by `Deref`), and it writes as one. What differs:
///
/// - Readers see each write at once and wholly, unless its description says otherwise.
/// - Values that are taken out or replaced are lent to the caller, not handed back: readers may look at them still. They
///   are dropped by a later write or by [`collect`](Self::collect), when all readers are gone that may have found them.
/// - Values in the tree cannot be changed in place.
/// - Writes need memory where a tree of one owner writes in place, but for those that the table in
///   [`SharedMapleTree`](super::SharedMapleTree) names.
pub struct WriteGuard<'t, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> {
    published: &'t Published<L, G>,
    pub(super) writing: MutexGuard<'t, R, Writing<T, L, A, G::Cookie>>,
}

impl<'t, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> WriteGuard<'t, T, R, G, L, A> {
    pub(super) fn new(
        published: &'t Published<L, G>,
        writing: MutexGuard<'t, R, Writing<T, L, A, G::Cookie>>,
    ) -> Self {
        let mut guard = Self { published, writing };
        guard.give_up();
        guard.writing.tree.raw_mut().memory_mut().keep_released(true);
        guard
    }

    /// Gives up what was prepared and not used.
    pub(super) fn give_up(&mut self) {
        self.writing.give_up();
    }

    /// The raw writer, once some of what was retired is given back. Values that are dropped then may panic.
    pub(super) fn writer(&mut self) -> Writer<'_, L, A, G::Cookie> {
        self.give_up();
        if self.writing.retired.is_due() {
            self.collect_some(BUDGET);
        }
        // Only readers who are there still may be the reason for an error.
        let tree = self.raw_tree();
        if self.writing.retired.is_full(tree.memory().nodes(), tree.entries()) {
            self.collect();
        }
        self.raw()
    }

    pub(super) fn raw(&mut self) -> Writer<'_, L, A, G::Cookie> {
        let Writing { tree, retired, .. } = &mut *self.writing;
        Writer { tree: tree.raw_mut(), retired, root: &self.published.root }
    }

    fn collect_some(&mut self, budget: usize) {
        let reclaim = &self.published.reclaim;
        let Writing { tree, retired, .. } = &mut *self.writing;
        let (is_over, now) = (|cookie| reclaim.is_over(cookie), || reclaim.cookie());
        let memory = tree.raw_mut().memory_mut();
        retired.collect(memory, budget, is_over, now, &mut |word| drop(take_back::<T>(word)));
    }

    /// Drops the values and gives back the nodes whose readers are gone. Does not wait for others, and allocates nothing.
    ///
    /// Writes do some of this by the way.
    pub fn collect(&mut self) {
        self.collect_some(usize::MAX);
        // What was retired since may have no readers.
        self.collect_some(usize::MAX);
    }

    /// What waits for readers. O(1).
    pub fn shared_stats(&self) -> SharedStats {
        SharedStats::of::<L>(self.writing.retired.stats(), self.raw_tree().memory().kept())
    }

    fn raw_tree(&self) -> &crate::raw::RawTree<L, A> {
        self.writing.tree.raw()
    }

    /// What was found and is retired by now, lent until the next write.
    fn lent(&self, found: Found) -> Option<(IndexRange, T::Borrowed<'_>)> {
        Some((found.range, self.writing.tree.lend(found.word?)))
    }

    /// As [`MapleTree::insert`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn insert(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.insert_with(range, value, AllocMode::Normal)
    }

    /// As [`MapleTree::insert_with`].
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
        let range = match self.checked(range) {
            Ok(range) => range,
            Err(kind) => return Err(InsertError { value, kind }),
        };
        let mut writer = self.writer();
        let word = keep(value);
        let inserted = writer.insert(range, Some(word), mode);
        inserted.map_err(|failure| InsertError { value: take_back(word), kind: failure.into() })
    }

    /// As [`MapleTree::reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve(&mut self, range: impl RangeBounds<u64>) -> Result<(), InsertErrorKind> {
        self.reserve_with(range, AllocMode::Normal)
    }

    /// As [`MapleTree::reserve_with`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve_with(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<(), InsertErrorKind> {
        let range = self.checked(range)?;
        Ok(self.writer().insert(range, None, mode)?)
    }

    /// As [`MapleTree::unreserve`].
    pub fn unreserve(&mut self, index: u64) -> Option<IndexRange> {
        self.writer().erase_if(index, |found| found.word.is_none()).map(|found| found.range)
    }

    /// As [`MapleTree::replace`]: one store, and each reader sees the old value or the new one. May need memory to remember
    /// the old value by, if values are to be dropped.
    ///
    /// # Errors
    ///
    /// The value that was not stored, because `index` is free or there is no memory.
    pub fn replace(&mut self, index: u64, value: T) -> Result<Option<T::Borrowed<'_>>, ReplaceError<T>> {
        self.replace_with(index, value, AllocMode::Normal)
    }

    /// Like [`replace`](Self::replace), with the choice whether memory may be waited for.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn replace_with(
        &mut self,
        index: u64,
        value: T,
        mode: AllocMode,
    ) -> Result<Option<T::Borrowed<'_>>, ReplaceError<T>> {
        let mut writer = self.writer();
        let word = keep(value);
        let kind = match writer.make_room_for_replacement(mode) {
            Ok(()) => match writer.replace(index, Some(word)) {
                Some(old) => return Ok(old.map(|old| self.writing.tree.lend(old))),
                None => ReplaceErrorKind::Free,
            },
            Err(error) => ReplaceErrorKind::NodeMemory(error),
        };
        Err(ReplaceError { value: take_back(word), kind })
    }

    /// As [`MapleTree::erase`]: by one store, without memory, and it cannot fail. It does not wait for readers. The value is
    /// lent until the next write.
    ///
    /// ```
    /// # use maple_tree::IndexRange;
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// let mut writer = tree.write();
    /// writer.insert(10..20, Box::new(7))?;
    /// assert_eq!(writer.erase(12), IndexRange::new(10, 19).map(|range| (range, &7)));
    /// assert_eq!(writer.erase(12), None);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase(&mut self, index: u64) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let found = self.writer().erase_if(index, |found| found.word.is_some())?;
        self.lent(found)
    }

    /// As [`MapleTree::erase_if`], likewise.
    pub fn erase_if<'w>(
        &'w mut self,
        index: u64,
        wanted: impl FnOnce(IndexRange, T::Borrowed<'w>) -> bool,
    ) -> Option<(IndexRange, T::Borrowed<'w>)> {
        let mut writer = self.writer();
        let erased = writer.erase_if(index, |found| {
            found.word.is_some_and(|word| wanted(found.range, lend_while_borrowed::<T>(word)))
        })?;
        Some((erased.range, lend_while_borrowed::<T>(erased.word?)))
    }

    /// As [`MapleTree::clear`]: by one store; then the nodes are retired, O(n).
    pub fn clear(&mut self) {
        self.writer().clear();
    }

    /// As [`MapleTree::store`]. Readers see all of it at once: at each index what was there or what is there then, never nothing
    /// in between.
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

    /// As [`MapleTree::store_with`], likewise. What lay wholly in the range is lent to `displaced`, not handed over.
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

    /// As [`MapleTree::clear_range`]. Where an entry is cut, readers see all of it at once; else they see the entries go one by
    /// one.
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

    /// As [`MapleTree::clear_range_with`], likewise. What lay wholly in the range is lent to `cleared`, not handed over.
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

    /// As [`MapleTree::clear_range_split`], likewise.
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

    /// As [`MapleTree::prepare_insert`].
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

    /// As [`MapleTree::prepare_store`].
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

    /// As [`MapleTree::prepare_store_split`].
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

    /// As [`MapleTree::merge`], as far as there is memory, which is not waited for: joining two entries copies the nodes that
    /// they are in.
    pub fn merge(&mut self, window: impl RangeBounds<u64>) -> usize
    where
        for<'a> T::Borrowed<'a>: PartialEq,
    {
        self.merge_by(window, |left, right| left == right)
    }

    /// As [`MapleTree::merge_by`], likewise.
    pub fn merge_by(
        &mut self,
        window: impl RangeBounds<u64>,
        mut same: impl for<'a> FnMut(T::Borrowed<'a>, T::Borrowed<'a>) -> bool,
    ) -> usize {
        let mut merged = 0;
        let Some(window) = self.within_bounds(window) else { return merged };
        let Some(mut left) = self.raw_tree().first_in(window) else { return merged };
        while let Some(right) =
            left.range.after().and_then(|rest| self.raw_tree().first_in(rest.intersection(window)?))
        {
            let joins = left.range.last().checked_add(1) == Some(right.range.first())
                && match (left.word, right.word) {
                    (Some(left), Some(right)) => {
                        look_at_both::<T, _>(left, right, |left, right| same(left, right))
                    }
                    (None, None) => true,
                    _ => false,
                };
            if joins && self.writer().join(left.range, right.range, AllocMode::Atomic).is_ok() {
                left.range = left.range.ending_at(right.range.last());
                merged += 1;
            } else {
                left = right;
            }
        }
        merged
    }

    /// As [`MapleTree::retain`]: readers see the entries go one by one. Values are lent until the next write, not to be
    /// changed.
    pub fn retain<'w>(&'w mut self, mut wanted: impl FnMut(IndexRange, T::Borrowed<'w>) -> bool) {
        self.erase_each(.., |range, value| !wanted(range, value));
    }

    /// Erases the entries that overlap `window` and are `unwanted`, one by one; how many there were. The place of
    /// [`MapleTree::drain`], which hands values over.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// let mut writer = tree.write();
    /// writer.insert(10..20, Box::new(1))?;
    /// writer.insert(30..40, Box::new(2))?;
    /// assert_eq!(writer.erase_each(..35, |_, value| *value == 2), 1);
    /// assert_eq!(writer.len(), 1);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase_each<'w>(
        &'w mut self,
        window: impl RangeBounds<u64>,
        mut unwanted: impl FnMut(IndexRange, T::Borrowed<'w>) -> bool,
    ) -> usize {
        let mut erased = 0;
        let mut rest = self.within_bounds(window);
        let mut writer = self.writer();
        while let Some(found) = rest.and_then(|rest| writer.tree.first_in(rest)) {
            rest = rest.and_then(|rest| found.range.after()?.intersection(rest));
            let gone = writer.erase_if(found.range.first(), |found| {
                found.word.is_some_and(|word| unwanted(found.range, lend_while_borrowed::<T>(word)))
            });
            erased += usize::from(gone.is_some());
        }
        erased
    }

    /// As [`MapleTree::extend_sorted`], entry by entry: to share many, build a tree of one owner first, and
    /// [share that](super::SharedMapleTree::from_tree).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn extend_sorted(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, T)>,
    ) -> Result<(), ExtendError<T>> {
        self.extend_sorted_with(entries, AllocMode::Normal)
    }

    /// As [`MapleTree::extend_sorted_with`], likewise.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn extend_sorted_with(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, T)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<T>> {
        use crate::error::ExtendErrorKind;
        let bounds = self.bounds();
        for (range, value) in entries {
            let last = self.raw_tree().last_in(bounds).map(|found| found.range);
            let kind = match last.filter(|last| range.first() <= last.last()) {
                _ if !bounds.contains_range(range) => Some(ExtendErrorKind::OutOfBounds { bounds }),
                Some(after) => Some(ExtendErrorKind::OutOfOrder { after }),
                None => None,
            };
            if let Some(kind) = kind {
                return Err(ExtendError { value: (range, value), kind });
            }
            if let Err(InsertError { value, .. }) = self.insert_with(range, value, mode) {
                let kind = ExtendErrorKind::NodeMemory(AllocError);
                return Err(ExtendError { value: (range, value), kind });
            }
        }
        Ok(())
    }

    /// As [`MapleTree::compact`], as far as there is memory for copies, which is not waited for.
    pub fn compact(&mut self) -> usize {
        let mut released = 0;
        loop {
            let mut pass = Compaction::new();
            while self.compact_step(&mut pass, 1) {}
            released += pass.released();
            if pass.released() == 0 {
                return released;
            }
        }
    }

    /// As [`MapleTree::compact_step`], as far as there is memory for copies: a branch with all its children at a time. This
    /// also joins sparse nodes that were left because an erase had no node at hand.
    pub fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        for _ in 0..budget {
            if !self.writer().compact_step(state, 1, AllocMode::Atomic) {
                return false;
            }
        }
        !state.is_done()
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: TracksGaps, A: NodeAlloc> WriteGuard<'_, T, R, G, L, A> {
    /// As [`MapleTree::allocate`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate(&mut self, request: &GapRequest, value: T) -> Result<IndexRange, AllocateError<T>> {
        self.allocate_with(request, value, AllocMode::Normal)
    }

    /// As [`MapleTree::allocate_with`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate_with(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        match self.find_gap(request) {
            Some(range) => self.insert_free(range, value, mode),
            None => Err(AllocateError { value, kind: AllocateErrorKind::NoGap }),
        }
    }

    /// As [`MapleTree::allocate_cyclic`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Result<Placed, AllocateError<T>> {
        let Some(placed) = self.find_cyclic(request, cyclic) else {
            return Err(AllocateError { value, kind: AllocateErrorKind::NoGap });
        };
        self.insert_free(placed.range, value, mode)?;
        *cyclic = Cyclic::after(placed.range);
        Ok(placed)
    }

    /// Inserts where a search found room.
    fn insert_free(
        &mut self,
        range: IndexRange,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        let mut writer = self.writer();
        let word = keep(value);
        match writer.insert(range, Some(word), mode) {
            Ok(()) => Ok(range),
            Err(failure) => {
                let kind = match failure {
                    InsertFailure::NoMemory(error) => AllocateErrorKind::NodeMemory(error),
                    InsertFailure::Occupied(_) => AllocateErrorKind::NoGap,
                };
                debug_assert_ne!(kind, AllocateErrorKind::NoGap, "a search found what is not free");
                Err(AllocateError { value: take_back(word), kind })
            }
        }
    }
}

/// Lends out a value that a write found, for the time for which the guard is borrowed: `'w`.
fn lend_while_borrowed<'w, T: Entry + 'w>(word: Held) -> T::Borrowed<'w> {
    // SAFETY: by V1 the word was made from a `T`. Values are taken back when a write begins, and by `collect`; so this one is
    // there until `'w` is over. Nobody changes it.
    unsafe { lend_unbound::<T>(word) }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> Deref for WriteGuard<'_, T, R, G, L, A> {
    type Target = MapleTree<T, L, A>;

    fn deref(&self) -> &Self::Target {
        &self.writing.tree
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for WriteGuard<'_, T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteGuard").field("tree", &**self).finish_non_exhaustive()
    }
}

impl fmt::Display for ReplaceErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("there is nothing to replace"),
            Self::NodeMemory(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for ReplaceErrorKind {}
