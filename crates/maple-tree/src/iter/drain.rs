//! What overlaps a window, taken out of the tree.

use core::fmt;
use core::iter::FusedIterator;

use crate::alloc::{Global, NodeAlloc};
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;

/// The entries of a tree that overlap a window, in order, taken out of it; made by [`MapleTree::drain`].
///
/// Each step is an erase, and one more for each reserved range that it passes over, which is freed; so the tree
/// is whole after any of them. Dropping the iterator takes out what it has not come to; forgetting it leaves
/// that in the tree.
pub struct Drain<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    tree: &'a mut MapleTree<T, L, A>,
    /// The part of the window that has not been passed from either end.
    rest: Option<IndexRange>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Drain<'a, T, L, A> {
    pub(crate) fn new(tree: &'a mut MapleTree<T, L, A>, window: Option<IndexRange>) -> Self {
        Self { tree, rest: window }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> Iterator for Drain<'_, T, L, A> {
    type Item = (IndexRange, T);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest {
            let taken = self.tree.raw().first_in(rest).map(|found| found.range);
            self.rest = taken.and_then(|taken| taken.after()?.intersection(rest));
            let erased = taken.and_then(|taken| self.tree.erase_taken(taken.first()));
            if erased.is_some() {
                return erased;
            }
        }
        None
    }

    /// At most all entries of the tree: how many lie in the window is not known.
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.tree.len()))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Drain<'_, T, L, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest {
            let taken = self.tree.raw().last_in(rest).map(|found| found.range);
            self.rest = taken.and_then(|taken| taken.before()?.intersection(rest));
            let erased = taken.and_then(|taken| self.tree.erase_taken(taken.first()));
            if erased.is_some() {
                return erased;
            }
        }
        None
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for Drain<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> Drop for Drain<'_, T, L, A> {
    /// Should the drop of a value panic, the others are taken out all the same before the panic goes on.
    fn drop(&mut self) {
        let finish = Finish(self);
        finish.0.for_each(drop);
    }
}

/// Takes out the rest when it is dropped.
struct Finish<'d, 'a, T: Entry, L: Layout, A: NodeAlloc>(&'d mut Drain<'a, T, L, A>);

impl<T: Entry, L: Layout, A: NodeAlloc> Drop for Finish<'_, '_, T, L, A> {
    fn drop(&mut self) {
        self.0.for_each(drop);
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Drain<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("rest", &self.rest).finish_non_exhaustive()
    }
}
