//! Writing: look, allocate, change.
//!
//! 1. *Look* (`plan`, `reshape`): walk down without changing anything and decide in which leaf the range goes, which
//!    slots it replaces, and how many nodes that needs.
//! 2. *Allocate* these nodes, or fail with the tree as it was.
//! 3. *Change* ([`commit`](Commit::run)): walk down again along the same path and do it. This cannot fail.
//!
//! What changes just one slot of one leaf is tried before all that, in one walk (`direct`).
//!
//! A new range mostly lies in empty slots of one leaf. Otherwise it crosses nodes or lies in an empty slot of
//! a branch; then it is given to the leaf next to it on the left (or, if there is none or that one is full, on
//! the right), whose ancestors up to the branch that spans the range grow by it. What lies beyond loses the
//! range at its edge; all of that is free, so it takes cutting off empty slots and no memory (`trim`).
//!
//! [`Prepared`] stands between 2 and 3: all that can fail is behind it.

mod commit;
mod direct;
mod own;
mod plan;
mod reshape;

use super::path::Path;
use super::{MAX_HEIGHT, RawTree, balance};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Aside, Layout, Link, NodeMut, Shape, Spare};
use crate::range::IndexRange;

use commit::Commit;
use plan::{Edit, Filling, Purpose};

pub(super) use plan::Plan;

/// Why a range was not inserted. The tree holds what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InsertFailure {
    /// Something is in the way: the first entry or reserved range, by index.
    Occupied(IndexRange),
    /// There is no memory for the nodes that the insertion needs.
    NoMemory(AllocError),
}

/// A write with all the nodes that it needs. It is for the tree that made it, and for that as it is now.
#[derive(Debug)]
#[must_use = "the nodes must be used or given back"]
pub(crate) struct Prepared<L: Layout> {
    /// Nothing if the tree is empty: then the spare leaf becomes the root.
    plan: Option<Plan>,
    range: IndexRange,
    nodes: Aside<L>,
}

impl<L: Layout> Prepared<L> {
    /// What is to be stored over the part of a divided entry that lies after the range, if there is such a part
    /// and another one before. The divided entry's own word is there now.
    pub(crate) fn duplicate(&mut self) -> Option<&mut Option<Held>> {
        let edit = &mut self.plan.as_mut()?.edit;
        match (edit.before, &mut edit.after) {
            (Filling::Taken(_), Filling::Taken(word)) => Some(word),
            _ => None,
        }
    }

    /// The entry that is divided, if one is.
    pub(crate) fn divided(&self) -> Option<IndexRange> {
        let edit = self.plan.as_ref()?.edit;
        (edit.purpose == Purpose::Divide).then_some(edit.span)
    }

    /// The range that gets something new.
    pub(crate) fn range(&self) -> IndexRange {
        self.range
    }

