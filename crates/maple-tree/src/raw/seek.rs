//! Finding what is taken by index, and leaves in order.

use super::leaves::{Above, Found, LEAVES_AHEAD, LeafView, PlacedLeaf, Reached};
use super::{RawTree, Toward};
use crate::entry::Held;
use crate::node::{Layout, Node, NodeMut, Shape};
use crate::range::IndexRange;

impl<L: Layout, A> RawTree<L, A> {
    /// The word of the entry that covers `index`.
    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<Held> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        let mut child;
        loop {
            link = match link.node() {
                Node::Leaf(leaf) => return leaf.at(index),
                Node::Branch(branch) => {
                    child = branch.at(index)?;
                    &child
                }
            }
        }
    }

    /// The entry or the reserved range that covers `index`.
    pub(crate) fn find(&self, index: u64) -> Option<Found> {
        let view = self.leaf_at(index)?.view;
        let slot = view.leaf.find(index);
        (!view.leaf.is_empty(slot)).then(|| view.found(slot))
    }

    /// The leaf that covers `index`. There is none if that lies out of bounds or in a free subtree.
    #[inline(always)]
    pub(crate) fn leaf_at(&self, index: u64) -> Option<PlacedLeaf<'_, L>> {
        let mut link = self.root().filter(|_| self.bounds().contains(index))?;
        let mut bounds = self.bounds();
        let mut above = None;
        loop {
            match link.node() {
                Node::Leaf(leaf) => {
                    leaf.prefetch_slots();
                    return Some(PlacedLeaf { view: LeafView { leaf, bounds }, above });
                }
                Node::Branch(branch) => {
                    branch.prefetch_slots();
                    let slot = branch.find(index);
                    above = Some(Above { branch, bounds, slot });
                    link = branch.slot(slot)?;
                    bounds = branch.range_of(slot, bounds);
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

    /// What lies in the live slot of a leaf next to the slot or the free subtree that covers `index`. One walk, and another
    /// one at the end of a branch or in a free subtree.
    pub(crate) fn next_to(&self, index: u64, toward: Toward) -> Option<Found> {
        let Some(place) = self.leaf_at(index) else { return self.reach(index, toward)?.pop(toward) };
        let LeafView { leaf, bounds } = place.view;
        let mut reached = Reached { place, ahead: leaf.live() & toward.beyond(leaf.find(index)) };
        if reached.ahead == 0 && reached.follow(toward).is_none() {
            reached = self.reach(toward.near_edge(toward.beyond_range(bounds)?), toward)?;
        }
        reached.pop(toward)
    }

    /// The first entry or reserved range that overlaps `range`.
    pub(crate) fn first_in(&self, range: IndexRange) -> Option<Found> {
        let found = self.reach(range.first(), Toward::Higher)?.pop(Toward::Higher);
        found.filter(|found| found.range.first() <= range.last())
    }

    /// The last entry or reserved range that overlaps `range`.
    pub(crate) fn last_in(&self, range: IndexRange) -> Option<Found> {
        let found = self.reach(range.last(), Toward::Lower)?.pop(Toward::Lower);
        found.filter(|found| found.range.last() >= range.first())
    }

    /// The leaf of the first live slot from `index` on in a direction.
    ///
    /// Where the way down ends without one, the nearest live slot beside the way is taken instead, which was
    /// remembered: the deepest one is the nearest, and from there on each node has one (T3). So no way leads up again.
    #[inline(never)]
    pub(crate) fn reach(&self, index: u64, toward: Toward) -> Option<Reached<'_, L>> {
        self.reach_and(index, toward, |_, _| {})
    }

    /// The same for who is going to read on from there: has fetched what comes first on the way.
    #[inline(never)]
    pub(crate) fn reach_on_the_way(&self, index: u64, toward: Toward) -> Option<Reached<'_, L>> {
        self.reach_and(index, toward, |over, above| {
            for by in 1..LEAVES_AHEAD {
                above.prefetch_leaf(toward.further(above.slot, by));
            }
            if let Some(over) = over {
                over.prefetch_branch(toward.further(over.slot, 1));
            }
        })
    }

    /// The same with a look at the branch above the leaf, and at the one over that.
    #[inline(always)]
    fn reach_and<'a>(
        &'a self,
        index: u64,
        toward: Toward,
        look: impl Fn(Option<Above<'a, L>>, Above<'a, L>),
    ) -> Option<Reached<'a, L>> {
        let mut bounds = self.bounds();
        let near = index.clamp(bounds.first(), bounds.last());
        if near != index && (index > near) == (toward == Toward::Higher) {
            return None;
        }
        let mut link = self.root()?;
        let mut above = None;
        let mut beside = None;
        let mut over = None;
        loop {
            match link.node() {
                Node::Leaf(leaf) => {
                    if let Some(above) = above {
                        look(over, above);
                    }
                    let ahead = leaf.live() & toward.ahead(leaf.find(near));
                    if ahead != 0 {
                        let place = PlacedLeaf { view: LeafView { leaf, bounds }, above };
                        return Some(Reached { place, ahead });
                    }
                    break;
                }
                Node::Branch(branch) => {
                    let here = Above { branch, bounds, slot: branch.find(near) };
                    over = above.replace(here);
                    if here.ahead(toward) != 0 {
                        beside = above;
                    }
                    let Some(child) = here.child() else { break };
                    (link, bounds) = child;
                }
            }
        }
        let mut above = beside?;
        let mut ahead = above.ahead(toward);
        loop {
            above.slot = toward.nearest(ahead)?;
            let (link, bounds) = above.child()?;
            match link.node() {
                Node::Leaf(leaf) => {
                    let place = PlacedLeaf { view: LeafView { leaf, bounds }, above: Some(above) };
                    return Some(Reached { place, ahead: leaf.live() });
                }
                Node::Branch(branch) => {
                    above = Above { branch, bounds, slot: 0 };
                    ahead = branch.live();
                }
            }
        }
    }
}
