//! Keeping nodes well filled: joining sparse neighbours, and evening out full ones. Neither needs memory.

use super::summarize::{joined_summary, refresh_all, refresh_pair};
use super::{joined, len_of, tidy_len_of};
use crate::node::{self, Layout, Link, NodeMut, Shape, Store};
use crate::range::IndexRange;

/// A neighbour takes slots from a full leaf only if it has this much room, so that half of it is enough for an
/// entry and the empty slot that may come with it.
const SPILL_ROOM: usize = 4;

/// The leaf beside the one in `slot` that has the most room for slots of it, if one has enough.
pub(super) fn spill_neighbour<L: Layout>(branch: &L::Branch, slot: usize) -> Option<usize> {
    let room = |neighbour: Option<usize>| {
        let neighbour = neighbour.filter(|&neighbour| neighbour < branch.len())?;
        let len = len_of(branch.slot(neighbour)?);
        (len + SPILL_ROOM <= L::Leaf::CAPACITY).then_some((len, neighbour))
    };
    let neighbours = [room(slot.checked_sub(1)), room(Some(slot + 1))];
    neighbours.into_iter().flatten().min().map(|(_, neighbour)| neighbour)
}

/// Evens out the leaf in `slot`, which is full, with a leaf beside it. `None` if none has room.
///
/// The runs of the branch stay what they are: both leaves keep a live slot, so their outer edges do not change.
pub(super) fn spill<L: Layout>(branch: &mut L::Branch, slot: usize, bounds: IndexRange) -> Option<()> {
    let neighbour = spill_neighbour::<L>(branch, slot)?;
    let (left, right) = (slot.min(neighbour), slot.max(neighbour));
    let boundary = branch.last_of(left, bounds);
    let (Some(left_link), Some(right_link)) = branch.pair_mut(left, right) else { return None };
    let (NodeMut::Leaf(left_leaf), NodeMut::Leaf(right_leaf)) = (left_link.node_mut(), right_link.node_mut())
    else {
        return None;
    };
    let count = left_leaf.len().abs_diff(right_leaf.len()) / 2;
    let boundary = if left_leaf.len() < right_leaf.len() {
        if !right_leaf.has_live(count, right_leaf.len()) {
            return None;
        }
        reached!(SpillToLeft);
        let junction = left_leaf.len() - 1;
        let end = node::move_to_left(left_leaf, boundary, right_leaf, count)?;
        if left_leaf.is_empty(junction) {
            reached!(SpillJoinsOnLeft);
            left_leaf.coalesce(junction);
        }
        end
    } else {
        if !left_leaf.has_live(0, left_leaf.len() - count) {
            return None;
        }
        reached!(SpillToRight);
        let end = node::move_to_right(left_leaf, boundary, right_leaf, count)?;
        if right_leaf.is_empty(count) {
            reached!(SpillJoinsOnRight);
            right_leaf.coalesce(count);
        }
        end
    };
    branch.set_last(left, boundary);
    refresh_pair::<L>(branch, left, bounds);
    Some(())
}

/// Whether less than half of a node is in use.
pub(super) fn is_sparse<L: Layout>(link: &Link<L>) -> bool {
    let capacity = match link.node() {
        node::Node::Leaf(_) => L::Leaf::CAPACITY,
        node::Node::Branch(_) => L::Branch::CAPACITY,
    };
    tidy_len_of(link) * 2 < capacity
}

/// The two children, one of them in `slot`, that [`join_sparse`] would join.
pub(super) fn sparse_pair<L: Layout>(branch: &L::Branch, slot: usize) -> Option<(usize, usize)> {
    let child = branch.slot(slot)?;
    let capacity = match child.node() {
        node::Node::Leaf(_) => L::Leaf::CAPACITY,
        node::Node::Branch(_) => L::Branch::CAPACITY,
    };
    if tidy_len_of(child) * 2 >= capacity {
        return None;
    }
    let right = branch.live_at_or_after(slot + 1).map(|right| (slot, right));
    let left = slot.checked_sub(1).and_then(|at| branch.live_at_or_before(at)).map(|left| (left, slot));
    let joins = |&(left, right): &(usize, usize)| {
        joined_len(branch, left, right).is_some_and(|len| len * 8 <= capacity * 7)
    };
    [right, left].into_iter().flatten().find(joins)
}

/// Whether [`join_sparse`] may join the leaf in `slot`, which is sparse, with one beside it, once it has `len` slots.
pub(super) fn may_join<L: Layout>(branch: &L::Branch, slot: usize, len: usize) -> bool {
    let before = slot.checked_sub(1).and_then(|before| branch.live_at_or_before(before));
    // Empty slots that meet, and what is empty between the two, make one slot less at most.
    [branch.live_at_or_after(slot + 1), before].into_iter().flatten().any(|neighbour| {
        branch
            .slot(neighbour)
            .is_some_and(|link| (len + len_of(link)).saturating_sub(1) * 8 <= L::Leaf::CAPACITY * 7)
    })
}

