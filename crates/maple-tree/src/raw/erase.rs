//! Erasing an entry or a reserved range: no memory, no failure.
//!
//! The entry's slot becomes empty, in place. A node that has no live slot left is taken out and its slot in the
//! parent becomes empty, and so on upwards. A sparse node is joined with a neighbour, which frees one. Then the
//! gap summaries on the way up are brought up to date, until one does not change.

use super::RawTree;
use super::balance::join_sparse;
use super::seek::Found;
use super::summarize::{Change, grown_in_leaf, refresh, refresh_all};
use crate::alloc::NodeAlloc;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Takes out the entry or the reserved range that covers `index`, if it is `wanted`.
    pub(crate) fn erase_if(&mut self, index: u64, wanted: impl FnOnce(Found) -> bool) -> Option<Found> {
        let bounds = self.bounds;
        let root = self.root.as_mut().filter(|_| bounds.contains(index))?;
        let (found, _) = erase_below(root, bounds, index, wanted, &mut self.memory)?;
        *self.counter(found.word) -= 1;
        self.shrink();
        Some(found)
    }

    /// Takes out a root that holds nothing, or just one child, as often as there is one.
    pub(super) fn shrink(&mut self) {
        while self.shrink_once() {}
    }

    /// Takes out a root that holds nothing, or just one child. Whether there was one.
    pub(super) fn shrink_once(&mut self) -> bool {
        let Some(mut root) = self.root.take() else { return false };
        let (live, child) = match root.node_mut() {
            NodeMut::Leaf(leaf) => (leaf.live(), None),
            NodeMut::Branch(branch) => (branch.live(), only_child::<L>(branch, self.bounds)),
        };
        if live != 0 && child.is_none() {
            self.root = Some(root);
            return false;
        }
        reached!(match child.as_ref().map(Link::node) {
            None => TreeEmptied,
            Some(Node::Leaf(_)) => RootToLeaf,
            Some(Node::Branch(_)) => RootToBranch,
        });
        self.memory.release(root);
        self.height = if child.is_some() { self.height - 1 } else { 0 };
        self.root = child;
        true
    }
}

/// Takes the child out of a branch that has just this one, once the child covers what the branch covered.
fn only_child<L: Layout>(branch: &mut L::Branch, bounds: IndexRange) -> Option<Link<L>> {
    if branch.live().count_ones() > 1 {
        return None;
    }
    let slot = branch.live_at_or_after(0)?;
    let range = branch.range_of(slot, bounds);
    if !can_grow(branch.slot(slot)?, range, bounds) {
        reached!(RootCannotGrow);
        return None;
    }
    grow(branch.slot_mut(slot)?, range, bounds);
    branch.put(slot, None)
}

/// Makes a subtree that covers `from` cover `to`, if [`can_grow`] allows.
fn grow<L: Layout>(link: &mut Link<L>, from: IndexRange, to: IndexRange) {
    if from == to {
        return;
    }
    reached!(RootGrows);
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            if to.last() > from.last() && !leaf.is_empty(leaf.len() - 1) {
                let len = leaf.len();
                leaf.splice(len, 0, 1);
                leaf.set_last(len - 1, from.last());
            }
            if to.first() < from.first() && !leaf.is_empty(0) {
                leaf.splice(0, 0, 1);
                leaf.set_last(0, from.first() - 1);
            }
        }
        NodeMut::Branch(branch) => {
            let last = branch.len() - 1;
            let ((front, front_to), (back, back_to)) = edge_slots::<L>(branch, from, to);
            if let Some(child) = branch.slot_mut(last) {
                grow(child, back, back_to);
            }
            if let Some(child) = branch.slot_mut(0).filter(|_| last > 0) {
                grow(child, front, front_to);
            }
            refresh_all::<L>(&mut branch.in_place(), last, last + 1, to);
            refresh_all::<L>(&mut branch.in_place(), 0, 1, to);
        }
    }
}

