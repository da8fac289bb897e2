//! Joining sparse nodes, and making a tree dense, under readers: as far as there is memory for copies.

use super::Writer;
use super::draft::Draft;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::node::{Layout, Link, Node, NodeMut, Shape};
use crate::raw::balance::{join_sparse, sparse_pair};
use crate::raw::compact::{Compaction, Place, tighten};
use crate::raw::{RawTree, tidy_len_of};

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Joins sparse nodes on the way to `index`, from the leaf up: those below the depths that have a bit in `sparse`. Only
    /// nodes are used that are kept, and no allocator is asked.
    pub(super) fn mend(&mut self, index: u64, sparse: u64) {
        let mut sparse = sparse;
        while let Some(depth) = sparse.checked_ilog2() {
            sparse &= !(1 << depth);
            if self.tree.memory.kept_none() {
                reached!(EraseCannotJoin);
                return;
            }
            let depth = depth as usize;
            if !has_sparse_pair(self.tree, index, depth) {
                continue;
            }
            let Ok(draft) = Draft::begin(self.tree, index, depth, None) else { continue };
            let joined = self.tree.join_private(index, None);
            reached!(if joined { EraseJoins } else { EraseGivesUp });
            if joined {
                let replaced = draft.publish(self, None);
                self.retire(replaced);
            } else {
                draft.discard(self.tree);
            }
        }
        self.lower_root(None);
    }

    /// Takes out a root that has one child, once that covers all that the root covers.
    fn lower_root(&mut self, mode: Option<AllocMode>) {
        while self.tree.can_lose_root() {
            let index = self.tree.bounds.first();
            let draft = match mode {
                Some(mode) => self.begin(index, 0, mode),
                None => Draft::begin(self.tree, index, 0, None),
            };
            let Ok(draft) = draft else { return };
            let height = self.tree.height;
            let mut owned = Ok(());
            while self.tree.root().is_some_and(Link::is_private) {
                owned = self.tree.own_edges(mode);
                if owned.is_err() || !self.tree.shrink_once() {
                    break;
                }
            }
            reached!(if self.tree.height == height { RootNotLowered } else { RootLowered });
            if self.tree.height == height {
                return draft.discard(self.tree);
            }
            let replaced = draft.publish(self, None);
            self.retire(replaced);
            if owned.is_err() {
                return;
            }
        }
    }

    /// Tightens `budget` branches as far as there is memory for copies; whether there is more to do.
    pub(crate) fn compact_step(&mut self, state: &mut Compaction, budget: usize, mode: AllocMode) -> bool {
        for _ in 0..budget {
            let Some(place) = state.next else { break };
            let before = self.tree.memory.nodes();
            state.next = self.tighten_next(place, mode);
            if state.next.is_none() {
                self.lower_root(Some(mode));
            }
            state.released += before.saturating_sub(self.tree.memory.nodes());
        }
        !state.is_done()
    }

    /// Tightens the branch at a place; the place after it.
    fn tighten_next(&mut self, place: Place, mode: AllocMode) -> Option<Place> {
        let bounds = self.tree.bounds;
        let root_level = self.tree.height.checked_sub(1).filter(|&level| place.level <= level)?;
        let index = place.index.max(bounds.first());
        let end = if index > bounds.last() {
            bounds.last()
        } else {
            self.tighten_at(root_level - place.level, index, mode)
        };
        if end < bounds.last() {
            return Some(Place { index: end + 1, ..place });
        }
        (place.level < root_level).then_some(Place { level: place.level + 1, index: 0 })
    }

    /// Tightens the branch at `depth` that covers `index`, if there is one. Returns up to where it, or what is free
    /// instead, reaches.
    fn tighten_at(&mut self, depth: usize, index: u64, mode: AllocMode) -> u64 {
        let (mut link, mut bounds) = (self.tree.root(), self.tree.bounds());
        for _ in 0..depth {
            let Some(Node::Branch(branch)) = link.map(Link::node) else { return bounds.last() };
            let slot = branch.find(index);
            bounds = branch.range_of(slot, bounds);
            link = branch.slot(slot);
        }
        let Some(Node::Branch(branch)) = link.map(Link::node) else { return bounds.last() };
        if could_be_tighter::<L>(branch) {
            if let Ok(draft) = self.begin(index, depth, mode) {
                if self.tree.tighten_private(mode).is_ok() {
                    let replaced = draft.publish(self, None);
                    self.retire(replaced);
                } else {
                    draft.discard(self.tree);
                }
            }
        }
        bounds.last()
    }

    /// Begins a draft, if the retired nodes are not too many already.
    pub(super) fn begin(
        &mut self,
        index: u64,
        depth: usize,
        mode: AllocMode,
    ) -> Result<Draft<L>, AllocError> {
        self.retired.check_limit(self.tree.memory.nodes())?;
        Draft::begin(self.tree, index, depth, Some(mode))
    }
}

