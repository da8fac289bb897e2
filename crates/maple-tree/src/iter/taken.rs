//! What is taken, from both ends. All iterators that leave the nodes as they are go by this.
//!
//! An iterator stands in a leaf at each end, and takes what is between the two leaf by leaf. A leaf that it has
//! entered is that end's own until nothing else is left: so a step within a leaf looks at nothing but the leaf. At
//! the leaf's end it goes to the next one below the same branch. If there is none, it walks down from the root, which
//! costs the height once per branch and saves keeping the path.

use crate::entry::Held;
use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, RawTree, Reached, Toward};

/// What overlaps a window of a raw tree, entries and reserved ranges, from both ends.
pub(crate) struct RawIter<'a, L: Layout, A> {
    tree: &'a RawTree<L, A>,
    /// The part of the window that lies between the leaves that were entered.
    between: Option<IndexRange>,
    front: Option<Reached<'a, L>>,
    back: Option<Reached<'a, L>>,
}

impl<'a, L: Layout, A> RawIter<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>, window: Option<IndexRange>) -> Self {
        Self { tree, between: window, front: None, back: None }
    }

    /// What has not been passed from either end, from the first entry in a leaf that was entered on.
    pub(super) fn rest(&self) -> Option<IndexRange> {
        let edge = |place: &Option<Reached<'a, L>>, toward| Some((*place)?.pop(toward)?.range);
        let (front, back) = (&self.front, &self.back);
        let first = edge(front, Toward::Higher).or(self.between).or(edge(back, Toward::Higher))?;
        let last = edge(back, Toward::Lower).or(self.between).or(edge(front, Toward::Lower))?;
        IndexRange::new(first.first(), last.last())
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
        match &mut self.front {
            Some(place) if place.ahead != 0 => place.pop(Toward::Higher),
            _ => self.next_of_next_leaf(Toward::Higher),
        }
    }

    #[inline]
    pub(super) fn next_back(&mut self) -> Option<Found> {
        match &mut self.back {
            Some(place) if place.ahead != 0 => place.pop(Toward::Lower),
            _ => self.next_of_next_leaf(Toward::Lower),
        }
    }

    /// Leaves a leaf where nothing is ahead any more.
    #[inline(never)]
    fn next_of_next_leaf(&mut self, toward: Toward) -> Option<Found> {
        let (near, far) = match toward {
            Toward::Higher => (&mut self.front, &mut self.back),
            Toward::Lower => (&mut self.back, &mut self.front),
        };
        while enter(self.tree, &mut self.between, near, toward).is_some() {
            // What is ahead there may all lie outside of the window.
            let found = near.as_mut().and_then(|place| place.pop(toward));
            if found.is_some() {
                return found;
            }
        }
        // What is left is in the leaf that was entered from the other end.
        far.as_mut()?.pop(toward)
    }
}

/// Takes the next leaf in a direction from what lies between, if any of it does. What is ahead there overlaps the
/// window.
fn enter<'a, L: Layout, A>(
    tree: &'a RawTree<L, A>,
    between: &mut Option<IndexRange>,
    place: &mut Option<Reached<'a, L>>,
    toward: Toward,
) -> Option<()> {
    let within = between.take()?;
    if place.as_mut().and_then(|place| place.follow(toward)).is_none() {
        *place = Some(tree.reach(toward.near_edge(within), toward, Toward::ahead)?);
    }
    let place = place.as_mut()?;
    let passed = place.view.bounds.intersection(within);
    let far = toward.opposite();
    match passed {
        Some(passed) if far.near_edge(passed) == far.near_edge(place.view.bounds) => {}
        Some(passed) => place.ahead &= far.ahead(place.view.leaf.find(far.near_edge(passed))),
        None => place.ahead = 0,
    }
    *between = toward.beyond_range(passed?).and_then(|rest| rest.intersection(within));
    Some(())
}

impl<L: Layout, A> Clone for RawIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, between: self.between, front: self.front, back: self.back }
    }
}

#[cfg(test)]
mod tests;
