//! Gap summaries: reading them off nodes, and keeping those of branches up to date.
//!
//! A leaf stores none: its pivots and its bitmap of empty slots give it. A branch stores, for each slot, the
//! longest run and the largest order among the runs from that slot on (see `gap::summary`), and the runs at its own
//! two edges.

use crate::gap::{Edges, Summary};
use crate::node::{InPlace, Layout, Link, Node, Shape, Store};
use crate::range::IndexRange;

/// What an operation changed in a node that its parent's summary depends on.
///
/// A run is named as the node has it, up to the node's edges. The parent knows how it goes on beyond them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// This run grew or appeared.
    Grown(IndexRange),
    /// This was a run; it shrank, was cut in two, or vanished.
    Shrunk(IndexRange),
    /// Anything else about the runs; `head` if the one at the left edge may have changed, on which runs that
    /// start further left depend.
    Runs { head: bool },
    /// The node was taken apart or put together.
    Rebuilt,
}

/// The free run at the left edge of a leaf that is not wholly empty.
#[inline]
fn leaf_head<S: Shape>(leaf: &S, bounds: IndexRange) -> u64 {
    match leaf.empty().trailing_ones() as usize {
        0 => 0,
        run => leaf.last_of(run - 1, bounds) - bounds.first() + 1,
    }
}

/// The free run at the right edge of a leaf that is not wholly empty.
#[inline]
fn leaf_tail<S: Shape>(leaf: &S, bounds: IndexRange) -> u64 {
    match leaf.live_at_or_before(leaf.len() - 1) {
        Some(live) => bounds.last() - leaf.last_of(live, bounds),
        None => bounds.last() - bounds.first(),
    }
}

fn leaf_summary<S: Shape>(leaf: &S, bounds: IndexRange) -> Summary {
    let mut summary = Summary::default();
    let mut empty = leaf.empty();
    while empty != 0 {
        let from = empty.trailing_zeros();
        let to = from + (empty >> from).trailing_ones() - 1;
        let run = IndexRange::new(leaf.first_of(from as usize, bounds), leaf.last_of(to as usize, bounds));
        summary = run.map_or(summary, |run| summary.max(Summary::of(run)));
        empty = empty.checked_shr(to + 1).unwrap_or(0).checked_shl(to + 1).unwrap_or(0);
    }
    summary
}

/// The free runs at the edges of the node under a link.
#[inline]
pub(crate) fn edges<L: Layout>(link: &Link<L>, bounds: IndexRange) -> Edges {
    match link.node() {
        Node::Leaf(leaf) => Edges { head: leaf_head(leaf, bounds), tail: leaf_tail(leaf, bounds) },
        Node::Branch(branch) => Edges { head: branch.store().head(), tail: branch.store().tail() },
    }
}

/// The gap summary of the node under a link.
pub(crate) fn summary<L: Layout>(link: &Link<L>, bounds: IndexRange) -> Summary {
    match link.node() {
        Node::Leaf(leaf) => leaf_summary(leaf, bounds),
        Node::Branch(branch) => branch.store().most(),
    }
}

/// The free run that starts at the left edge of `slot` and goes on to the end of the branch at most.
#[inline]
pub(crate) fn run_from<L: Layout>(branch: &L::Branch, slot: usize, bounds: IndexRange) -> u64 {
    let mut run = 0;
    for slot in slot..branch.len() {
        let range = branch.range_of(slot, bounds);
        match branch.slot(slot) {
            None => run += range.last() - range.first() + 1,
            Some(child) => return run + edges(child, range).head,
        }
    }
    run
}

/// The free run that ends at the right edge of the branch.
fn tail<L: Layout>(branch: &L::Branch, bounds: IndexRange) -> u64 {
    let Some(live) = branch.live_at_or_before(branch.len() - 1) else {
        return bounds.last() - bounds.first();
    };
    let range = branch.range_of(live, bounds);
    let free_slots = bounds.last() - range.last();
    free_slots + branch.slot(live).map_or(0, |child| edges(child, range).tail)
}

/// The summary of the runs that start in a slot of a branch.
fn slot_summary<L: Layout>(branch: &L::Branch, slot: usize, bounds: IndexRange) -> Summary {
    let range = branch.range_of(slot, bounds);
    let (inside, start) = match branch.slot(slot) {
        None => (Summary::default(), range.first()),
        Some(child) => {
            let inside = summary(child, range);
            match edges(child, range).tail.checked_sub(1) {
                Some(less) => (inside, range.last() - less),
                None => return inside,
            }
        }
    };
    let bridge = IndexRange::new(start, range.last() + run_from::<L>(branch, slot + 1, bounds));
    bridge.map_or(inside, |bridge| inside.max(Summary::of(bridge)))
}

/// Brings the summary of a branch up to date after `slot` changed, and says what that changed in the branch.
#[inline]
pub(super) fn refresh<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    change: Change,
) -> Change {
    if !L::TRACKS_GAPS {
        return Change::None;
    }
    match change {
        Change::None => Change::None,
        Change::Grown(run) => raise::<L>(branch, slot, bounds, run),
        Change::Shrunk(run) => lower::<L>(branch, slot, bounds, run),
        Change::Runs { head } => refresh_slot::<L>(branch, slot, bounds, head),
        Change::Rebuilt => refresh_all::<L>(branch, slot, slot + 1, bounds),
    }
}

