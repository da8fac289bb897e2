//! Inserting an entry: look, allocate, change.
//!
//! 1. *Look* ([`plan`](RawTree::plan)): walk down without changing anything and decide in which leaf the entry
//!    goes, which empty slots it replaces, and how many nodes that needs.
//! 2. *Allocate* these nodes, or fail with the tree as it was.
//! 3. *Change* ([`commit`](Commit::run)): walk down again along the same path and do it. This cannot fail.
//!
//! Mostly the free range lies in empty slots of one leaf. Otherwise it crosses nodes or lies in an empty slot of
//! a branch; then it is given to the leaf next to it on the left (or, if there is none or that one is full, on
//! the right), whose ancestors up to the branch that spans the range grow by it. What lies beyond loses the
//! range at its edge; all of that is free, so it takes cutting off empty slots and no memory (`trim`).

mod commit;
mod plan;

use super::path::Path;
use super::summarize::{Change, refresh};
use super::{MAX_HEIGHT, RawTree, balance};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Layout, Link, NodeMut, Shape, Spare};
use crate::range::IndexRange;

use commit::Commit;
use plan::Edit;

/// Why a range was not inserted. The tree is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InsertFailure {
    /// An entry is in the way: the first one, by index.
    Occupied(IndexRange),
    /// There is no memory for the nodes that the insertion needs.
    NoMemory(AllocError),
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Stores `word` over `range`, which must be free and within the bounds.
    pub(crate) fn insert(
        &mut self,
        range: IndexRange,
        word: Held,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        if self.root.is_none() {
            return self.insert_first(range, word, mode);
        }
        let mut plan = self.plan(range).map_err(InsertFailure::Occupied)?;
        if plan.leaves > 0 && self.spill(&plan.path) {
            plan = self.plan(range).map_err(InsertFailure::Occupied)?;
            debug_assert_eq!(
                plan.leaves, 0,
                "a tree whose slots were moved may not fail for memory any more"
            );
        }
        // As many branches as there are levels: a split of each, the root included, and a new root.
        if plan.branches == self.height && self.height == MAX_HEIGHT {
            return Err(InsertFailure::NoMemory(AllocError));
        }
        let spare = if plan.leaves == 0 {
            Spare::none()
        } else {
            Spare::allocate(&mut self.memory, plan.leaves, plan.branches, mode)
                .map_err(InsertFailure::NoMemory)?
        };
        let mut commit = Commit { plan: &plan, word, spare };
        if let Some(mut root) = self.root.take() {
            let done = commit.run(&mut root, 0, self.bounds);
            self.root = Some(match done.split {
                None => root,
                Some((end, right)) => {
                    self.height += 1;
                    commit.new_root(self.bounds, root, end, right)
                }
            });
            self.entries += 1;
        }
        commit.spare.release(&mut self.memory);
        Ok(())
    }

    fn insert_first(&mut self, range: IndexRange, word: Held, mode: AllocMode) -> Result<(), InsertFailure> {
        let mut root: Link<L> = self.memory.new_leaf(mode).map_err(InsertFailure::NoMemory)?;
        if let NodeMut::Leaf(leaf) = root.node_mut() {
            leaf.splice(0, 0, 1);
            Edit { at: 0, removed: 1, free: self.bounds }.apply(leaf, range, word);
        }
        self.root = Some(root);
        self.height = 1;
        self.entries = 1;
        Ok(())
    }

    /// Evens out the leaf at the end of `path` with a leaf beside it that has room. Whether there was one.
    ///
    /// This moves slots, not contents, and afterwards there is room: the insertion needs no memory any more.
    /// A tree filled at random with adjacent entries takes 23.7 bytes per entry with this and 28.0 without.
    fn spill(&mut self, path: &Path) -> bool {
        let Some(parent) = path.depth().checked_sub(1) else { return false };
        let bounds = self.bounds;
        let Some(root) = self.root.as_mut() else { return false };
        spill_at(root, path, 0, parent, bounds).is_some()
    }
}

/// Walks to the branch at depth `parent` and evens out the leaf there with one beside it.
fn spill_at<L: Layout>(
    link: &mut Link<L>,
    path: &Path,
    depth: usize,
    parent: usize,
    bounds: IndexRange,
) -> Option<Change> {
    let NodeMut::Branch(branch) = link.node_mut() else { return None };
    let slot = path.slot(depth);
    if depth == parent {
        return balance::spill::<L>(branch, slot, bounds);
    }
    let child_bounds = branch.range_of(slot, bounds);
    let change = spill_at(branch.slot_mut(slot)?, path, depth + 1, parent, child_bounds)?;
    Some(refresh::<L>(branch, slot, bounds, change))
}
