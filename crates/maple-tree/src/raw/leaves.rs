//! Leaves, and the way from one to the next.
//!
//! A leaf that was come to is kept with the branch that it hangs below. So most of the way to the leaf beside it needs
//! no walk: that is one per branch.

use super::Toward;
use crate::entry::Held;
use crate::node::{Layout, Link, Node, Shape};
use crate::range::IndexRange;

/// How far ahead of an iterator leaves are fetched from memory, in slots of the branch above them. The next one alone would
/// not be there in time.
pub(super) const LEAVES_AHEAD: usize = 4;

/// An entry as a tree holds it, or a reserved range, which holds no word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) range: IndexRange,
    pub(crate) word: Option<Held>,
}

/// A leaf and the range that it covers.
#[derive(Debug)]
pub(crate) struct LeafView<'a, L: Layout> {
    pub(crate) leaf: &'a L::Leaf,
    pub(crate) bounds: IndexRange,
}

impl<L: Layout> Clone for LeafView<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for LeafView<'_, L> {}

impl<L: Layout> LeafView<'_, L> {
    /// What is in a slot, which is live.
    #[inline]
    pub(crate) fn found(&self, slot: usize) -> Found {
        debug_assert!(!self.leaf.is_empty(slot));
        let (held, range) = self.leaf.slot_and_range(slot, self.bounds);
        Found { range, word: held.copied() }
    }
}

/// A slot of a branch, and the range that the branch covers.
pub(super) struct Above<'a, L: Layout> {
    pub(super) branch: &'a L::Branch,
    pub(super) bounds: IndexRange,
    pub(super) slot: usize,
}

impl<L: Layout> Clone for Above<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Above<'_, L> {}

impl<'a, L: Layout> Above<'a, L> {
    /// The live slots after this one, a bit for each.
    #[inline]
    pub(super) fn ahead(&self, toward: Toward) -> u32 {
        self.branch.live() & toward.beyond(self.slot)
    }

    /// Has the leaf in a slot fetched, if there is one.
    #[inline]
    pub(super) fn prefetch_leaf(&self, slot: usize) {
        if let Some(link) = self.branch.slot(slot) {
            link.prefetch_leaf();
        }
    }

    /// Has the branch in a slot fetched, if there is one.
    #[inline]
    pub(super) fn prefetch_branch(&self, slot: usize) {
        if let Some(link) = self.branch.slot(slot) {
            link.prefetch_branch();
        }
    }

    /// The node in the slot, and the range that it covers.
    #[inline]
    pub(super) fn child(&self) -> Option<(&'a Link<L>, IndexRange)> {
        let (held, range) = self.branch.slot_and_range(self.slot, self.bounds);
        Some((held?, range))
    }
}

/// A leaf and the slot of the branch that it hangs below; the root, if it is a leaf, hangs below none.
pub(crate) struct PlacedLeaf<'a, L: Layout> {
    pub(crate) view: LeafView<'a, L>,
    pub(super) above: Option<Above<'a, L>>,
}

impl<L: Layout> Clone for PlacedLeaf<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for PlacedLeaf<'_, L> {}

impl<L: Layout> PlacedLeaf<'_, L> {
    /// Goes to the next leaf below the same branch, if there is one, and has another one fetched, `ahead` slots after it.
    #[inline(always)]
    pub(crate) fn go_beside(&mut self, toward: Toward, ahead: usize) -> Option<()> {
        let above = self.above.as_mut()?;
        above.slot = toward.nearest(above.ahead(toward))?;
        above.prefetch_leaf(toward.further(above.slot, ahead));
        let (link, bounds) = above.child()?;
        let Node::Leaf(leaf) = link.node() else { return None };
        self.view = LeafView { leaf, bounds };
        Some(())
    }
}

/// A leaf that was reached, and which of its live slots have not been passed, a bit for each.
pub(crate) struct Reached<'a, L: Layout> {
    pub(crate) place: PlacedLeaf<'a, L>,
    pub(crate) ahead: u32,
}

impl<L: Layout> Clone for Reached<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Reached<'_, L> {}

impl<L: Layout> Reached<'_, L> {
    /// Passes the nearest slot ahead: what is there.
    #[inline]
    pub(crate) fn pop(&mut self, toward: Toward) -> Option<Found> {
        let slot = toward.nearest(self.ahead)?;
        self.ahead &= !(1 << slot);
        Some(self.place.view.found(slot))
    }

    /// Goes to the next leaf below the same branch, if there is one. All of its live slots are ahead then.
    #[inline]
    pub(crate) fn follow(&mut self, toward: Toward) -> Option<()> {
        self.place.go_beside(toward, LEAVES_AHEAD)?;
        self.ahead = self.place.view.leaf.live();
        Some(())
    }
}
