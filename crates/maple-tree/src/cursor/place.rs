//! Where a shared cursor stands, and how it gets on from there.
//!
//! It keeps what is taken there, as slots of leaves, which stay as they are while the tree is shared. A gap is
//! what lies between two of them: so both are known, and neither has to be searched for on the way to it or
//! from it.

use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView, RawTree};

/// A live slot of a leaf.
pub(super) struct Spot<'a, L: Layout> {
    view: LeafView<'a, L>,
    slot: usize,
}

impl<L: Layout> Clone for Spot<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Spot<'_, L> {}

impl<'a, L: Layout> Spot<'a, L> {
    fn new((view, slot): (LeafView<'a, L>, usize)) -> Self {
        Self { view, slot }
    }

    pub(super) fn found(&self) -> Found {
        self.view.found(self.slot)
    }

    fn range(&self) -> IndexRange {
        self.found().range
    }

    /// The next spot to the right. A walk at the end of a leaf only.
    fn following<A>(&self, tree: &'a RawTree<L, A>) -> Option<Self> {
        match self.view.leaf.live_at_or_after(self.slot + 1) {
            Some(slot) => Some(Self { slot, ..*self }),
            None => tree.live_at_or_after(self.view.bounds.after()?.first()).map(Self::new),
        }
    }

    /// The next spot to the left. A walk at the end of a leaf only.
    fn preceding<A>(&self, tree: &'a RawTree<L, A>) -> Option<Self> {
        match self.slot.checked_sub(1).and_then(|slot| self.view.leaf.live_at_or_before(slot)) {
            Some(slot) => Some(Self { slot, ..*self }),
            None => tree.live_at_or_before(self.view.bounds.before()?.last()).map(Self::new),
        }
    }
}

/// Where a shared cursor stands.
pub(super) enum Place<'a, L: Layout> {
    /// Before the first index of the bounds.
    Before,
    /// On an entry or a reserved range.
    Taken(Spot<'a, L>),
    /// On the gap between two of these; without one the gap reaches to the end of the bounds.
    Gap { left: Option<Spot<'a, L>>, right: Option<Spot<'a, L>> },
    /// After the last index of the bounds.
    After,
}

impl<L: Layout> Clone for Place<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Place<'_, L> {}

impl<'a, L: Layout> Place<'a, L> {
    /// What lies at `index`. One walk where something is taken, two for a gap.
    pub(super) fn at<A>(tree: &'a RawTree<L, A>, index: u64) -> Self {
        if index < tree.bounds().first() {
            return Self::Before;
        }
        if index > tree.bounds().last() {
            return Self::After;
        }
        match tree.live_at_or_before(index).map(Spot::new) {
            Some(spot) if spot.range().contains(index) => Self::Taken(spot),
            left => Self::Gap { left, right: tree.live_at_or_after(index).map(Spot::new) },
        }
    }

    /// The gap between `left` and `right`, or else `otherwise`, if they adjoin.
    fn between<A>(
        tree: &RawTree<L, A>,
        left: Option<Spot<'a, L>>,
        right: Option<Spot<'a, L>>,
        otherwise: Self,
    ) -> Self {
        if gap(tree, left, right).is_some() { Self::Gap { left, right } } else { otherwise }
    }

    /// What is there: `None` for the range of a gap.
    pub(super) fn spot(self) -> Option<Spot<'a, L>> {
        match self {
            Self::Taken(spot) => Some(spot),
            _ => None,
        }
    }

    pub(super) fn range<A>(self, tree: &RawTree<L, A>) -> Option<IndexRange> {
        match self {
            Self::Taken(spot) => Some(spot.range()),
            Self::Gap { left, right } => gap(tree, left, right),
            Self::Before | Self::After => None,
        }
    }

    /// Goes to the next taken range to the right, or to the end, and looks at it.
    #[inline]
    pub(super) fn go_right<A>(&mut self, tree: &'a RawTree<L, A>) -> Option<Found> {
        if let Self::Taken(Spot { view, slot }) = self {
            // Most often it is in the same leaf.
            if let Some(next) = view.leaf.live_at_or_after(*slot + 1) {
                *slot = next;
                return Some(view.found(next));
            }
        }
        *self = self.next_taken(tree);
        Some(self.spot()?.found())
    }

    /// Goes to the next taken range to the left, or to the end, and looks at it.
    #[inline]
    pub(super) fn go_left<A>(&mut self, tree: &'a RawTree<L, A>) -> Option<Found> {
        if let Self::Taken(Spot { view, slot }) = self {
            if let Some(next) = slot.checked_sub(1).and_then(|left| view.leaf.live_at_or_before(left)) {
                *slot = next;
                return Some(view.found(next));
            }
        }
        *self = self.prev_taken(tree);
        Some(self.spot()?.found())
    }

    /// The next taken range to the right, or the end.
    pub(super) fn next_taken<A>(self, tree: &'a RawTree<L, A>) -> Self {
        let next = match self {
            Self::Before => tree.live_at_or_after(tree.bounds().first()).map(Spot::new),
            Self::Taken(spot) => spot.following(tree),
            Self::Gap { right, .. } => right,
            Self::After => None,
        };
        next.map_or(Self::After, Self::Taken)
    }

    /// The next taken range to the left, or the end.
    pub(super) fn prev_taken<A>(self, tree: &'a RawTree<L, A>) -> Self {
        let prev = match self {
            Self::Before => None,
            Self::Taken(spot) => spot.preceding(tree),
            Self::Gap { left, .. } => left,
            Self::After => tree.live_at_or_before(tree.bounds().last()).map(Spot::new),
        };
        prev.map_or(Self::Before, Self::Taken)
    }

    /// The next range to the right.
    pub(super) fn next<A>(self, tree: &'a RawTree<L, A>) -> Self {
        let next = self.next_taken(tree);
        match self {
            Self::Before | Self::Taken(_) => Self::between(tree, self.spot(), next.spot(), next),
            Self::Gap { .. } | Self::After => next,
        }
    }

    /// The next range to the left.
    pub(super) fn prev<A>(self, tree: &'a RawTree<L, A>) -> Self {
        let prev = self.prev_taken(tree);
        match self {
            Self::Taken(_) | Self::After => Self::between(tree, prev.spot(), self.spot(), prev),
            Self::Before | Self::Gap { .. } => prev,
        }
    }
}

/// What lies between two spots, or between one and an end of the bounds.
fn gap<L: Layout, A>(
    tree: &RawTree<L, A>,
    left: Option<Spot<'_, L>>,
    right: Option<Spot<'_, L>>,
) -> Option<IndexRange> {
    let rest = left.map_or(Some(tree.bounds()), |left| left.range().after()?.intersection(tree.bounds()))?;
    right.map_or(Some(rest), |right| right.range().before()?.intersection(rest))
}
