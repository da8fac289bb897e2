//! Where a shared cursor stands, and how it gets on from there.
//!
//! It keeps what is taken there, as a slot of a leaf, which stays as it is while the tree is shared; or the range of a
//! gap, and what is taken beside it. So a step needs no walk but at the end of a branch.

use crate::node::{Layout, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, PlacedLeaf, RawTree, Reached, Toward};

/// A slot of a leaf.
pub(super) struct Spot<'a, L: Layout> {
    place: PlacedLeaf<'a, L>,
    slot: usize,
}

impl<L: Layout> Clone for Spot<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Spot<'_, L> {}

impl<'a, L: Layout> Spot<'a, L> {
    /// The first live slot that was not passed.
    fn new(Reached { place, ahead }: Reached<'a, L>, toward: Toward) -> Option<Self> {
        Some(Self { place, slot: toward.nearest(ahead)? })
    }

    /// The slot that covers `index`, live or not, if a leaf does. It is not returned through memory, wherever it is called.
    #[inline(always)]
    pub(super) fn at<A>(tree: &'a RawTree<L, A>, index: u64) -> Option<Self> {
        let place = tree.leaf_at(index)?;
        Some(Self { place, slot: place.view.leaf.find(index) })
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.place.view.leaf.is_empty(self.slot)
    }

    /// The first live slot from an end of the tree.
    fn first<A>(tree: &'a RawTree<L, A>, toward: Toward) -> Option<Self> {
        Self::new(tree.reach(toward.near_edge(tree.bounds()), toward)?, toward)
    }

    /// What is in the slot, which is live.
    #[inline]
    pub(super) fn found(&self) -> Found {
        self.place.view.found(self.slot)
    }

    fn range(&self) -> IndexRange {
        self.found().range
    }

    /// Goes to the next live slot. A walk at the end of a branch only.
    #[inline(always)]
    fn step<A>(&mut self, tree: &'a RawTree<L, A>, toward: Toward) -> Option<()> {
        match (toward.nearest(self.place.view.leaf.live() & toward.beyond(self.slot)), toward) {
            (Some(slot), _) => {
                self.slot = slot;
                Some(())
            }
            (None, Toward::Higher) => self.leave_at_end(tree),
            (None, Toward::Lower) => self.leave_at_start(tree),
        }
    }

    #[inline(never)]
    fn leave_at_end<A>(&mut self, tree: &'a RawTree<L, A>) -> Option<()> {
        self.leave(tree, Toward::Higher)
    }

    #[inline(never)]
    fn leave_at_start<A>(&mut self, tree: &'a RawTree<L, A>) -> Option<()> {
        self.leave(tree, Toward::Lower)
    }

    /// Goes to the first live slot after the leaf.
    #[inline(always)]
    fn leave<A>(&mut self, tree: &'a RawTree<L, A>, toward: Toward) -> Option<()> {
        if self.place.go_beside(toward, 1).is_some() {
            self.slot = toward.nearest(self.place.view.leaf.live())?;
        } else {
            let beyond = toward.near_edge(toward.beyond_range(self.place.view.bounds)?);
            *self = Self::new(tree.reach(beyond, toward)?, toward)?;
        }
        Some(())
    }

    /// The next live slot.
    fn next<A>(mut self, tree: &'a RawTree<L, A>, toward: Toward) -> Option<Self> {
        self.step(tree, toward)?;
        Some(self)
    }
}