    /// Gives the nodes back.
    pub(crate) fn release<A: NodeAlloc>(self, tree: &mut RawTree<L, A>) {
        self.nodes.bring_back(&mut tree.memory).release(&mut tree.memory);
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Stores `word` over `range`, which must be free and within the bounds, or reserves the range if there is none.
    pub(crate) fn insert(
        &mut self,
        range: IndexRange,
        word: Option<Held>,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        match self.insert_directly(range, word) {
            Some(()) => Ok(()),
            None => self.insert_planned(range, word, mode),
        }
    }

    /// The same where it is known that it is not done directly.
    pub(in crate::raw) fn insert_planned(
        &mut self,
        range: IndexRange,
        word: Option<Held>,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        if self.root.is_none() {
            let prepared = self.prepare_insert(range, mode)?;
            self.commit(prepared, word);
            return Ok(());
        }
        // As if prepared and committed, but the plan stays where it is.
        let mut plan = self.plan_insert(range).map_err(InsertFailure::Occupied)?;
        if plan.leaves > 0 && self.spill(&plan.path) {
            // There is room now.
            if self.insert_directly(range, word).is_some() {
                return Ok(());
            }
            plan = self.plan_insert(range).map_err(InsertFailure::Occupied)?;
        }
        let spare = self.spare_for(&plan, mode).map_err(InsertFailure::NoMemory)?;
        self.commit_plan(&plan, word, spare);
        Ok(())
    }

    /// Prepares an insertion over `range`, which must be free and within the bounds.
    pub(crate) fn prepare_insert(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<Prepared<L>, InsertFailure> {
        if self.root.is_none() {
            let spare = Spare::allocate(&mut self.memory, 1, 0, mode).map_err(InsertFailure::NoMemory)?;
            return Ok(Prepared { plan: None, range, nodes: spare.set_aside(&mut self.memory) });
        }
        let mut plan = self.plan_insert(range).map_err(InsertFailure::Occupied)?;
        let spare = self
            .provide(&mut plan, mode, |tree| tree.plan_insert(range).ok())
            .map_err(InsertFailure::NoMemory)?;
        Ok(Prepared { plan: Some(plan), range, nodes: spare.set_aside(&mut self.memory) })
    }

    /// Makes room for a write, or else gets the nodes that it needs. `again` makes the plan anew.
    fn provide(
        &mut self,
        plan: &mut Plan,
        mode: AllocMode,
        again: impl FnOnce(&Self) -> Option<Plan>,
    ) -> Result<Spare<L>, AllocError> {
        if plan.leaves == 0 {
            return Ok(Spare::none());
        }
        if self.spill(&plan.path) {
            if let Some(again) = again(self) {
                *plan = again;
            }
            debug_assert_eq!(
                plan.leaves, 0,
                "a tree whose slots were moved may not fail for memory any more"
            );
        }
        self.spare_for(plan, mode)
    }

    /// The nodes that a write needs.
    fn spare_for(&mut self, plan: &Plan, mode: AllocMode) -> Result<Spare<L>, AllocError> {
        if plan.leaves == 0 {
            return Ok(Spare::none());
        }
        // As many branches as there are levels: a split of each, the root included, and a new root.
        if plan.branches == self.height && self.height == MAX_HEIGHT {
            return Err(AllocError);
        }
        Spare::allocate(&mut self.memory, plan.leaves, plan.branches, mode)
    }

    /// Does what was prepared, with `word` for the range, or reserves the range if there is none.
    pub(crate) fn commit(&mut self, prepared: Prepared<L>, word: Option<Held>) {
        let Prepared { plan, range, nodes } = prepared;
        let mut spare = nodes.bring_back(&mut self.memory);
        let Some(plan) = plan else {
            self.root = spare.take_leaf().map(|leaf| self.first_leaf(leaf, range, word));
            self.height = 1;
            *self.counter(word) += 1;
            return;
        };
        self.commit_plan(&plan, word, spare);
    }

    fn commit_plan(&mut self, plan: &Plan, word: Option<Held>, spare: Spare<L>) {
        *self.counter(word) += 1;
        if let (Filling::Taken(_), Filling::Taken(duplicate)) = (plan.edit.before, plan.edit.after) {
            *self.counter(duplicate) += 1;
        }
        self.apply(plan, word, spare);
    }

    /// Does what was planned. All but the counters.
    fn apply(&mut self, plan: &Plan, word: Option<Held>, spare: Spare<L>) {
        reached!(plan.reaches());
        let mut commit = Commit { plan, word, spare };
        if let Some(mut root) = self.root.take() {
            let done = commit.run(&mut root, 0, self.bounds);
            self.root = Some(match done.split {
                None => root,
                Some((end, right)) => {
                    self.height += 1;
                    commit.new_root(self.bounds, root, end, right)
                }
            });
        }
        commit.spare.release(&mut self.memory);
    }

    /// Makes a new leaf the root, with one range in it.
    fn first_leaf(&self, mut root: Link<L>, range: IndexRange, word: Option<Held>) -> Link<L> {
        if let NodeMut::Leaf(leaf) = root.node_mut() {
            leaf.splice(0, 0, 1);
            Edit::insert(0, 1, self.bounds).apply(leaf, range, word);
        }
        root
    }

    /// Evens out the leaf at the end of `path` with a leaf beside it that has room. Whether there was one.
    ///
    /// This moves slots, not contents, and afterwards there is room: the write needs no memory any more.
    /// A tree filled at random with adjacent entries takes 23.7 bytes per entry with this and 28.0 without.
    fn spill(&mut self, path: &Path) -> bool {
        let Some(parent) = path.depth().checked_sub(1) else { return false };
        let mut bounds = self.bounds;
        let mut link = self.root.as_mut();
        for depth in 0..=parent {
            let Some(NodeMut::Branch(branch)) = link.map(Link::node_mut) else { return false };
            let slot = path.slot(depth);
            if depth == parent {
                return balance::spill::<L>(branch, slot, bounds).is_some();
            }
            bounds = branch.range_of(slot, bounds);
            link = branch.slot_mut(slot);
        }
        false
    }
}
