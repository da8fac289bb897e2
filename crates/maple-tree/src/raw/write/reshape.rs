//! Writes to what is taken: an entry is divided, or gets more indices.

use super::Prepared;
use super::plan::{Edit, Filling, Place, Plan, Purpose};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Layout, Node, Shape, Spare};
use crate::range::IndexRange;
use crate::raw::path::Path;
use crate::raw::{MAX_HEIGHT, RawTree, Toward};

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Prepares to store something over `range`, which is a part of one entry. The rest of the entry stays; if that
    /// is two parts, the one on the right needs a word of its own ([`Prepared::duplicate`]).
    ///
    /// If that takes nodes, but storing over `free`, which adjoins, does not, then it is that instead.
    pub(crate) fn prepare_divide(
        &mut self,
        range: IndexRange,
        free: Option<IndexRange>,
        mode: AllocMode,
    ) -> Result<Prepared<L>, AllocError> {
        let mut plan = self.plan_divide_or_beside(range, free).ok_or(AllocError)?;
        let spare = self.provide(&mut plan, mode, |tree| tree.plan_divide(range))?;
        let range = plan.range;
        Ok(Prepared { plan: Some(plan), range, nodes: spare.set_aside(&mut self.memory) })
    }

    /// Makes the entry at `index` cover all of `range`, too. No other entry may lie wholly in there; one that reaches
    /// into it from outside keeps what lies outside. Needs no memory: the tree has no more slots afterwards.
    pub(crate) fn widen(&mut self, index: u64, range: IndexRange) {
        for toward in [Toward::Lower, Toward::Higher] {
            if let Some((plan, word)) = self.plan_widen(index, range, toward) {
                debug_assert_eq!(plan.leaves, 0, "an entry that grows takes no more slots");
                self.apply(&plan, word, Spare::none());
            }
        }
    }
}

impl<L: Layout, A> RawTree<L, A> {
    /// Plans to divide an entry, or to store over what is free beside it.
    pub(in crate::raw) fn plan_divide_or_beside(
        &self,
        range: IndexRange,
        free: Option<IndexRange>,
    ) -> Option<Plan> {
        let plan = self.plan_divide(range);
        debug_assert!(plan.is_some(), "no entry to divide");
        let plan = plan?;
        if plan.leaves > 0 {
            let beside = free.and_then(|free| self.plan_insert(free).ok());
            if let Some(beside) = beside.filter(|beside| beside.leaves == 0) {
                return Some(beside);
            }
        }
        Some(plan)
    }

    fn plan_divide(&self, range: IndexRange) -> Option<Plan> {
        let mut path = Path::root();
        let mut lens = [0u8; MAX_HEIGHT];
        let mut bounds = self.bounds();
        let mut link = self.root()?;
        loop {
            match link.node() {
                Node::Leaf(leaf) => {
                    let at = leaf.find(range.first());
                    let own = Filling::Taken(leaf.slot(at).copied());
                    let span = leaf.range_of(at, bounds);
                    let before = if span.first() < range.first() { own } else { Filling::Empty };
                    let after = if range.last() < span.last() { own } else { Filling::Empty };
                    let edit = Edit { purpose: Purpose::Divide, at, removed: 1, span, before, after };
                    return Some(Plan::new::<L>(range, path, Place::Leaf, edit, leaf.len(), &lens));
                }
                Node::Branch(branch) => {
                    let slot = branch.find(range.first());
                    lens[path.depth()] = branch.len() as u8;
                    path.push(slot);
                    bounds = branch.range_of(slot, bounds);
                    link = branch.slot(slot)?;
                }
            }
        }
    }

    /// How the entry at `index` gets what lies between it and one end of `range`, and its word. `None` if there is
    /// nothing between.
    pub(in crate::raw) fn plan_widen(
        &self,
        index: u64,
        range: IndexRange,
        toward: Toward,
    ) -> Option<(Plan, Option<Held>)> {
        let mut path = Path::root();
        let mut bounds = self.bounds();
        let mut place = Place::Leaf;
        let mut link = self.root()?;
        loop {
            match link.node() {
                Node::Leaf(leaf) => {
                    let slot = leaf.find(index);
                    let own = leaf.range_of(slot, bounds);
                    let (range, edit) = widen_in_leaf(leaf, slot, own, bounds, range, toward)?;
                    let plan = Plan::new::<L>(range, path, place, edit, leaf.len(), &[0; MAX_HEIGHT]);
                    return Some((plan, leaf.slot(slot).copied()));
                }
                Node::Branch(branch) => {
                    let slot = branch.find(index);
                    let child = branch.range_of(slot, bounds);
                    if place == Place::Leaf {
                        let depth = path.depth();
                        place = match toward {
                            Toward::Lower if range.first() < child.first() => Place::RightOf { depth },
                            Toward::Higher if range.last() > child.last() => Place::LeftOf { depth },
                            _ => place,
                        };
                    }
                    path.push(slot);
                    bounds = child;
                    link = branch.slot(slot)?;
                }
            }
        }
    }
}

/// What becomes of a leaf when the entry in `slot`, which covers `own`, gets what lies between it and one end of
/// `range`, and what the entry covers then. Slots that are wholly in between go; one that is cut keeps its rest.
fn widen_in_leaf<S: Shape>(
    leaf: &S,
    slot: usize,
    own: IndexRange,
    bounds: IndexRange,
    range: IndexRange,
    toward: Toward,
) -> Option<(IndexRange, Edit)> {
    let (span, at, end) = match toward {
        Toward::Lower => {
            let span = IndexRange::new(range.first(), own.last()).filter(|_| range.first() < own.first())?;
            let from = if range.first() < bounds.first() { 0 } else { leaf.find(range.first()) };
            let cut = range.first() > leaf.first_of(from, bounds);
            (span, from + usize::from(cut), slot + 1)
        }
        Toward::Higher => {
            let span = IndexRange::new(own.first(), range.last()).filter(|_| range.last() > own.last())?;
            let to = if range.last() > bounds.last() { leaf.len() - 1 } else { leaf.find(range.last()) };
            let cut = range.last() < leaf.last_of(to, bounds);
            (span, slot, to + usize::from(!cut))
        }
    };
    let (before, after) = (Filling::Empty, Filling::Empty);
    Some((span, Edit { purpose: Purpose::Widen, at, removed: end - at, span, before, after }))
}
