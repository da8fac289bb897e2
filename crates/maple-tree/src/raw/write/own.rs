//! Making all nodes private that a plan changes, for trees that others read.

use super::plan::{Place, Plan};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::node::{Layout, Link, Memory, NodeMut, Shape};
use crate::range::IndexRange;
use crate::raw::{RawTree, Toward, balance};

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Whether the plan splits the root, so that the tree becomes higher.
    pub(in crate::raw) fn splits_root(&self, plan: &Plan) -> bool {
        plan.leaves > 0 && plan.branches > plan.path.depth() && !self.can_spill(plan)
    }

    /// Whether the full leaf that a plan would split can be evened out with one beside it instead.
    fn can_spill(&self, plan: &Plan) -> bool {
        let (mut link, mut depth) = (self.root(), 0);
        while let Some(crate::node::Node::Branch(branch)) = link.map(Link::node) {
            let slot = plan.path.slot(depth);
            depth += 1;
            if depth == plan.path.depth() {
                return balance::spill_neighbour::<L>(branch, slot).is_some();
            }
            link = branch.slot(slot);
        }
        false
    }

    /// Replaces one of the nodes that a plan changes, and that readers may be in, by a private copy. Whether there was
    /// one: then the plan does not hold any more. The root is private.
    pub(in crate::raw) fn privatize(&mut self, plan: &Plan, mode: AllocMode) -> Result<bool, AllocError> {
        let bounds = self.bounds;
        let mut own = Own { memory: &mut self.memory, mode };
        match self.root.as_mut() {
            Some(root) => own.along(root, bounds, plan, 0),
            None => Ok(false),
        }
    }
}

struct Own<'a, L: Layout, A> {
    memory: &'a mut Memory<L, A>,
    mode: AllocMode,
}

impl<L: Layout, A: NodeAlloc> Own<'_, L, A> {
    fn child(&mut self, branch: &mut L::Branch, slot: usize, bounds: IndexRange) -> Result<bool, AllocError> {
        RawTree::own_child(branch, slot, bounds, self.memory, Some(self.mode))
    }

    /// The nodes on the path, those beside it that lose what the leaf on the path gets, and the leaf that takes over slots
    /// of a full one.
    fn along(
        &mut self,
        link: &mut Link<L>,
        bounds: IndexRange,
        plan: &Plan,
        depth: usize,
    ) -> Result<bool, AllocError> {
        let NodeMut::Branch(branch) = link.node_mut() else { return Ok(false) };
        let slot = plan.path.slot(depth);
        if self.child(branch, slot, bounds)? {
            return Ok(true);
        }
        let beside = match plan.place {
            Place::LeftOf { depth: top } if top == depth => {
                let to = branch.find(plan.range.last());
                plan.range.after().filter(|_| to > slot).map(|after| (to, after.first(), Toward::Lower))
            }
            Place::RightOf { depth: top } if top == depth => {
                let from = branch.find(plan.range.first());
                plan.range
                    .before()
                    .filter(|_| from < slot)
                    .map(|before| (from, before.last(), Toward::Higher))
            }
            _ => None,
        };
        if let Some((beside, index, edge)) = beside {
            if self.child(branch, beside, bounds)? {
                return Ok(true);
            }
            let range = branch.range_of(beside, bounds);
            if let Some(child) = branch.slot_mut(beside) {
                if self.edge(child, range, index, edge)? {
                    return Ok(true);
                }
            }
        }
        if plan.leaves > 0 && depth + 1 == plan.path.depth() {
            if let Some(neighbour) = balance::spill_neighbour::<L>(branch, slot) {
                if self.child(branch, neighbour, bounds)? {
                    return Ok(true);
                }
            }
        }
        let range = branch.range_of(slot, bounds);
        match branch.slot_mut(slot) {
            Some(child) => self.along(child, range, plan, depth + 1),
            None => Ok(false),
        }
    }

    /// The nodes that are cut at an index: what is on one side of it is taken away from them.
    fn edge(
        &mut self,
        link: &mut Link<L>,
        bounds: IndexRange,
        index: u64,
        edge: Toward,
    ) -> Result<bool, AllocError> {
        let NodeMut::Branch(branch) = link.node_mut() else { return Ok(false) };
        if !bounds.contains(index) {
            return Ok(false);
        }
        let slot = branch.find(index);
        let range = branch.range_of(slot, bounds);
        let cut = match edge {
            Toward::Lower => range.first() < index,
            Toward::Higher => range.last() > index,
        };
        if !cut {
            return Ok(false);
        }
        if self.child(branch, slot, bounds)? {
            return Ok(true);
        }
        match branch.slot_mut(slot) {
            Some(child) => self.edge(child, range, index, edge),
            None => Ok(false),
        }
    }
}