/// What the first and the last slot of a branch cover while the branch covers `from`, and what they will when it
/// covers `to`. With a single slot both are the same.
fn edge_slots<L: Layout>(
    branch: &L::Branch,
    from: IndexRange,
    to: IndexRange,
) -> ((IndexRange, IndexRange), (IndexRange, IndexRange)) {
    let last = branch.len() - 1;
    let (front, back) = (branch.range_of(0, from), branch.range_of(last, from));
    if last == 0 {
        return ((from, to), (from, to));
    }
    ((front, front.starting_at(to.first())), (back, back.ending_at(to.last())))
}

/// Whether the leaves at the edges of a subtree have room for the empty slots that growing it may take.
fn can_grow<L: Layout>(link: &Link<L>, from: IndexRange, to: IndexRange) -> bool {
    match link.node() {
        Node::Leaf(leaf) => {
            let front = to.first() < from.first() && !leaf.is_empty(0);
            let back = to.last() > from.last() && !leaf.is_empty(leaf.len() - 1);
            leaf.len() + usize::from(front) + usize::from(back) <= L::Leaf::CAPACITY
        }
        Node::Branch(branch) => {
            let last = branch.len() - 1;
            let ((front, front_to), (back, back_to)) = edge_slots::<L>(branch, from, to);
            let can = |slot: usize, from, to| branch.slot(slot).is_none_or(|child| can_grow(child, from, to));
            can(0, front, front_to) && (last == 0 || can(last, back, back_to))
        }
    }
}

/// Erases in the subtree under `link`. The node itself may be left without a live slot, for the parent to see.
fn erase_below<L: Layout, A: NodeAlloc>(
    link: &mut Link<L>,
    bounds: IndexRange,
    index: u64,
    wanted: impl FnOnce(Found) -> bool,
    memory: &mut Memory<L, A>,
) -> Option<(Found, Change)> {
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            let slot = leaf.find(index);
            if leaf.is_empty(slot) {
                return None;
            }
            let range = leaf.range_of(slot, bounds);
            let found = Found { range, word: leaf.slot(slot).copied() };
            if !wanted(found) {
                return None;
            }
            leaf.put(slot, None);
            if leaf.live() == 0 {
                return Some((found, Change::Rebuilt));
            }
            reached!([EmptyAlone, EmptyBesideOne, EmptyBetweenTwo][leaf.empty_beside(slot)]);
            let slot = leaf.coalesce(slot);
            Some((found, grown_in_leaf::<L>(leaf, slot, bounds)))
        }
        NodeMut::Branch(branch) => {
            let slot = branch.find(index);
            let child_bounds = branch.range_of(slot, bounds);
            let child = branch.slot_mut(slot)?;
            let (found, change) = erase_below(child, child_bounds, index, wanted, memory)?;
            Some((found, settle::<L, A>(branch, slot, bounds, change, memory)))
        }
    }
}

/// Tidies a branch after an entry was erased below `slot`.
fn settle<L: Layout, A: NodeAlloc>(
    branch: &mut L::Branch,
    slot: usize,
    bounds: IndexRange,
    change: Change,
    memory: &mut Memory<L, A>,
) -> Change {
    let has_live = branch.slot(slot).is_some_and(|child| match child.node() {
        Node::Leaf(leaf) => leaf.live() != 0,
        Node::Branch(branch) => branch.live() != 0,
    });
    if !has_live {
        if let Some(child) = branch.put(slot, None) {
            reached!(if matches!(child.node(), Node::Leaf(_)) { LeafFreed } else { BranchFreed });
            memory.release(child);
        }
        if branch.live() == 0 {
            return Change::Rebuilt;
        }
        reached!([FreedAlone, FreedBesideOne, FreedBetweenTwo][branch.empty_beside(slot)]);
        let slot = branch.coalesce(slot);
        return refresh::<L>(&mut branch.in_place(), slot, bounds, Change::Rebuilt);
    }
    match join_sparse::<L>(branch, slot, bounds) {
        Some((slot, needless)) => {
            memory.release(needless);
            refresh::<L>(&mut branch.in_place(), slot, bounds, Change::Rebuilt)
        }
        None => refresh::<L>(&mut branch.in_place(), slot, bounds, change),
    }
}
