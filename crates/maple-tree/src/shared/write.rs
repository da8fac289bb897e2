//! Writing to a shared tree.
#![expect(unsafe_code, reason = "lends out values as long as the guard is borrowed")]

mod allocate;
mod bulk;
mod store;

use core::fmt;
use core::ops::{Deref, RangeBounds};

use lock_api::{MutexGuard, RawMutex};

use super::{Published, SharedStats, Writing};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::{Entry, Held};
use crate::error::{InsertError, InsertErrorKind, Rejected};
use crate::map::MapleTree;
use crate::map::words::{keep, lend_unbound, take_back};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Found;
use crate::raw::shared::Writer;
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
