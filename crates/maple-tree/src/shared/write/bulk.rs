//! Writes of many entries, one after the other.

use core::ops::RangeBounds;

use lock_api::RawMutex;

use super::{WriteGuard, lend_while_borrowed};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{ExtendError, ExtendErrorKind, InsertError};
use crate::map::words::look_at_both;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Compaction;
use crate::reclaim::Reclaim;

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> WriteGuard<'_, T, R, G, L, A> {
    /// As [`MapleTree::merge`](crate::MapleTree::merge), as far as there is memory, which is not waited for:
    /// joining two entries copies the nodes that they are in.
    pub fn merge(&mut self, window: impl RangeBounds<u64>) -> usize
    where
        for<'a> T::Borrowed<'a>: PartialEq,
    {
        self.merge_by(window, |left, right| left == right)
    }

    /// As [`MapleTree::merge_by`](crate::MapleTree::merge_by), likewise.
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

    /// As [`MapleTree::retain`](crate::MapleTree::retain): readers see the entries go one by one. Values are
    /// lent until the next write, not to be changed.
    pub fn retain<'w>(&'w mut self, mut wanted: impl FnMut(IndexRange, T::Borrowed<'w>) -> bool) {
        self.erase_each(.., |range, value| !wanted(range, value));
    }

    /// Erases the entries that overlap `window` and are `unwanted`, one by one; how many there were. The place
    /// of [`MapleTree::drain`](crate::MapleTree::drain), which hands values over.
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

    /// As [`MapleTree::extend_sorted`](crate::MapleTree::extend_sorted), entry by entry: to share many, build a
    /// tree of one owner first, and [share that](crate::shared::SharedMapleTree::from_tree).
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

    /// As [`MapleTree::extend_sorted_with`](crate::MapleTree::extend_sorted_with), likewise.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn extend_sorted_with(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, T)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<T>> {
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

    /// As [`MapleTree::compact`](crate::MapleTree::compact), as far as there is memory for copies, which is not
    /// waited for.
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

    /// As [`MapleTree::compact_step`](crate::MapleTree::compact_step), as far as there is memory for copies: a
    /// branch with all its children at a time. This also joins sparse nodes that were left because an erase had
    /// no node at hand.
    pub fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        for _ in 0..budget {
            if !self.writer().compact_step(state, 1, AllocMode::Atomic) {
                return false;
            }
        }
        !state.is_done()
    }
}
