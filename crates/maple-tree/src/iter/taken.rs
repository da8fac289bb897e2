//! What is taken, from both ends. All iterators that leave the nodes as they are go by this.
//!
//! An iterator stands in a leaf. At the leaf's end it walks down from the root to the next one, which costs the
//! height once per leaf and saves keeping the path.

use crate::entry::Held;
use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView, RawTree};

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

    /// What has not been passed from either end.
    pub(super) fn rest(&self) -> Option<IndexRange> {
        self.rest
    }

    /// The next entry from the front. Each word comes once, whichever end it comes from.
    #[inline]
    pub(super) fn next_entry(&mut self) -> Option<(IndexRange, Held)> {
        loop {
            let found = self.next()?;
            if let Some(word) = found.word {
                return Some((found.range, word));
            }
        }
    }

    /// The next entry from the back.
    #[inline]
    pub(super) fn next_entry_back(&mut self) -> Option<(IndexRange, Held)> {
        loop {
            let found = self.next_back()?;
            if let Some(word) = found.word {
                return Some((found.range, word));
            }
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Found> {
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
    pub(super) fn next_back(&mut self) -> Option<Found> {
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
