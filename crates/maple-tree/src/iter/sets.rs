//! Iterators over what is taken, in one tree or in two.

use core::fmt;
use core::iter::FusedIterator;

use super::{GapIter, RawIter};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::RawTree;
use crate::set::{Combined, Complement, Operation};

/// The ranges of the entries and the reserved ranges that overlap a window, from both ends. They may adjoin.
pub(super) struct EntryRanges<'a, L: Layout, A>(RawIter<'a, L, A>);

impl<'a, L: Layout, A> EntryRanges<'a, L, A> {
    pub(super) fn new(tree: &'a RawTree<L, A>, window: Option<IndexRange>) -> Self {
        Self(RawIter::new(tree, window))
    }
}

impl<L: Layout, A> Iterator for EntryRanges<'_, L, A> {
    type Item = IndexRange;

    #[inline]
    fn next(&mut self) -> Option<IndexRange> {
        self.0.next().map(|found| found.range)
    }
}

impl<L: Layout, A> DoubleEndedIterator for EntryRanges<'_, L, A> {
    #[inline]
    fn next_back(&mut self) -> Option<IndexRange> {
        self.0.next_back().map(|found| found.range)
    }
}

impl<L: Layout, A> Clone for EntryRanges<'_, L, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// What is taken in a tree, as maximal ranges in order; made by [`MapleTree::taken`](crate::MapleTree::taken)
/// and [`MapleTree::taken_within`](crate::MapleTree::taken_within).
///
/// A maximal taken range is what lies between two gaps, however many entries and reserved ranges it holds. A
/// step is O(1) for each of these, and once per leaf O(height).
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct TakenIter<'a, L: Layout, A>(Complement<GapIter<'a, L, A>>);

impl<'a, L: Layout, A> TakenIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>, window: Option<IndexRange>) -> Self {
        Self(Complement::new(GapIter::new(tree, window), window))
    }
}

impl<L: Layout, A> Iterator for TakenIter<'_, L, A> {
    type Item = IndexRange;

    fn next(&mut self) -> Option<IndexRange> {
        self.0.next()
    }
}

impl<L: Layout, A> DoubleEndedIterator for TakenIter<'_, L, A> {
    fn next_back(&mut self) -> Option<IndexRange> {
        self.0.next_back()
    }
}

impl<L: Layout, A> FusedIterator for TakenIter<'_, L, A> {}

impl<L: Layout, A> Clone for TakenIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Layout, A> fmt::Debug for TakenIter<'_, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakenIter").field("rest", &self.0.rest()).finish_non_exhaustive()
    }
}

/// What two trees make together, as maximal ranges in order; made by
/// [`MapleTree::union`](crate::MapleTree::union), [`MapleTree::intersection`](crate::MapleTree::intersection),
/// [`MapleTree::difference`](crate::MapleTree::difference) and
/// [`MapleTree::symmetric_difference`](crate::MapleTree::symmetric_difference).
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct SetIter<'a, L: Layout, A, M: Layout, B>(Combined<EntryRanges<'a, L, A>, EntryRanges<'a, M, B>>);

impl<'a, L: Layout, A, M: Layout, B> SetIter<'a, L, A, M, B> {
    pub(crate) fn new(operation: Operation, one: &'a RawTree<L, A>, other: &'a RawTree<M, B>) -> Self {
        let one = EntryRanges::new(one, Some(one.bounds()));
        let other = EntryRanges::new(other, Some(other.bounds()));
        Self(Combined::new(operation, one, other))
    }
}

impl<L: Layout, A, M: Layout, B> Iterator for SetIter<'_, L, A, M, B> {
    type Item = IndexRange;

    fn next(&mut self) -> Option<IndexRange> {
        self.0.next()
    }
}

impl<L: Layout, A, M: Layout, B> FusedIterator for SetIter<'_, L, A, M, B> {}

impl<L: Layout, A, M: Layout, B> Clone for SetIter<'_, L, A, M, B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Layout, A, M: Layout, B> fmt::Debug for SetIter<'_, L, A, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetIter")
            .field("operation", &self.0.operation())
            .field("rest", &self.0.rest())
            .finish_non_exhaustive()
    }
}
