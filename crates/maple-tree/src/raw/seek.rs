//! Finding what is taken by index, and leaves in order.

use super::RawTree;
use crate::entry::Held;
use crate::node::{Layout, Link, Node, NodeMut, Shape};
use crate::range::IndexRange;

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
        Found { range: self.leaf.range_of(slot, self.bounds), word: self.leaf.slot(slot).copied() }
    }
}

/// Which way to go from an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    Higher,
    Lower,
}

impl Toward {
    /// The other way.
    #[inline]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Higher => Self::Lower,
            Self::Lower => Self::Higher,
        }
    }

    /// The slots from `slot` on, a bit for each.
    #[inline]
    pub(crate) fn ahead(self, slot: usize) -> u32 {
        match self {
            Self::Higher => u32::MAX << slot,
            Self::Lower => u32::MAX >> (31 - slot),
        }
    }

    /// The slots after `slot`, a bit for each.
    #[inline]
    pub(crate) fn beyond(self, slot: usize) -> u32 {
        match self {
            Self::Higher => u32::MAX << slot << 1,
            Self::Lower => !(u32::MAX << slot),
        }
    }

    /// The indices after a range.
    #[inline]
    pub(crate) fn beyond_range(self, range: IndexRange) -> Option<IndexRange> {
        match self {
            Self::Higher => range.after(),
            Self::Lower => range.before(),
        }
    }

    /// The end of a range that one comes to first.
    #[inline]
    pub(crate) fn near_edge(self, range: IndexRange) -> u64 {
        match self {
            Self::Higher => range.first(),
            Self::Lower => range.last(),
        }
    }

    /// The first slot on the way of those in a bit mask.
    #[inline]
    pub(crate) fn nearest(self, slots: u32) -> Option<usize> {
        let bit = match self {
            Self::Higher => (slots != 0).then(|| slots.trailing_zeros()),
            Self::Lower => slots.checked_ilog2(),
        };
        bit.map(|bit| bit as usize)
    }
}

impl<L: Layout, A> RawTree<L, A> {
    /// The word of the entry that covers `index`.
    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<Held> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        let mut child;
        loop {
            link = match link.node() {
                Node::Leaf(leaf) => {
                    leaf.prefetch_slots();
                    return leaf.at(index);
                }
                Node::Branch(branch) => {
                    child = branch.at(index)?;
                    &child
                }
            }
        }
    }

    /// The entry or the reserved range that covers `index`.
    pub(crate) fn find(&self, index: u64) -> Option<Found> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        let mut bounds = self.bounds();
        loop {
            match link.node() {
                Node::Leaf(leaf) => {
                    let slot = leaf.find(index);
                    return (!leaf.is_empty(slot)).then(|| LeafView::<L> { leaf, bounds }.found(slot));
                }
                Node::Branch(branch) => {
                    let slot = branch.find(index);
                    bounds = branch.range_of(slot, bounds);
                    link = branch.slot(slot)?;
                }
            }
        }
    }

    /// Replaces the word of the entry or reserved range that covers `index`, if there is one; returns the old word,
    /// which a reserved range does not have.
    pub(crate) fn replace(&mut self, index: u64, word: Option<Held>) -> Option<Option<Held>> {
        let bounds = self.bounds();
        let mut link = self.root_mut().filter(|_| bounds.contains(index))?;
        let old = loop {
            match link.node_mut() {
                NodeMut::Leaf(leaf) => {
                    let slot = leaf.find(index);
                    if leaf.is_empty(slot) {
                        return None;
                    }
                    break leaf.occupy(slot, word);
                }
                NodeMut::Branch(branch) => link = branch.slot_mut(branch.find(index))?,
            }
        };
        *self.counter(old) -= 1;
        *self.counter(word) += 1;
        Some(old)
    }

    /// The first live slot of a leaf that ends at or after `index`.
    pub(crate) fn live_at_or_after(&self, index: u64) -> Option<(LeafView<'_, L>, usize)> {
        Some(self.reach(index, Toward::Higher, Toward::ahead)?.nearest(Toward::Higher))
    }

    /// The last live slot of a leaf that begins at or before `index`.
    pub(crate) fn live_at_or_before(&self, index: u64) -> Option<(LeafView<'_, L>, usize)> {
        Some(self.reach(index, Toward::Lower, Toward::ahead)?.nearest(Toward::Lower))
    }

    /// The live slot of a leaf next to the slot or the free subtree that covers `index`.
    pub(crate) fn live_beyond(&self, index: u64, toward: Toward) -> Option<(LeafView<'_, L>, usize)> {
        Some(self.reach(index, toward, Toward::beyond)?.nearest(toward))
    }

    /// The first entry or reserved range that overlaps `range`.
    pub(crate) fn first_in(&self, range: IndexRange) -> Option<Found> {
        let (view, slot) = self.live_at_or_after(range.first())?;
        Some(view.found(slot)).filter(|found| found.range.first() <= range.last())
    }

    /// The last entry or reserved range that overlaps `range`.
    pub(crate) fn last_in(&self, range: IndexRange) -> Option<Found> {
        let (view, slot) = self.live_at_or_before(range.last())?;
        Some(view.found(slot)).filter(|found| found.range.last() >= range.first())
    }

    /// The leaf of the first live slot from `index` on in a direction. In the leaf that covers `index` only those
    /// slots count that `from` says, given the slot that covers it.
    ///
    /// Where the way down ends without one, the nearest live slot beside the way is taken instead, which was
    /// remembered: the deepest one is the nearest, and below it there is one (T3). So no way leads up again.
    pub(crate) fn reach(
        &self,
        index: u64,
        toward: Toward,
        from: impl Fn(Toward, usize) -> u32,
    ) -> Option<Reached<'_, L>> {
        let mut bounds = self.bounds();
        let mut near = index.clamp(bounds.first(), bounds.last());
        if near != index && (index > near) == (toward == Toward::Higher) {
            return None;
        }
        let mut covered = near == index;
        let mut link = self.root()?;
        let mut beside: Option<BranchView<'_, L>> = None;
        let mut above = None;
        loop {
            let below = match link.node() {
                Node::Leaf(leaf) => {
                    let slot = leaf.find(near);
                    let ahead = leaf.live() & if covered { from(toward, slot) } else { toward.ahead(slot) };
                    if ahead != 0 {
                        return Some(Reached { view: LeafView { leaf, bounds }, ahead, above });
                    }
                    None
                }
                Node::Branch(branch) => {
                    let slot = branch.find(near);
                    let view = BranchView { branch, bounds, ahead: branch.live() & toward.beyond(slot) };
                    above = Some(view);
                    if view.ahead != 0 {
                        beside = above;
                    }
                    branch.slot(slot).map(|child| (child, branch.range_of(slot, bounds)))
                }
            };
            (link, bounds) = match below {
                Some(below) => below,
                None => {
                    let mut view = beside.take()?;
                    let child = view.pop(toward)?;
                    // It is entered at its near edge.
                    near = toward.near_edge(child.1);
                    covered = false;
                    above = Some(view);
                    if view.ahead != 0 {
                        beside = above;
                    }
                    child
                }
            };
        }
    }
}

