//! Taking a free range away from the edges of subtrees, to give it to the leaf between or beside them.
//!
//! All of the range is free, so nothing but empty slots is cut off, and no node loses its live slots. That is
//! why this needs no memory and cannot fail.

use super::summarize::refresh_all;
use crate::node::{Layout, Link, NodeMut, Shape};
use crate::range::IndexRange;

/// Drops the slots after `slot`, which thereby gets their indices.
pub(super) fn keep_until<S: Shape>(node: &mut S, slot: usize) {
    let removed = node.len() - (slot + 1);
    node.splice(slot + 1, removed, 0);
}

/// Drops the slots before `slot`, which thereby gets their indices and is slot 0.
pub(super) fn keep_from<S: Shape>(node: &mut S, slot: usize) {
    node.splice(0, slot, 0);
}

/// How many empty slots after `slot` a free range, which reaches to the right of it, makes needless.
pub(super) fn slots_after<S: Shape>(node: &S, slot: usize, bounds: IndexRange, range: IndexRange) -> usize {
    let to = node.find(range.last());
    let swallowed = node.is_empty(to) && node.last_of(to, bounds) == range.last();
    (to + usize::from(swallowed)).saturating_sub(slot + 1)
}

/// How many empty slots before `slot` a free range, which reaches to the left of it, makes needless.
pub(super) fn slots_before<S: Shape>(node: &S, slot: usize, bounds: IndexRange, range: IndexRange) -> usize {
    let from = node.find(range.first());
    let swallowed = node.is_empty(from) && node.first_of(from, bounds) == range.first();
    slot.saturating_sub(from + usize::from(!swallowed))
}

/// Makes the live `slot` of a branch, in whose child or to the right of which `range` begins, end where the
/// range ends. The child does not know yet.
pub(super) fn give_to_left<L: Layout>(
    branch: &mut L::Branch,
    slot: usize,
    bounds: IndexRange,
    range: IndexRange,
) {
    let to = branch.find(range.last());
    let old = branch.range_of(to, bounds);
    let cut = slots_after(branch, slot, bounds, range);
    if to > slot {
        if let Some(right) = branch.slot_mut(to) {
            begin_at(right, old, range.last() + 1);
        }
    }
    branch.splice(slot + 1, cut, 0);
    branch.set_last(slot, range.last());
}

/// Makes the live `slot` of a branch, in whose child or to the left of which `range` ends, begin where the range
/// begins. The child does not know yet. Returns the slot where it is then.
pub(super) fn give_to_right<L: Layout>(
    branch: &mut L::Branch,
    slot: usize,
    bounds: IndexRange,
    range: IndexRange,
) -> usize {
    let from = branch.find(range.first());
    let old = branch.range_of(from, bounds);
    let cut = slots_before(branch, slot, bounds, range);
    if from < slot {
        if let Some(left) = branch.slot_mut(from) {
            end_at(left, old, range.first() - 1);
        }
    }
    branch.splice(slot - cut, cut, 0);
    if let Some(before) = (slot - cut).checked_sub(1) {
        branch.set_last(before, range.first() - 1);
    }
    slot - cut
}

/// Makes a subtree that covers `bounds` begin at `first`; what is below is free.
fn begin_at<L: Layout>(link: &mut Link<L>, bounds: IndexRange, first: u64) {
    let shorter = bounds.starting_at(first);
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            reached!(LeafBeginsLater);
            keep_from(leaf, leaf.find(first));
        }
        NodeMut::Branch(branch) => {
            reached!(BranchBeginsLater);
            let slot = branch.find(first);
            let old = branch.range_of(slot, bounds);
            keep_from(branch, slot);
            if old.first() < first {
                if let Some(child) = branch.slot_mut(0) {
                    begin_at(child, old, first);
                }
            }
            refresh_all::<L>(&mut branch.in_place(), 0, 1, shorter);
        }
    }
}

/// Makes a subtree that covers `bounds` end at `last`; what is above is free.
fn end_at<L: Layout>(link: &mut Link<L>, bounds: IndexRange, last: u64) {
    let shorter = bounds.ending_at(last);
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            reached!(LeafEndsEarlier);
            keep_until(leaf, leaf.find(last));
        }
        NodeMut::Branch(branch) => {
            reached!(BranchEndsEarlier);
            let slot = branch.find(last);
            let old = branch.range_of(slot, bounds);
            keep_until(branch, slot);
            if old.last() > last {
                if let Some(child) = branch.slot_mut(slot) {
                    end_at(child, old, last);
                }
            }
            refresh_all::<L>(&mut branch.in_place(), slot, slot + 1, shorter);
        }
    }
}
