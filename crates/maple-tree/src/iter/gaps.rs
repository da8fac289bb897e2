//! What is free.

use core::fmt;
use core::iter::FusedIterator;

use super::EntryRanges;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::RawTree;
use crate::set::Complement;

/// The gaps of a tree in order; made by [`MapleTree::gaps`](crate::MapleTree::gaps) and
/// [`MapleTree::gaps_within`](crate::MapleTree::gaps_within).
///
/// A gap is what lies between two ranges that are taken, by an entry or reserved. So this goes over these,
/// however the gaps are cut into slots: a step is O(1) for each that it passes over, and once per leaf
/// O(height).
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct GapIter<'a, L: Layout, A>(Complement<EntryRanges<'a, L, A>>);

impl<'a, L: Layout, A> GapIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>, window: Option<IndexRange>) -> Self {
        Self(Complement::new(EntryRanges::new(tree, window), window))
    }
}

impl<L: Layout, A> Iterator for GapIter<'_, L, A> {
    type Item = IndexRange;

    fn next(&mut self) -> Option<IndexRange> {
        self.0.next()
    }
}

impl<L: Layout, A> DoubleEndedIterator for GapIter<'_, L, A> {
    fn next_back(&mut self) -> Option<IndexRange> {
        self.0.next_back()
    }
}

impl<L: Layout, A> FusedIterator for GapIter<'_, L, A> {}

impl<L: Layout, A> Clone for GapIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Layout, A> fmt::Debug for GapIter<'_, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GapIter").field("rest", &self.0.rest()).finish_non_exhaustive()
    }
}