/// A leaf that was reached, and which of its live slots have not been passed, a bit for each.
pub(crate) struct Reached<'a, L: Layout> {
    pub(crate) view: LeafView<'a, L>,
    pub(crate) ahead: u32,
    /// The branch that the leaf hangs below.
    above: Option<BranchView<'a, L>>,
}

/// A branch, the range that it covers, and which of its live slots have not been passed, a bit for each.
struct BranchView<'a, L: Layout> {
    branch: &'a L::Branch,
    bounds: IndexRange,
    ahead: u32,
}

impl<L: Layout> Clone for Reached<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Reached<'_, L> {}

impl<L: Layout> Clone for BranchView<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for BranchView<'_, L> {}

impl<'a, L: Layout> Reached<'a, L> {
    /// The nearest slot ahead, of which there is one.
    fn nearest(&self, toward: Toward) -> (LeafView<'a, L>, usize) {
        (self.view, toward.nearest(self.ahead).unwrap_or(0))
    }

    /// Passes the nearest slot ahead: what is there.
    #[inline]
    pub(crate) fn pop(&mut self, toward: Toward) -> Option<Found> {
        let slot = toward.nearest(self.ahead)?;
        self.ahead &= !(1 << slot);
        Some(self.view.found(slot))
    }

    /// Goes to the next leaf below the same branch, if there is one. All of its live slots are ahead then.
    #[inline]
    pub(crate) fn follow(&mut self, toward: Toward) -> Option<()> {
        let above = self.above.as_mut()?;
        let (link, bounds) = above.pop(toward)?;
        if let Some(next) = toward.nearest(above.ahead).and_then(|slot| above.branch.slot(slot)) {
            next.prefetch_leaf();
        }
        let Node::Leaf(leaf) = link.node() else { return None };
        self.view = LeafView { leaf, bounds };
        self.ahead = leaf.live();
        Some(())
    }
}

impl<'a, L: Layout> BranchView<'a, L> {
    /// Passes the nearest slot ahead: the node there, and the range that it covers.
    #[inline]
    fn pop(&mut self, toward: Toward) -> Option<(&'a Link<L>, IndexRange)> {
        let slot = toward.nearest(self.ahead)?;
        self.ahead &= !(1 << slot);
        Some((self.branch.slot(slot)?, self.branch.range_of(slot, self.bounds)))
    }
}
