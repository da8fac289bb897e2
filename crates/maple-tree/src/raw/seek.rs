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
    /// The slots from `slot` on, a bit for each.
    #[inline]
    pub(super) fn ahead(self, slot: usize) -> u32 {
        match self {
            Self::Higher => u32::MAX << slot,
            Self::Lower => u32::MAX >> (31 - slot),
        }
    }

    /// The first slot on the way of those in a bit mask.
    #[inline]
    pub(super) fn nearest(self, slots: u32) -> Option<usize> {
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
        let mut index = index;
        loop {
            let view = self.leaf_toward(index, Toward::Higher)?;
            let from = if view.bounds.contains(index) { view.leaf.find(index) } else { 0 };
            match view.leaf.live_at_or_after(from) {
                Some(slot) => return Some((view, slot)),
                None => index = view.bounds.after()?.first(),
            }
        }
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

    /// The last live slot of a leaf that begins at or before `index`.
    pub(crate) fn live_at_or_before(&self, index: u64) -> Option<(LeafView<'_, L>, usize)> {
        let mut index = index;
        loop {
            let view = self.leaf_toward(index, Toward::Lower)?;
            let from = if view.bounds.contains(index) { view.leaf.find(index) } else { view.leaf.len() - 1 };
            match view.leaf.live_at_or_before(from) {
                Some(slot) => return Some((view, slot)),
                None => index = view.bounds.before()?.last(),
            }
        }
    }

    /// The leaf that covers `index`, or if there is none the next one in a direction.
    ///
    /// Where the way down ends at an empty slot, the nearest live slot beside the way is taken instead, which
    /// was remembered: the deepest one is the nearest. So no way leads up again.
    fn leaf_toward(&self, index: u64, toward: Toward) -> Option<LeafView<'_, L>> {
        let nothing_there = match toward {
            Toward::Higher => index > self.bounds().last(),
            Toward::Lower => index < self.bounds().first(),
        };
        if nothing_there {
            return None;
        }
        let mut link = self.root()?;
        let mut bounds = self.bounds();
        let mut beside: Option<(&Link<L>, IndexRange)> = None;
        loop {
            let branch = match link.node() {
                Node::Leaf(leaf) => return Some(LeafView { leaf, bounds }),
                Node::Branch(branch) => branch,
            };
            // A branch beside the way is entered at its near edge.
            let near = index.clamp(bounds.first(), bounds.last());
            let slot = branch.find(near);
            let neighbour = match toward {
                Toward::Higher => branch.live_at_or_after(slot + 1),
                Toward::Lower => slot.checked_sub(1).and_then(|left| branch.live_at_or_before(left)),
            };
            if let Some((neighbour, child)) = neighbour.and_then(|n| Some((n, branch.slot(n)?))) {
                beside = Some((child, branch.range_of(neighbour, bounds)));
            }
            (link, bounds) = match branch.slot(slot) {
                Some(child) => (child, branch.range_of(slot, bounds)),
                None => beside.take()?,
            };
        }
    }
}
