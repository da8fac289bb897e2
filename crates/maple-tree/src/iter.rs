//! Iterators over entries, over gaps, and over what is taken.
//!
//! An iterator stands in a leaf. At the leaf's end it walks down from the root to the next one, which costs the
//! height once per leaf and saves keeping the path.

mod sets;

use core::fmt;
use core::iter::FusedIterator;

use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::map::MapleTree;
use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView, RawTree};
use crate::set::Complement;

use sets::EntryRanges;
pub use sets::{SetIter, TakenIter};

/// A leaf that an iterator has reached, and which of its live slots it has not passed yet, a bit for each.
struct Place<'a, L: Layout> {
    view: LeafView<'a, L>,
    ahead: u32,
}

impl<L: Layout> Clone for Place<'_, L> {
    fn clone(&self) -> Self {
        Self { view: self.view, ahead: self.ahead }
    }
}

/// What overlaps a window of a raw tree, entries and reserved ranges, from both ends.
pub(crate) struct RawIter<'a, L: Layout, A> {
    tree: &'a RawTree<L, A>,
    /// The part of the window that has not been passed from either end.
    rest: Option<IndexRange>,
    front: Option<Place<'a, L>>,
    back: Option<Place<'a, L>>,
}

impl<'a, L: Layout, A> RawIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>, window: Option<IndexRange>) -> Self {
        Self { tree, rest: window, front: None, back: None }
    }

    #[inline]
    fn next(&mut self) -> Option<Found> {
        let rest = self.rest?;
        let place = match &mut self.front {
            Some(place) if place.ahead != 0 => place,
            _ => self.next_leaf(rest)?,
        };
        let slot = place.ahead.trailing_zeros() as usize;
        place.ahead &= place.ahead - 1;
        let found = Some(place.view.found(slot)).filter(|found| found.range.first() <= rest.last());
        self.rest = found.and_then(|found| IndexRange::new(found.range.last().checked_add(1)?, rest.last()));
        found
    }

    /// The next leaf from the front with an entry ahead.
    fn next_leaf(&mut self, rest: IndexRange) -> Option<&mut Place<'a, L>> {
        let from = match &self.front {
            None => rest.first(),
            // What is left of this leaf is free: go on behind it.
            Some(place) => place.view.bounds.after()?.first(),
        };
        let (view, slot) = self.tree.live_at_or_after(from)?;
        Some(self.front.insert(Place { view, ahead: view.leaf.live() & u32::MAX << slot }))
    }

    #[inline]
    fn next_back(&mut self) -> Option<Found> {
        let rest = self.rest?;
        let place = match &mut self.back {
            Some(place) if place.ahead != 0 => place,
            _ => self.next_leaf_back(rest)?,
        };
        let slot = place.ahead.ilog2() as usize;
        place.ahead &= !(1 << slot);
        let found = Some(place.view.found(slot)).filter(|found| found.range.last() >= rest.first());
        self.rest =
            found.and_then(|found| IndexRange::new(rest.first(), found.range.first().checked_sub(1)?));
        found
    }

    /// The next leaf from the back with an entry ahead.
    fn next_leaf_back(&mut self, rest: IndexRange) -> Option<&mut Place<'a, L>> {
        let from = match &self.back {
            None => rest.last(),
            Some(place) => place.view.bounds.before()?.last(),
        };
        let (view, slot) = self.tree.live_at_or_before(from)?;
        Some(self.back.insert(Place { view, ahead: view.leaf.live() & u32::MAX >> (31 - slot) }))
    }
}

impl<L: Layout, A> Clone for RawIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, rest: self.rest, front: self.front.clone(), back: self.back.clone() }
    }
}

/// The entries of a tree in order; made by [`MapleTree::iter`].
pub struct Iter<'a, T: Entry, L: Layout, A: NodeAlloc> {
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

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.entries.next()?;
        self.remaining -= 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Iter<'_, T, L, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let item = self.entries.next_back()?;
        self.remaining -= 1;
        Some(item)
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
pub struct Range<'a, T: Entry, L: Layout, A: NodeAlloc> {
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

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.raw.next()?;
            if let Some(word) = found.word {
                return Some((found.range, self.tree.lend(word)));
            }
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> DoubleEndedIterator for Range<'_, T, L, A> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.raw.next_back()?;
            if let Some(word) = found.word {
                return Some((found.range, self.tree.lend(word)));
            }
        }
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
        f.debug_struct("Range").field("rest", &self.raw.rest).finish_non_exhaustive()
    }
}

/// The gaps of a tree in order; made by [`MapleTree::gaps`] and [`MapleTree::gaps_within`].
///
/// A gap is what lies between two entries, so this goes over the entries, however the gaps are cut into slots.
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