/// Joins the child in `slot`, if it is sparse, with one beside it, if the two fill 7/8 of a node at most. Returns
/// the node that is not needed any more.
///
/// The runs of the branch stay what they are, and its summary is up to date. 7/8 and not all of it, so that the next insertion does not split the node again.
pub(super) fn join_sparse<L: Layout>(
    branch: &mut L::Branch,
    slot: usize,
    bounds: IndexRange,
) -> Option<Link<L>> {
    let (left, right) = sparse_pair::<L>(branch, slot)?;
    let (left_range, right_range) = (branch.range_of(left, bounds), branch.range_of(right, bounds));
    let range = joined(branch, left, right, bounds);
    let summary = joined_summary(branch, left, right);
    reached!(match (branch.slot(slot)?.node(), slot == left) {
        (node::Node::Leaf(_), true) => LeafJoinsRight,
        (node::Node::Leaf(_), false) => LeafJoinsLeft,
        (node::Node::Branch(_), true) => BranchJoinsRight,
        (node::Node::Branch(_), false) => BranchJoinsLeft,
    });
    let mut taken = branch.put(right, None)?;
    reached!(if left + 1 < right { JoinsAcrossEmpty } else { JoinsAdjoining });
    branch.splice(left + 1, right - left, 0);
    branch.set_last(left, range.last());
    branch.store_mut().set(left, summary);
    let ends = (left_range.last(), right_range.first() - 1);
    match (branch.slot_mut(left)?.node_mut(), taken.node_mut()) {
        (NodeMut::Leaf(left), NodeMut::Leaf(right)) => {
            join(left, ends, right);
        }
        (NodeMut::Branch(left), NodeMut::Branch(right)) => {
            let junction = join(left, ends, right);
            refresh_all::<L>(&mut left.in_place(), junction.saturating_sub(1), junction + 2, range);
        }
        // Not reached: children of one branch are of one kind (T2).
        _ => debug_assert!(false, "a leaf beside a branch"),
    }
    Some(taken)
}

/// How many slots two children would have if they were joined with what is empty between them.
fn joined_len<L: Layout, B: Shape<Live = Link<L>>>(branch: &B, left: usize, right: usize) -> Option<usize> {
    fn count<S: Shape>(left: &S, between: bool, right: &S) -> usize {
        let fragments = fragments(left, between, right);
        left.tidy_len() + usize::from(between) + right.tidy_len() - fragments.saturating_sub(1)
    }
    let between = right > left + 1;
    match (branch.slot(left)?.node(), branch.slot(right)?.node()) {
        (node::Node::Leaf(left), node::Node::Leaf(right)) => Some(count(left, between, right)),
        (node::Node::Branch(left), node::Node::Branch(right)) => Some(count(left, between, right)),
        _ => None,
    }
}

/// How many empty slots there are in a row where two children meet, the one between them included.
fn fragments<S: Shape>(left: &S, between: bool, right: &S) -> usize {
    let empty = [left.is_empty(left.len() - 1), between, right.is_empty(0)];
    empty.into_iter().filter(|&empty| empty).count()
}

/// Moves everything from `right` to the end of `left`, which ends at `ends.0`; up to `ends.1` there is nothing.
/// Returns the last slot that `left` had before.
fn join<S: Shape>(left: &mut S, ends: (u64, u64), right: &mut S) -> usize {
    let last = left.len() - 1;
    let boundary = meet(left, ends, right);
    node::append(left, boundary, right);
    last
}

/// Makes two nodes adjoin: `left` ends at `ends.0`, and up to `ends.1` there is nothing. Empty slots that meet become
/// one. Returns where `left` ends then. It has one slot more only if there is just what is empty between them.
fn meet<S: Shape>(left: &mut S, ends: (u64, u64), right: &S) -> u64 {
    let last = left.len() - 1;
    if left.is_empty(last) {
        if right.is_empty(0) && last > 0 {
            // Leave it all to the empty slot that `right` begins with.
            reached!(JoinMeetsEmpty);
            let end = left.pivots()[last - 1];
            left.splice(last, 1, 0);
            return end;
        }
    } else if ends.0 < ends.1 {
        if right.is_empty(0) {
            return ends.0;
        }
        reached!(JoinMakesSlot);
        left.splice(last + 1, 0, 1);
        left.set_last(last, ends.0);
    }
    ends.1
}

/// Fills the child in `left` with slots of the next one, in `right`. If no live slot is left there, returns that node,
/// which is not needed any more. `None` if nothing can be done: the child is full.
pub(super) fn fill<L: Layout>(
    branch: &mut L::Branch,
    left: usize,
    right: usize,
    bounds: IndexRange,
) -> Option<Option<Link<L>>> {
    let (left_range, right_range) = (branch.range_of(left, bounds), branch.range_of(right, bounds));
    let ends = (left_range.last(), right_range.first() - 1);
    let (Some(left_link), Some(right_link)) = branch.pair_mut(left, right) else { return None };
    let (end, live) = match (left_link.node_mut(), right_link.node_mut()) {
        (NodeMut::Leaf(left), NodeMut::Leaf(right)) => pull(left, ends, right)?,
        (NodeMut::Branch(left), NodeMut::Branch(right)) => pull(left, ends, right)?,
        // Not reached: children of one branch are of one kind (T2).
        _ => {
            debug_assert!(false, "a leaf beside a branch");
            return None;
        }
    };
    let needless = if live { None } else { branch.put(right, None) };
    let gone = right - left - usize::from(end.is_some());
    branch.splice(left + 1, gone, 0);
    branch.set_last(left, end.unwrap_or(right_range.last()));
    if needless.is_some() && end.is_some() {
        // What is left of it is free.
        branch.coalesce(left + 1);
    }
    Some(needless)
}

/// Moves slots from the front of `right` to the end of `left`, as many as there are or as `left` has room for. It ends
/// at `ends.0`, and up to `ends.1` there is nothing. Returns where it ends then, unless `right` has no slots left, and
/// whether that has live ones left. `None` if nothing can be done.
fn pull<S: Shape>(left: &mut S, ends: (u64, u64), right: &mut S) -> Option<(Option<u64>, bool)> {
    if left.len() == S::CAPACITY && fragments(left, ends.0 < ends.1, right) < 2 {
        return None;
    }
    let boundary = meet(left, ends, right);
    let count = right.len().min(S::CAPACITY - left.len());
    let end = if count == 0 { Some(boundary) } else { node::move_to_left(left, boundary, right, count) };
    Some((end, right.live() != 0))
}
