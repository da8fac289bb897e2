//! The entries of a tree that is shared.

use core::fmt;
use core::iter::FusedIterator;

use super::RawIter;
use crate::alloc::{Global, NodeAlloc};
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;

/// The entries of a tree in order; made by [`MapleTree::iter`].
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct Iter<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    entries: Range<'a, T, L, A>,
    remaining: usize,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iter<'a, T, L, A> {
    pub(crate) fn new(tree: &'a MapleTree<T, L, A>) -> Self {
        Self { entries: Range::new(tree, Some(tree.bounds())), remaining: tree.len() }
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iterator for Iter<'a, T, L, A> {
    type Item = (IndexRange, T::Borrowed<'a>);

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

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Iter<'_, T, L, A> {
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

impl<T: Entry, L: Layout, A: NodeAlloc> ExactSizeIterator for Iter<'_, T, L, A> {}
impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for Iter<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> Clone for Iter<'_, T, L, A> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), remaining: self.remaining }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Iter<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("remaining", &self.remaining).finish_non_exhaustive()
    }
}

/// The entries of a tree that overlap a window, in order; made by [`MapleTree::range`].
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct Range<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    tree: &'a MapleTree<T, L, A>,
    raw: RawIter<'a, L, A>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Range<'a, T, L, A> {
    pub(crate) fn new(tree: &'a MapleTree<T, L, A>, window: Option<IndexRange>) -> Self {
        Self { tree, raw: RawIter::new(tree.raw(), window) }
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iterator for Range<'a, T, L, A> {
    type Item = (IndexRange, T::Borrowed<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (range, word) = self.raw.next_entry()?;
        Some((range, self.tree.lend(word)))
    }

    /// At most all entries of the tree: how many lie in the window is not known.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.tree.len()))
    }

    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut fold: F) -> B {
        let Self { tree, raw } = self;
        raw.fold_entries(init, |folded, (range, word)| fold(folded, (range, tree.lend(word))))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Range<'_, T, L, A> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (range, word) = self.raw.next_entry_back()?;
        Some((range, self.tree.lend(word)))
    }

    #[inline]
    fn rfold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, mut fold: F) -> B {
        let Self { tree, raw } = self;
        raw.fold_entries_back(init, |folded, (range, word)| fold(folded, (range, tree.lend(word))))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for Range<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> Clone for Range<'_, T, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, raw: self.raw.clone() }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Range<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Range").field("rest", &self.raw.rest()).finish_non_exhaustive()
    }
}
