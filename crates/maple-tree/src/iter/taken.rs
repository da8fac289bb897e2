//! What is taken, from both ends. All iterators that leave the nodes as they are go by this.
//!
//! An iterator stands in a leaf at each end, and takes what is between the two leaf by leaf. A leaf that it has
//! entered is that end's own until nothing else is left; then the other end may have it. So a step within a leaf looks
//! at nothing but the leaf. At the leaf's end it goes to the next one below the same branch. If there is none, it
//! walks down from the root, which costs the height once per branch and saves keeping the path.

use crate::entry::Held;
use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView, PlacedLeaf, RawTree, Reached, Toward};

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
        if !has_ahead(&self.front) {
            self.enter_from_front()?;
        }
        self.front.as_mut()?.pop(Toward::Higher)
    }

    #[inline]
    pub(super) fn next_back(&mut self) -> Option<Found> {
        if !has_ahead(&self.back) {
            self.enter_from_back()?;
        }
        self.back.as_mut()?.pop(Toward::Lower)
    }

    /// Passes all that is left to a function, from the front.
    #[inline]
    pub(super) fn fold_entries<B>(mut self, init: B, mut fold: impl FnMut(B, (IndexRange, Held)) -> B) -> B {
        let mut folded = init;
        while has_ahead(&self.front) || self.enter_from_front().is_some() {
            folded = fold_below_branch(&mut self.front, &mut self.between, Toward::Higher, folded, &mut fold);
        }
        folded
    }

    /// Passes all that is left to a function, from the back.
    #[inline]
    pub(super) fn fold_entries_back<B>(
        mut self,
        init: B,
        mut fold: impl FnMut(B, (IndexRange, Held)) -> B,
    ) -> B {
        let mut folded = init;
        while has_ahead(&self.back) || self.enter_from_back().is_some() {
            folded = fold_below_branch(&mut self.back, &mut self.between, Toward::Lower, folded, &mut fold);
        }
        folded
    }

    /// Leaves a leaf where nothing is ahead any more, for one where something is.
    #[inline(never)]
    fn enter_from_front(&mut self) -> Option<()> {
        enter(self.tree, &mut self.between, &mut self.front, &mut self.back, Toward::Higher)
    }

    /// The same from the back.
    #[inline(never)]
    fn enter_from_back(&mut self) -> Option<()> {
        enter(self.tree, &mut self.between, &mut self.back, &mut self.front, Toward::Lower)
    }
}

#[inline]
fn has_ahead<L: Layout>(end: &Option<Reached<'_, L>>) -> bool {
    end.as_ref().is_some_and(|reached| reached.ahead != 0)
}

/// What lies in a window after a leaf.
#[inline]
fn beyond(leaf: IndexRange, within: IndexRange, toward: Toward) -> Option<IndexRange> {
    toward.beyond_range(leaf)?.intersection(within)
}

/// Passes the entries to a function that are ahead in a leaf, and those of the leaves after it below the same branch which
/// lie before the end of what is between.
#[inline]
fn fold_below_branch<L: Layout, B>(
    end: &mut Option<Reached<'_, L>>,
    between: &mut Option<IndexRange>,
    toward: Toward,
    init: B,
    fold: &mut impl FnMut(B, (IndexRange, Held)) -> B,
) -> B {
    let mut folded = init;
    let Some(mut reached) = *end else { return folded };
    loop {
        let mut here = reached;
        while let Some(found) = here.pop(toward) {
            if let Some(word) = found.word {
                folded = fold(folded, (found.range, word));
            }
        }
        reached.ahead = 0;
        *end = Some(reached);
        let Some(within) = between else { return folded };
        if reached.follow(toward).is_none() {
            return folded;
        }
        match beyond(reached.place.view.bounds, *within, toward) {
            Some(rest) => *within = rest,
            None => return folded,
        }
    }
}

/// Takes the next leaf in a direction from what lies between, or else what is left of the one at the other end.
#[inline(always)]
fn enter<'a, L: Layout, A>(
    tree: &'a RawTree<L, A>,
    between: &mut Option<IndexRange>,
    near: &mut Option<Reached<'a, L>>,
    far: &mut Option<Reached<'a, L>>,
    toward: Toward,
) -> Option<()> {
    let mut followed = false;
    if let (Some(within), Some(reached)) = (&mut *between, &mut *near) {
        followed = reached.follow(toward).is_some();
        if followed {
            if let Some(rest) = beyond(reached.place.view.bounds, *within, toward) {
                *within = rest;
                return Some(());
            }
        }
    }
    enter_otherwise(tree, between, near, far, toward, followed)
}

/// The same where no leaf beside lies before the window's end: the one beside may have been entered, which reaches it.
#[inline(never)]
fn enter_otherwise<'a, L: Layout, A>(
    tree: &'a RawTree<L, A>,
    between: &mut Option<IndexRange>,
    near: &mut Option<Reached<'a, L>>,
    far: &mut Option<Reached<'a, L>>,
    toward: Toward,
    entered: bool,
) -> Option<()> {
    if let Some(within) = between.take() {
        if !entered {
            let edge = toward.near_edge(within);
            // At the end of a branch it has gone over some leaves, and is likely to go on; before the first step it may be
            // asked for no other.
            *near = match near {
                Some(_) => tree.reach_on_the_way(edge, toward),
                None => tree.reach(edge, toward),
            };
        }
        if let Some(Reached { place: PlacedLeaf { view: LeafView { leaf, bounds }, .. }, ahead }) = near {
            *between = beyond(*bounds, within, toward);
            if between.is_none() {
                // The window ends here, or ended before.
                let back = toward.opposite();
                let edge = back.near_edge(within);
                *ahead &= if bounds.contains(edge) { back.ahead(leaf.find(edge)) } else { 0 };
            }
            if *ahead != 0 {
                return Some(());
            }
        }
    }
    *near = far.take();
    has_ahead(near).then_some(())
}

impl<L: Layout, A> Clone for RawIter<'_, L, A> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, between: self.between, front: self.front, back: self.back }
    }
}

#[cfg(test)]
mod tests;
