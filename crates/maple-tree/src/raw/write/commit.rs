//! The changing part of a write, which has all the nodes that it needs and cannot fail.

use super::plan::{Edit, Place, Plan, Purpose};
use crate::entry::Held;
use crate::node::{self, Layout, Link, NodeMut, Shape, Spare};
use crate::range::IndexRange;
use crate::raw::split::{Half, choose_cut};
use crate::raw::summarize::{Change, refresh, refresh_all, refresh_split};
use crate::raw::trim;

/// What became of a node on the path.
pub(super) struct Done<L: Layout> {
    /// The node ends here now, and the rest of it is this new node.
    pub(super) split: Option<(u64, Link<L>)>,
    change: Change,
}

/// The part of a write that changes the tree and cannot fail.
pub(super) struct Commit<'a, L: Layout> {
    pub(super) plan: &'a Plan,
    pub(super) word: Option<Held>,
    pub(super) spare: Spare<L>,
}

impl<L: Layout> Commit<'_, L> {
    /// Changes the node under `link`, at `depth` on the path, which covers `bounds` (once it has grown).
    pub(super) fn run(&mut self, link: &mut Link<L>, depth: usize, bounds: IndexRange) -> Done<L> {
        match link.node_mut() {
            NodeMut::Leaf(leaf) => self.run_leaf(leaf),
            NodeMut::Branch(branch) => self.run_branch(branch, depth, bounds),
        }
    }

    fn run_leaf(&mut self, leaf: &mut L::Leaf) -> Done<L> {
        let Plan { range, edit, .. } = *self.plan;
        let mut right = if self.plan.leaves > 0 { self.spare.take_leaf() } else { None };
        let Some(NodeMut::Leaf(new)) = right.as_mut().map(Link::node_mut) else {
            edit.apply(leaf, range, self.word);
            let change = match edit.purpose {
                Purpose::Insert => Change::Shrunk { run: edit.span, taken: range },
                // All of the span was taken, and is.
                Purpose::Divide => Change::None,
                Purpose::Widen => Change::Rebuilt,
            };
            return Done { split: None, change };
        };
        let run = edit.span;
        let edit = edit.beside_gap(leaf.len(), range);
        let cut = choose_cut(leaf, edit.at, edit.removed, edit.inserted(range));
        // Next to the edit the end is known from the edit: there may not be a pivot yet.
        let end = match cut.half {
            Half::Right if cut.at == edit.at => edit.span.first() - 1,
            Half::Left if cut.at == edit.at + edit.removed => edit.span.last(),
            _ => leaf.pivots()[cut.at - 1],
        };
        reached!(if cut.half == Half::Left { LeafSplitLeft } else { LeafSplitRight });
        node::split_off(leaf, cut.at, new);
        match cut.half {
            Half::Left => edit.apply(leaf, range, self.word),
            Half::Right => Edit { at: edit.at - cut.at, ..edit }.apply(new, range, self.word),
        }
        let change = match edit.purpose {
            Purpose::Insert => Change::Shrunk { run, taken: range },
            Purpose::Divide | Purpose::Widen => Change::Rebuilt,
        };
        Done { split: right.map(|right| (end, right)), change }
    }

    fn run_branch(&mut self, branch: &mut L::Branch, depth: usize, bounds: IndexRange) -> Done<L> {
        let slot = self.plan.path.slot(depth);
        let grown = match self.plan.place {
            Place::LeftOf { depth: top } if depth >= top => {
                reached!(if depth == top { GiveToLeft } else { GiveToLeftDeep });
                if depth == top {
                    trim::give_to_left::<L>(branch, slot, bounds, self.plan.range);
                } else {
                    trim::keep_until(branch, slot);
                }
                Some(slot)
            }
            Place::RightOf { depth: top } if depth >= top => {
                reached!(if depth == top { GiveToRight } else { GiveToRightDeep });
                Some(if depth == top {
                    trim::give_to_right::<L>(branch, slot, bounds, self.plan.range)
                } else {
                    trim::keep_from(branch, slot);
                    0
                })
            }
            _ => None,
        };
        let slot = grown.unwrap_or(slot);
        let child_bounds = branch.range_of(slot, bounds);
        let Some(child) = branch.slot_mut(slot) else {
            debug_assert!(false, "the way leads into an empty slot");
            return Done { split: None, change: Change::Rebuilt };
        };
        let done = self.run(child, depth + 1, child_bounds);
        if let Some((end, right)) = done.split {
            // What a leaf beside the one that grew has lost, it has lost at its edge.
            let change = if grown.is_some() { Change::Rebuilt } else { done.change };
            return self.add_child(branch, bounds, slot, child_bounds.last(), (end, right), change);
        }
        let change = if grown.is_some() {
            refresh_all::<L>(&mut branch.in_place(), slot.saturating_sub(1), slot + 2, bounds)
        } else {
            refresh::<L>(&mut branch.in_place(), slot, bounds, done.change)
        };
        Done { split: None, change }
    }

    /// Links a new node to the right of the child in `slot`, which ends at `end` since it was split; the two end
    /// at `last`. Splits the branch if it is full. The split child's `change` is for the two together.
    fn add_child(
        &mut self,
        branch: &mut L::Branch,
        bounds: IndexRange,
        slot: usize,
        last: u64,
        (end, right): (u64, Link<L>),
        change: Change,
    ) -> Done<L> {
        if branch.len() < L::Branch::CAPACITY {
            link_child::<L>(branch, slot + 1, last, end, right);
            let change = match change {
                Change::Shrunk { .. } => refresh_split::<L>(branch, slot, bounds, change),
                _ => refresh_all::<L>(&mut branch.in_place(), slot.saturating_sub(1), slot + 3, bounds),
            };
            return Done { split: None, change };
        }
        let mut sibling = self.spare.take_branch();
        let Some(NodeMut::Branch(new)) = sibling.as_mut().map(Link::node_mut) else {
            // Not reached: the plan counted a spare branch for each full one.
            debug_assert!(false, "no spare branch");
            return Done { split: None, change: Change::Rebuilt };
        };
        let cut = choose_cut(branch, slot + 1, 0, 1);
        let boundary = match cut.half {
            Half::Right if cut.at == slot + 1 => end,
            Half::Left if cut.at == slot + 1 => last,
            _ => branch.pivots()[cut.at - 1],
        };
        reached!(if cut.half == Half::Left { BranchSplitLeft } else { BranchSplitRight });
        node::split_off(branch, cut.at, new);
        let (left_bounds, right_bounds) = (bounds.ending_at(boundary), bounds.starting_at(boundary + 1));
        match cut.half {
            Half::Left => link_child::<L>(branch, slot + 1, last, end, right),
            Half::Right => link_child::<L>(new, slot + 1 - cut.at, last, end, right),
        }
        let left_from = slot.saturating_sub(1).min(branch.len() - 1);
        refresh_all::<L>(&mut branch.in_place(), left_from, usize::MAX, left_bounds);
        let from = (slot + 1).saturating_sub(cut.at + 2);
        refresh_all::<L>(&mut new.in_place(), from, (slot + 3).saturating_sub(cut.at).max(1), right_bounds);
        Done { split: sibling.map(|sibling| (boundary, sibling)), change: Change::Rebuilt }
    }

    /// A root over the old root, which ends at `end` since it was split, and the rest of it.
    pub(super) fn new_root(
        &mut self,
        bounds: IndexRange,
        left: Link<L>,
        end: u64,
        right: Link<L>,
    ) -> Link<L> {
        let Some(mut root) = self.spare.take_branch() else {
            debug_assert!(false, "no spare root");
            return left;
        };
        reached!(if matches!(left.node(), node::Node::Leaf(_)) { RootOverLeaves } else { RootOverBranches });
        if let NodeMut::Branch(branch) = root.node_mut() {
            branch.splice(0, 0, 2);
            branch.set_last(0, end);
            branch.put(0, Some(left));
            branch.put(1, Some(right));
            refresh_all::<L>(&mut branch.in_place(), 0, 2, bounds);
        }
        root
    }
}

/// Puts a node into a new slot at `at` that ends at `last`; the slot before it ends at `end`.
fn link_child<L: Layout>(branch: &mut L::Branch, at: usize, last: u64, end: u64, child: Link<L>) {
    branch.splice(at, 0, 1);
    if let Some(before) = at.checked_sub(1) {
        branch.set_last(before, end);
    }
    branch.set_last(at, last);
    branch.put(at, Some(child));
}
