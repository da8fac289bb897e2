//! Erasing an entry or a reserved range: no memory, no failure.
//!
//! The entry's slot becomes empty, in place. A node that has no live slot left is taken out and its slot in the
//! parent becomes empty, and so on upwards. A sparse node is joined with a neighbour, which frees one. Then the
//! gap summaries on the way up are brought up to date, until one does not change.

mod inside;

use super::Found;
use super::RawTree;
use super::balance::join_sparse;
use super::summarize::{Run, raise, refresh_all};
use crate::alloc::NodeAlloc;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Takes out the entry or the reserved range that covers `index`, if it is `wanted`.
    pub(crate) fn erase_if(&mut self, index: u64, wanted: impl FnOnce(Found) -> bool) -> Option<Found> {
        let wanted = match self.erase_inside(index, wanted) {
            Ok(done) => return done,
            Err(wanted) => wanted,
        };
        let bounds = self.bounds;
        let root = self.root.as_mut()?;
        let mut erasure = Erasure { index, memory: &mut self.memory, found: None, run: Run::UNKNOWN };
        erasure.below(root, bounds, wanted)?;
        let found = erasure.found?;
        let may_shrink = match root.node() {
            Node::Leaf(leaf) => leaf.live() == 0,
            Node::Branch(branch) => branch.live().count_ones() <= 1,
        };
        *self.counter(found.word) -= 1;
        if may_shrink {
            self.shrink();
        }
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

    /// Whether the root has just one child, and that could cover what the root covers.
    pub(super) fn can_lose_root(&self) -> bool {
        let Some(Node::Branch(branch)) = self.root().map(Link::node) else { return false };
        let only = branch.live_at_or_after(0).filter(|_| branch.live().is_power_of_two());
        only.is_some_and(|slot| {
            let range = branch.range_of(slot, self.bounds);
            branch.slot(slot).is_some_and(|child| can_grow(child, range, self.bounds))
        })
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
            // Under readers it is a copy that grows, which is tidy.
            leaf.tidy_len() + usize::from(front) + usize::from(back) <= L::Leaf::CAPACITY
        }
        Node::Branch(branch) => {
            let last = branch.len() - 1;
            let ((front, front_to), (back, back_to)) = edge_slots::<L>(branch, from, to);
            let can = |slot: usize, from, to| branch.slot(slot).is_none_or(|child| can_grow(child, from, to));
            can(0, front, front_to) && (last == 0 || can(last, back, back_to))
        }
    }
}

/// An erasure on its way down the tree and up again.
struct Erasure<'a, L, A> {
    index: u64,
    memory: &'a mut Memory<L, A>,
    /// What was erased, once it is.
    found: Option<Found>,
    /// The run that grew, as the node has it that was left last.
    run: Run,
}

/// What an erasure made of a node, for its parent to see to.
struct Erased {
    /// Whether its summary changed.
    changed: bool,
    fill: Fill,
}

/// How much of a node is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    /// No live slot.
    Nothing,
    /// Less than half of the slots.
    Sparse,
    Enough,
}

impl Fill {
    #[inline]
    fn of<S: Shape>(node: &S) -> Self {
        if node.live() == 0 {
            Self::Nothing
        } else if node.tidy_len() * 2 < S::CAPACITY {
            Self::Sparse
        } else {
            Self::Enough
        }
    }
}

impl<L: Layout, A: NodeAlloc> Erasure<'_, L, A> {
    /// Erases in the subtree under `link`, in which something covers the index, if that is wanted. The node itself may be left without a live
    /// slot.
    #[inline]
    fn below(
        &mut self,
        link: &mut Link<L>,
        bounds: IndexRange,
        wanted: impl FnOnce(Found) -> bool,
    ) -> Option<Erased> {
        match link.node_mut() {
            NodeMut::Leaf(leaf) => self.in_leaf(leaf, bounds, wanted),
            NodeMut::Branch(branch) => self.in_branch(branch, bounds, wanted),
        }
    }

    #[inline]
    fn in_leaf(
        &mut self,
        leaf: &mut L::Leaf,
        bounds: IndexRange,
        wanted: impl FnOnce(Found) -> bool,
    ) -> Option<Erased> {
        let slot = leaf.find(self.index);
        debug_assert!(!leaf.is_empty(slot), "there is something, or else it was said before");
        let found = Found { range: leaf.range_of(slot, bounds), word: leaf.slot(slot).copied() };
        if !wanted(found) {
            return None;
        }
        self.found = Some(found);
        leaf.put(slot, None);
        reached!([EmptyAlone, EmptyBesideOne, EmptyBetweenTwo][leaf.empty_beside(slot)]);
        let slot = leaf.coalesce(slot);
        self.run = Run::of(leaf.range_of(slot, bounds));
        Some(Erased { changed: true, fill: Fill::of(leaf) })
    }

    fn in_branch(
        &mut self,
        branch: &mut L::Branch,
        bounds: IndexRange,
        wanted: impl FnOnce(Found) -> bool,
    ) -> Option<Erased> {
        let mut slot = branch.find(self.index);
        let mut child = branch.range_of(slot, bounds);
        let Erased { mut changed, fill } = self.below(branch.slot_mut(slot)?, child, wanted)?;
        if fill == Fill::Nothing {
            if let Some(needless) = branch.put(slot, None) {
                reached!(if matches!(needless.node(), Node::Leaf(_)) { LeafFreed } else { BranchFreed });
                self.memory.release(needless);
            }
            if branch.live() == 0 {
                return Some(Erased { changed: false, fill });
            }
            reached!([FreedAlone, FreedBesideOne, FreedBetweenTwo][branch.empty_beside(slot)]);
            slot = branch.coalesce(slot);
            child = branch.range_of(slot, bounds);
            self.run = Run::of(child);
            changed = true;
        }
        changed = changed && raise::<L>(&mut branch.in_place(), slot, child, bounds, &mut self.run);
        if fill == Fill::Sparse {
            if let Some(needless) = join_sparse::<L>(branch, slot, bounds) {
                self.memory.release(needless);
            }
        }
        Some(Erased { changed, fill: Fill::of(branch) })
    }
}