/// Whether the node below the branch at `depth`, on the way to `index`, would be joined with one beside it.
fn has_sparse_pair<L: Layout, A>(tree: &RawTree<L, A>, index: u64, depth: usize) -> bool {
    let mut link = tree.root();
    for _ in 0..depth {
        let Some(Node::Branch(branch)) = link.map(Link::node) else { return false };
        link = branch.slot(branch.find(index));
    }
    match link.map(Link::node) {
        Some(Node::Branch(branch)) => sparse_pair::<L>(branch, branch.find(index)).is_some(),
        _ => false,
    }
}

/// Whether the slots of a branch's children would fit into fewer of them.
fn could_be_tighter<L: Layout>(branch: &L::Branch) -> bool {
    let (mut slots, mut children, mut capacity) = (0, 0, 1);
    for child in branch.slots().iter().flatten() {
        children += 1;
        slots += tidy_len_of(child);
        capacity = match child.node() {
            Node::Leaf(_) => L::Leaf::CAPACITY,
            Node::Branch(_) => L::Branch::CAPACITY,
        };
    }
    slots.div_ceil(capacity) < children
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Joins the child of the root, which is private, at `index` with one beside it, if it is sparse and there is memory
    /// for copies of both. Whether it was.
    pub(super) fn join_private(&mut self, index: u64, mode: Option<AllocMode>) -> bool {
        let bounds = self.bounds;
        let Some(NodeMut::Branch(branch)) = self.root.as_mut().map(Link::node_mut) else { return false };
        // A copy may be shorter than its original, so that it is to be joined with another one.
        while let Some((left, right)) = sparse_pair::<L>(branch, branch.find(index)) {
            let mut own = |slot| Self::own_child(branch, slot, bounds, &mut self.memory, mode);
            match (own(left), own(right)) {
                (Ok(false), Ok(false)) => break,
                (Ok(_), Ok(_)) => {}
                _ => return false,
            }
        }
        let Some(needless) = join_sparse::<L>(branch, branch.find(index), bounds) else {
            return false;
        };
        self.memory.release(needless);
        true
    }

    /// Makes the nodes at both edges of the root's only child private. The root is.
    fn own_edges(&mut self, mode: Option<AllocMode>) -> Result<(), AllocError> {
        let bounds = self.bounds;
        let Some(NodeMut::Branch(branch)) = self.root.as_mut().map(Link::node_mut) else { return Ok(()) };
        let Some(slot) = branch.live_at_or_after(0) else { return Ok(()) };
        let range = branch.range_of(slot, bounds);
        if range == bounds || !branch.live().is_power_of_two() {
            return Ok(());
        }
        for index in [range.first(), range.last()] {
            let (mut branch, mut bounds) = (&mut *branch, bounds);
            loop {
                let slot = branch.find(index);
                Self::own_child(branch, slot, bounds, &mut self.memory, mode)?;
                bounds = branch.range_of(slot, bounds);
                match branch.slot_mut(slot).map(Link::node_mut) {
                    Some(NodeMut::Branch(child)) => branch = child,
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// Makes all children of the root private, which is, and moves their slots to the left.
    fn tighten_private(&mut self, mode: AllocMode) -> Result<(), AllocError> {
        let bounds = self.bounds;
        let Some(NodeMut::Branch(branch)) = self.root.as_mut().map(Link::node_mut) else { return Ok(()) };
        for slot in 0..branch.len() {
            Self::own_child(branch, slot, bounds, &mut self.memory, Some(mode))?;
        }
        tighten::<L, A>(branch, bounds, &mut self.memory);
        Ok(())
    }
}
