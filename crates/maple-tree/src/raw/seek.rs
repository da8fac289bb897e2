//! Finding entries by index, and leaves in order.

use super::RawTree;
use crate::entry::Held;
use crate::node::{Layout, Link, Node, NodeMut, Shape};
use crate::range::IndexRange;

/// An entry as a tree holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) range: IndexRange,
    pub(crate) word: Held,
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
    /// The entry in a slot.
    pub(crate) fn entry(&self, slot: usize) -> Option<Found> {
        let word = *self.leaf.slot(slot)?;
        Some(Found { range: self.leaf.range_of(slot, self.bounds), word })
    }
}

/// Which way to go from an index where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Toward {
    Higher,
    Lower,
}

impl<L: Layout, A> RawTree<L, A> {
    /// The word of the entry that covers `index`.
    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<Held> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        loop {
            match link.node() {
                Node::Leaf(leaf) => return leaf.slot(leaf.find(index)).copied(),
                Node::Branch(branch) => link = branch.slot(branch.find(index))?,
            }
        }
    }

    /// The entry that covers `index`.
    pub(crate) fn entry(&self, index: u64) -> Option<Found> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        let mut bounds = self.bounds();
        loop {
            match link.node() {
                Node::Leaf(leaf) => return LeafView::<L> { leaf, bounds }.entry(leaf.find(index)),
                Node::Branch(branch) => {
                    let slot = branch.find(index);
                    bounds = branch.range_of(slot, bounds);
                    link = branch.slot(slot)?;
                }
            }
        }
    }

    /// Replaces the word of the entry that covers `index`; returns the old one.
    pub(crate) fn replace(&mut self, index: u64, word: Held) -> Option<Held> {
        let bounds = self.bounds();
        let mut link = self.root_mut().filter(|_| bounds.contains(index))?;
        loop {
            match link.node_mut() {
                NodeMut::Leaf(leaf) => {
                    let slot = leaf.slot_mut(leaf.find(index))?;
                    return Some(core::mem::replace(slot, word));
                }
                NodeMut::Branch(branch) => link = branch.slot_mut(branch.find(index))?,
            }
        }
    }

    /// The gap around `index`, which is within the bounds and free.
    pub(crate) fn gap_at(&self, index: u64) -> Option<IndexRange> {
        let range_of = |(view, slot): (LeafView<'_, L>, usize)| view.entry(slot).map(|found| found.range);
        let before = self.entry_at_or_before(index).and_then(range_of);
        let after = self.entry_at_or_after(index).and_then(range_of);
        let gap = before.map_or(Some(self.bounds()), |before| before.after()?.intersection(self.bounds()))?;
        let gap = after.map_or(Some(gap), |after| after.before()?.intersection(gap))?;
        gap.contains(index).then_some(gap)
    }

    /// The first entry that ends at or after `index`, with its leaf and slot.
    pub(crate) fn entry_at_or_after(&self, index: u64) -> Option<(LeafView<'_, L>, usize)> {
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

    /// The last entry that begins at or before `index`, with its leaf and slot.
    pub(crate) fn entry_at_or_before(&self, index: u64) -> Option<(LeafView<'_, L>, usize)> {
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
