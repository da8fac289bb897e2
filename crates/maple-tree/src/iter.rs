//! Iterators over entries and over gaps.
//!
//! An iterator stands in a leaf. At the leaf's end it walks down from the root to the next one, which costs the
//! height once per leaf and saves keeping the way.

use core::fmt;
use core::iter::FusedIterator;

use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView, RawTree};

/// The entries of a raw tree, from both ends.
pub(crate) struct RawIter<'a, L: Layout, A> {
    tree: &'a RawTree<L, A>,
    /// The entry given out last, from each end.
    front: Option<(LeafView<'a, L>, usize)>,
    back: Option<(LeafView<'a, L>, usize)>,
    remaining: usize,
}

impl<'a, L: Layout, A> RawIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>) -> Self {
        Self { tree, front: None, back: None, remaining: tree.entries() }
    }

    fn next(&mut self) -> Option<Found> {
        self.remaining = self.remaining.checked_sub(1)?;
        let in_leaf = self.front.and_then(|(view, slot)| Some((view, view.leaf.live_at_or_after(slot + 1)?)));
        self.front = match (in_leaf, self.front) {
            (Some(here), _) => Some(here),
            (None, None) => self.tree.entry_at_or_after(0),
            (None, Some((view, _))) => self.tree.entry_at_or_after(view.bounds.after()?.first()),
        };
        self.front.and_then(|(view, slot)| view.entry(slot))
    }

    fn next_back(&mut self) -> Option<Found> {
        self.remaining = self.remaining.checked_sub(1)?;
        let in_leaf = self
            .back
            .and_then(|(view, slot)| Some((view, view.leaf.live_at_or_before(slot.checked_sub(1)?)?)));
        self.back = match (in_leaf, self.back) {
            (Some(here), _) => Some(here),
            (None, None) => self.tree.entry_at_or_before(u64::MAX),
            (None, Some((view, _))) => self.tree.entry_at_or_before(view.bounds.before()?.last()),
        };
        self.back.and_then(|(view, slot)| view.entry(slot))
    }
}

impl<L: Layout, A> Clone for RawIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, front: self.front, back: self.back, remaining: self.remaining }
    }
}

/// The entries of a tree in order; made by [`MapleTree::iter`].
pub struct Iter<'a, T: Entry, L: Layout, A: NodeAlloc> {
    tree: &'a MapleTree<T, L, A>,
    raw: RawIter<'a, L, A>,
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iter<'a, T, L, A> {
    pub(crate) fn new(tree: &'a MapleTree<T, L, A>) -> Self {
        Self { tree, raw: RawIter::new(tree.raw()) }
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Iterator for Iter<'a, T, L, A> {
    type Item = (IndexRange, T::Borrowed<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.raw.next()?;
        Some((found.range, self.tree.lend(found.word)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.raw.remaining, Some(self.raw.remaining))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Iter<'_, T, L, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let found = self.raw.next_back()?;
        Some((found.range, self.tree.lend(found.word)))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> ExactSizeIterator for Iter<'_, T, L, A> {}
impl<T: Entry, L: Layout, A: NodeAlloc> FusedIterator for Iter<'_, T, L, A> {}

impl<T: Entry, L: Layout, A: NodeAlloc> Clone for Iter<'_, T, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, raw: self.raw.clone() }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Iter<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("remaining", &self.raw.remaining).finish_non_exhaustive()
    }
}

/// The gaps of a tree in order; made by [`MapleTree::gaps`].
///
/// A gap is what lies between two entries, so this goes over the entries, however the gaps are cut into slots.
pub struct GapIter<'a, L: Layout, A> {
    entries: RawIter<'a, L, A>,
    /// What has not been passed from either end.
    rest: Option<IndexRange>,
}

impl<'a, L: Layout, A> GapIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>) -> Self {
        Self { entries: RawIter::new(tree), rest: Some(tree.bounds()) }
    }
}

impl<L: Layout, A> Iterator for GapIter<'_, L, A> {
    type Item = IndexRange;

    fn next(&mut self) -> Option<IndexRange> {
        while let Some(rest) = self.rest {
            let Some(entry) = self.entries.next() else {
                return self.rest.take();
            };
            self.rest = entry.range.after().and_then(|after| after.intersection(rest));
            if let Some(gap) = entry.range.before().and_then(|before| before.intersection(rest)) {
                return Some(gap);
            }
        }
        None
    }
}

impl<L: Layout, A> DoubleEndedIterator for GapIter<'_, L, A> {
    fn next_back(&mut self) -> Option<IndexRange> {
        while let Some(rest) = self.rest {
            let Some(entry) = self.entries.next_back() else {
                return self.rest.take();
            };
            self.rest = entry.range.before().and_then(|before| before.intersection(rest));
            if let Some(gap) = entry.range.after().and_then(|after| after.intersection(rest)) {
                return Some(gap);
            }
        }
        None
    }
}

impl<L: Layout, A> FusedIterator for GapIter<'_, L, A> {}

impl<L: Layout, A> Clone for GapIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone(), rest: self.rest }
    }
}

impl<L: Layout, A> fmt::Debug for GapIter<'_, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GapIter").field("rest", &self.rest).finish_non_exhaustive()
    }
}
