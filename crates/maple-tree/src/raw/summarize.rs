//! Gap summaries: reading them off nodes, and keeping those of branches up to date.
//!
//! A leaf stores none: its pivots and its bitmap of empty slots give it. A branch stores, for each slot, the
//! longest run and the largest order among the runs that start in it, and the runs at its own two edges.

use crate::gap::{Edges, Summary};
use crate::node::{Layout, Link, Node, Shape, Store};
use crate::range::IndexRange;

/// What an operation below changed in a node's summary, for the parent to decide what to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// The free run at the left edge, on which runs that start in slots to the left depend.
    pub(crate) head: bool,
    /// Anything else.
    pub(crate) rest: bool,
}

impl Change {
    /// For nodes that were taken apart or put together.
    pub(crate) const ALL: Self = Self { head: true, rest: true };

    fn any(self) -> bool {
        self.head || self.rest
    }
}

/// The free run at the left edge of a leaf that is not wholly empty.
#[inline]
pub(super) fn leaf_head<S: Shape>(leaf: &S, bounds: IndexRange) -> u64 {
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
    let mut summary = Summary {
        edges: Edges { head: leaf_head(leaf, bounds), tail: leaf_tail(leaf, bounds) },
        ..Summary::default()
    };
    let mut empty = leaf.empty();
    while empty != 0 {
        let from = empty.trailing_zeros();
        let to = from + (empty >> from).trailing_ones() - 1;
        let run = IndexRange::new(leaf.first_of(from as usize, bounds), leaf.last_of(to as usize, bounds));
        if let Some(run) = run {
            summary.add(run);
        }
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
        Node::Branch(branch) => {
            let (store, len) = (branch.store(), branch.len());
            Summary {
                edges: Edges { head: store.head(), tail: store.tail() },
                longest: store.longest().iter().take(len).copied().max().unwrap_or(0),
                order: store.order().iter().take(len).copied().max().unwrap_or(0),
            }
        }
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

/// Brings the summary of a branch up to date after `slot` changed: its own, that of the slots to its left whose
/// runs reach it (unless its head stayed), and the edges. Says what that changed for the parent.
pub(super) fn refresh<L: Layout>(
    branch: &mut L::Branch,
    slot: usize,
    bounds: IndexRange,
    change: Change,
) -> Change {
    if !<L::Branch as Shape>::Store::TRACKS_GAPS || !change.any() {
        return Change::default();
    }
    let mut changed = false;
    let mut at = slot;
    loop {
        let range = branch.range_of(at, bounds);
        let run_after = run_from::<L>(branch, at + 1, bounds);
        let mut summary = Summary::default();
        let run_start = match branch.slot(at) {
            None => Some(range.first()),
            Some(child) => {
                summary = self::summary(child, range);
                summary.edges.tail.checked_sub(1).map(|less| range.last() - less)
            }
        };
        if let Some(run) = run_start.and_then(|start| IndexRange::new(start, range.last() + run_after)) {
            summary.add(run);
        }
        changed |= branch.store_mut().set(at, summary.longest, summary.order);
        // The slot to the left depends on this one if its runs reach its right edge.
        let Some(left) = at.checked_sub(1) else { break };
        let reaches = match branch.slot(left) {
            None => true,
            Some(child) => edges(child, branch.range_of(left, bounds)).tail > 0,
        };
        // Past the first live slot to the left nothing depends on what changed.
        let passed_live = at < slot && branch.slot(at).is_some();
        if !reaches || passed_live || (at == slot && !change.head) {
            break;
        }
        at = left;
    }
    // The edges depend on the slots up to the first live one from each side, unless slots were moved about.
    let moved = change == Change::ALL;
    let at_front = moved || branch.live_at_or_after(0).is_none_or(|live| slot <= live);
    let at_back = moved || branch.live_at_or_before(branch.len() - 1).is_none_or(|live| slot >= live);
    let store = branch.store();
    let head = if at_front { run_from::<L>(branch, 0, bounds) } else { store.head() };
    let tail = if at_back { tail::<L>(branch, bounds) } else { store.tail() };
    let (head_changed, tail_changed) = branch.store_mut().set_edges(head, tail);
    Change { head: head_changed, rest: changed || tail_changed }
}

/// Brings the summary of a branch up to date after its slots `from..to` changed or moved.
pub(super) fn refresh_all<L: Layout>(
    branch: &mut L::Branch,
    from: usize,
    to: usize,
    bounds: IndexRange,
) -> Change {
    for slot in (from..to.min(branch.len())).rev() {
        refresh::<L>(branch, slot, bounds, Change::ALL);
    }
    Change::ALL
}
