//! The entries of a tree that is taken apart.

use core::fmt;
use core::iter::FusedIterator;

use crate::alloc::{Global, NodeAlloc};
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::Toward;

/// The entries of a tree in order, taken out of it; made by [`MapleTree::into_iter`].
///
/// A step is one walk, O(height), and passes over reserved ranges one by one. A word that is taken out leaves a
/// reserved range, so no gap appears that would have to be recorded. The nodes go back together when the
/// iterator is dropped, and with them what it has not come to.
pub struct IntoIter<T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    tree: MapleTree<T, L, A>,
    /// Before this index nothing is left.
    front: u64,
    /// After this index nothing is left.
    back: u64,
}

impl<T: Entry, L: Layout, A: NodeAlloc> IntoIter<T, L, A> {
    pub(crate) fn new(tree: MapleTree<T, L, A>) -> Self {
        let bounds = tree.bounds();
        Self { tree, front: bounds.first(), back: bounds.last() }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> Iterator for IntoIter<T, L, A> {
    type Item = (IndexRange, T);

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.tree.vacate(self.front, Toward::Higher)?;
        self.front = item.0.last();
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.tree.len(), Some(self.tree.len()))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for IntoIter<T, L, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let item = self.tree.vacate(self.back, Toward::Lower)?;
        self.back = item.0.first();
        Some(item)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> ExactSizeIterator for IntoIter<T, L, A> {}
impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for IntoIter<T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for IntoIter<T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("remaining", &self.tree.len()).finish_non_exhaustive()
    }
}