/// Brings the summary up to date after `run` grew in `slot`: numbers can only rise, to those of the run.
fn raise<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    run: IndexRange,
) -> Change {
    let (run, changed) = for_each_part::<L>(branch, slot, bounds, run, |branch, slot, part| {
        let summary = branch.store().get(slot).max(Summary::of(part));
        branch.store_mut().set(slot, summary)
    });
    let (at_front, at_back) = (run.first() == bounds.first(), run.last() == bounds.last());
    if at_front || at_back {
        let (length, store) = (run.last() - run.first() + 1, branch.store());
        let head = if at_front { length } else { store.head() };
        let tail = if at_back { length } else { store.tail() };
        branch.store_mut().set_edges(head, tail);
        return Change::Grown(run);
    }
    if changed { Change::Grown(run) } else { Change::None }
}

/// Brings the summary up to date after `run` shrank in `slot`: it matters only where it may have been the largest.
fn lower<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    run: IndexRange,
) -> Change {
    let (run, changed) = for_each_part::<L>(branch, slot, bounds, run, |branch, slot, part| {
        if branch.store().get(slot).outranks(Summary::of(part)) {
            return false;
        }
        let summary = slot_summary::<L>(branch, slot, bounds);
        branch.store_mut().set(slot, summary)
    });
    let (at_front, at_back) = (run.first() == bounds.first(), run.last() == bounds.last());
    if at_front || at_back {
        let store = branch.store();
        let head = if at_front { run_from::<L>(branch, 0, bounds) } else { store.head() };
        let tail = if at_back { tail::<L>(branch, bounds) } else { store.tail() };
        branch.store_mut().set_edges(head, tail);
        return Change::Shrunk(run);
    }
    if changed { Change::Shrunk(run) } else { Change::None }
}

/// Shows to `update` each slot, from `slot` to the left, into which a run of the branch reaches that is `run` in
/// `slot`, with the part of it from there on. Returns all of the run, and whether there was a change.
///
/// What is to the right of `slot` sees the same part of the run as before.
#[inline]
fn for_each_part<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    run: IndexRange,
    mut update: impl FnMut(&mut InPlace<'_, L::Branch>, usize, IndexRange) -> bool,
) -> (IndexRange, bool) {
    let child = branch.range_of(slot, bounds);
    let mut run = run;
    if run.last() == child.last() {
        run = run.ending_at(run.last() + run_from::<L>(branch, slot + 1, bounds));
    }
    let mut changed = update(branch, slot, run);
    if run.first() == child.first() {
        for left in (0..slot).rev() {
            let range = branch.range_of(left, bounds);
            let child = branch.slot(left);
            let (live, tail) = match child {
                None => (false, range.last() - range.first() + 1),
                Some(child) => (true, edges(child, range).tail),
            };
            if tail > 0 {
                run = run.starting_at(run.first() - tail);
                changed |= update(branch, left, run);
            }
            if live {
                break;
            }
        }
    }
    (run, changed)
}

/// Brings the summary up to date after anything changed in `slot`; `head` if its run at the left edge may have.
fn refresh_slot<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    head: bool,
) -> Change {
    let summary = slot_summary::<L>(branch, slot, bounds);
    let mut changed = branch.store_mut().set(slot, summary);
    if head {
        changed |= refresh_leftwards::<L>(branch, slot, bounds);
    }
    // The edges depend on the slots up to the first live one from each side.
    let at_front = branch.live_at_or_after(0).is_none_or(|live| slot <= live);
    let at_back = branch.live_at_or_before(branch.len() - 1).is_none_or(|live| slot >= live);
    let store = branch.store();
    let head = if at_front { run_from::<L>(branch, 0, bounds) } else { store.head() };
    let tail = if at_back { tail::<L>(branch, bounds) } else { store.tail() };
    let (head, tail) = branch.store_mut().set_edges(head, tail);
    if head || tail || changed { Change::Runs { head } } else { Change::None }
}

/// Brings the slots to the left of `slot` up to date whose runs reach it: empty ones, and the first live one if
/// it has a run at its right edge.
fn refresh_leftwards<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
) -> bool {
    let mut changed = false;
    for left in (0..slot).rev() {
        let reaches = branch.slot(left).map(|child| edges(child, branch.range_of(left, bounds)).tail > 0);
        if reaches != Some(false) {
            let summary = slot_summary::<L>(branch, left, bounds);
            changed |= branch.store_mut().set(left, summary);
        }
        if reaches.is_some() {
            break;
        }
    }
    changed
}

/// Computes the summary of a branch.
pub(super) fn refresh_whole<L: Layout>(branch: &mut L::Branch, bounds: IndexRange) {
    refresh_all::<L>(&mut branch.in_place(), 0, usize::MAX, bounds);
}

/// Brings the summary of a branch up to date after its slots `from..to`, as far as it has them, changed or moved. Slots that are gone may
/// have held the largest run, so the parent must look at the branch in any case.
pub(super) fn refresh_all<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    from: usize,
    to: usize,
    bounds: IndexRange,
) -> Change {
    if !L::TRACKS_GAPS {
        return Change::None;
    }
    for slot in (from..to.min(branch.len())).rev() {
        let summary = slot_summary::<L>(branch, slot, bounds);
        branch.store_mut().set(slot, summary);
    }
    refresh_leftwards::<L>(branch, from.min(branch.len()), bounds);
    let (head, tail) = (run_from::<L>(branch, 0, bounds), tail::<L>(branch, bounds));
    let (head, _) = branch.store_mut().set_edges(head, tail);
    Change::Runs { head }
}
