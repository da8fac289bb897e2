//! The entries of a tree that is borrowed exclusively: their values can be changed.

use core::fmt;
use core::iter::FusedIterator;

use super::RawIter;
use crate::alloc::{Global, NodeAlloc};
use crate::entry::Entry;
use crate::map::{MapleTree, ValuesMut};
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;

/// The entries of a tree in order, their values to be changed; made by [`MapleTree::iter_mut`].
///
/// Unlike [`Iter`](crate::Iter) it cannot be used as one of values that live shorter: what is put into a value
/// stays in the tree.
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct IterMut<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    entries: RangeMut<'a, T, L, A>,
    remaining: usize,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> IterMut<'a, T, L, A> {
    pub(crate) fn new(tree: &'a mut MapleTree<T, L, A>) -> Self {
        let (bounds, remaining) = (tree.bounds(), tree.len());
        Self { entries: RangeMut::new(tree, Some(bounds)), remaining }
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iterator for IterMut<'a, T, L, A> {
    type Item = (IndexRange, T::BorrowedMut<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let item = self.entries.next()?;
        self.remaining -= 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, fold: F) -> B {
        self.entries.fold(init, fold)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for IterMut<'_, T, L, A> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let item = self.entries.next_back()?;
        self.remaining -= 1;
        Some(item)
    }

    #[inline]
    fn rfold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, fold: F) -> B {
        self.entries.rfold(init, fold)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> ExactSizeIterator for IterMut<'_, T, L, A> {}
impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for IterMut<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for IterMut<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMut").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

/// The entries of a tree that overlap a window, in order, their values to be changed; made by
/// [`MapleTree::range_mut`].
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct RangeMut<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    raw: RawIter<'a, L, A>,
    values: ValuesMut<'a, T>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> RangeMut<'a, T, L, A> {
    pub(crate) fn new(tree: &'a mut MapleTree<T, L, A>, window: Option<IndexRange>) -> Self {
        let (nodes, values) = tree.nodes_and_values();
        Self { raw: RawIter::new(nodes, window), values }
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iterator for RangeMut<'a, T, L, A> {
    type Item = (IndexRange, T::BorrowedMut<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (range, word) = self.raw.next_entry()?;
        // V2: the iterator below comes to each word once.
        Some((range, self.values.lend(word)))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut fold: F) -> B {
        let Self { raw, mut values } = self;
        // V2: as above.
        raw.fold_entries(init, |folded, (range, word)| fold(folded, (range, values.lend(word))))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for RangeMut<'_, T, L, A> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (range, word) = self.raw.next_entry_back()?;
        // V2: as above.
        Some((range, self.values.lend(word)))
    }

    #[inline]
    fn rfold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut fold: F) -> B {
        let Self { raw, mut values } = self;
        // V2: as above.
        raw.fold_entries_back(init, |folded, (range, word)| fold(folded, (range, values.lend(word))))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for RangeMut<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for RangeMut<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeMut").field("rest", &self.raw.rest()).finish_non_exhaustive()
    }
}