/// Where a shared cursor stands.
pub(super) enum Place<'a, L: Layout> {
    /// Beyond the bounds, on the side to which one got there.
    Beyond(Toward),
    /// On an entry or a reserved range.
    Taken(Spot<'a, L>),
    /// On a gap, and what is taken next in a direction; in an empty tree that is nothing.
    Gap { range: IndexRange, next: Option<Spot<'a, L>>, toward: Toward },
}

impl<L: Layout> Clone for Place<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Place<'_, L> {}

impl<'a, L: Layout> Place<'a, L> {
    /// All of the gap at `index`, where the slot is empty. A step to either side.
    pub(super) fn around<A>(tree: &'a RawTree<L, A>, index: u64, empty: Spot<'a, L>) -> Self {
        let next = |toward| empty.next(tree, toward);
        Self::gap(tree, index, next(Toward::Lower), next(Toward::Higher))
    }

    /// The gap at an index that a free subtree covers, or an end.
    pub(super) fn outside_of_leaves<A>(tree: &'a RawTree<L, A>, index: u64) -> Self {
        let next = |toward| Spot::new(tree.reach(index, toward)?, toward);
        if index < tree.bounds().first() {
            Self::Beyond(Toward::Lower)
        } else if index > tree.bounds().last() {
            Self::Beyond(Toward::Higher)
        } else {
            Self::gap(tree, index, next(Toward::Lower), next(Toward::Higher))
        }
    }

    /// The gap at `index`, between what is taken next on either side.
    fn gap<A>(
        tree: &RawTree<L, A>,
        index: u64,
        left: Option<Spot<'a, L>>,
        right: Option<Spot<'a, L>>,
    ) -> Self {
        let range = between(tree, left, right).unwrap_or(IndexRange::single(index));
        match right {
            Some(_) => Self::Gap { range, next: right, toward: Toward::Higher },
            None => Self::Gap { range, next: left, toward: Toward::Lower },
        }
    }

    /// What is taken there.
    #[inline]
    pub(super) fn spot(self) -> Option<Spot<'a, L>> {
        match self {
            Self::Taken(spot) => Some(spot),
            Self::Beyond(_) | Self::Gap { .. } => None,
        }
    }

    pub(super) fn range(self) -> Option<IndexRange> {
        match self {
            Self::Taken(spot) => Some(spot.range()),
            Self::Gap { range, .. } => Some(range),
            Self::Beyond(_) => None,
        }
    }

    /// Goes to the next taken range, or to the end, and looks at it.
    #[inline]
    pub(super) fn go<A>(&mut self, tree: &'a RawTree<L, A>, toward: Toward) -> Option<Found> {
        match self {
            Self::Taken(spot) => {
                if spot.step(tree, toward).is_some() {
                    return Some(spot.found());
                }
                *self = Self::Beyond(toward);
                None
            }
            Self::Beyond(_) | Self::Gap { .. } => self.go_to_taken(tree, toward),
        }
    }

    /// The same from where nothing is taken.
    #[inline(never)]
    fn go_to_taken<A>(&mut self, tree: &'a RawTree<L, A>, toward: Toward) -> Option<Found> {
        *self = self.next_taken(tree, toward);
        Some(self.spot()?.found())
    }

    /// The next taken range, or the end.
    fn next_taken<A>(self, tree: &'a RawTree<L, A>, toward: Toward) -> Self {
        let next = match self {
            Self::Beyond(end) if end == toward => None,
            Self::Beyond(_) => Spot::first(tree, toward),
            Self::Taken(spot) => spot.next(tree, toward),
            Self::Gap { next, toward: ahead, .. } if ahead == toward => next,
            // Nothing is taken between the two sides of the gap.
            Self::Gap { next, .. } => next.and_then(|next| next.next(tree, toward)),
        };
        next.map_or(Self::Beyond(toward), Self::Taken)
    }

    /// The next range: a gap, if one lies before what is taken next.
    pub(super) fn next<A>(self, tree: &'a RawTree<L, A>, toward: Toward) -> Self {
        let next = self.next_taken(tree, toward);
        match self {
            Self::Gap { .. } => return next,
            Self::Beyond(end) if end == toward => return next,
            Self::Beyond(_) | Self::Taken(_) => {}
        }
        let (left, right) = match toward {
            Toward::Higher => (self.spot(), next.spot()),
            Toward::Lower => (next.spot(), self.spot()),
        };
        match between(tree, left, right) {
            // What is behind is next from there as well, if nothing is ahead.
            Some(range) => match next.spot() {
                Some(ahead) => Self::Gap { range, next: Some(ahead), toward },
                None => Self::Gap { range, next: self.spot(), toward: toward.opposite() },
            },
            None => next,
        }
    }
}

/// What lies between two spots, or between one and an end of the bounds.
fn between<L: Layout, A>(
    tree: &RawTree<L, A>,
    left: Option<Spot<'_, L>>,
    right: Option<Spot<'_, L>>,
) -> Option<IndexRange> {
    let rest = left.map_or(Some(tree.bounds()), |left| left.range().after()?.intersection(tree.bounds()))?;
    right.map_or(Some(rest), |right| right.range().before()?.intersection(rest))
}
