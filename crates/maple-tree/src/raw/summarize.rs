//! Gap summaries: reading them off nodes, and keeping those of branches up to date.
//!
//! A leaf stores none: its pivots and its bitmap of empty slots give it. A branch stores, for each slot, the
//! longest run and the largest natural size among the runs from that slot on (see `gap::summary`), and the runs at its own
//! two edges.

mod run;

pub(super) use run::{Run, lower, raise};

use super::joined;
use crate::gap::{Edges, Known, NaturalSize, Summary, natural_size};
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
    /// This was a run, and what was taken of it is not free any more.
    Shrunk { run: IndexRange, taken: IndexRange },
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
pub(super) fn leaf_tail<S: Shape>(leaf: &S, bounds: IndexRange) -> u64 {
    match leaf.live_at_or_before(leaf.len() - 1) {
        Some(live) => bounds.last() - leaf.last_of(live, bounds),
        None => bounds.last() - bounds.first(),
    }
}

/// The gap summary of a leaf, of which `known` is known: a part of the runs may show the rest.
fn leaf_summary<S: Shape>(leaf: &S, bounds: IndexRange, known: Known) -> Summary {
    let (mut longest, mut natural) = (known.least.longest, known.least.natural.size());
    let (most, enough) = (known.most.longest, known.most.natural.size());
    let empty = leaf.empty();
    // The slots in which runs begin, and those in which they end.
    let (mut firsts, mut lasts) = (empty & !(empty << 1), empty & !(empty >> 1));
    while firsts != 0 && (longest < most || natural < enough) {
        let run = IndexRange::FULL
            .starting_at(leaf.first_of(firsts.trailing_zeros() as usize, bounds))
            .ending_at(leaf.last_of(lasts.trailing_zeros() as usize, bounds));
        (firsts, lasts) = (firsts & (firsts - 1), lasts & lasts.wrapping_sub(1));
        // Not of all indices: something is live.
        let length = run.last() - run.first() + 1;
        longest = longest.max(length);
        // A run's natural size is its length at most.
        if natural < length && natural < enough {
            natural = natural.max(natural_size(run));
        }
    }
    Summary { longest, natural: NaturalSize::at_most(natural) }
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
        Node::Leaf(leaf) => leaf_summary(leaf, bounds, Known::NOTHING),
        Node::Branch(branch) => branch.store().most(Known::NOTHING),
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
#[inline]
fn slot_summary<L: Layout>(branch: &L::Branch, slot: usize, bounds: IndexRange) -> Summary {
    slot_summary_within::<L>(branch, slot, bounds, Known::NOTHING)
}

/// Likewise of a slot of whose summary something is known.
fn slot_summary_within<L: Layout>(
    branch: &L::Branch,
    slot: usize,
    bounds: IndexRange,
    known: Known,
) -> Summary {
    let range = branch.range_of(slot, bounds);
    let (inside, tail) = match branch.slot(slot).map(Link::node) {
        None => (known.least, range.last() - range.first() + 1),
        Some(Node::Leaf(leaf)) => (leaf_summary(leaf, range, known), leaf_tail(leaf, range)),
        Some(Node::Branch(branch)) => (branch.store().most(known), branch.store().tail()),
    };
    // What ends with the branch ends with the child, which has all of it.
    if tail == 0 || inside == known.most || slot + 1 == branch.len() && !branch.is_empty(slot) {
        return inside;
    }
    let bridge = range.starting_at(range.last() - (tail - 1));
    let last = range.last() + run_from::<L>(branch, slot + 1, bounds);
    inside.max(Summary::of(bridge.ending_at(last)))
}

/// Brings the summary of a branch up to date after `slot` changed, and says what that changed in the branch.
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
        Change::Grown(run) => {
            let child = branch.range_of(slot, bounds);
            let mut run = Run::of(run);
            let changed = raise::<L>(branch, slot, child, bounds, &mut run);
            if changed { Change::Grown(run.range) } else { Change::None }
        }
        Change::Shrunk { run, taken } => {
            let child = branch.range_of(slot, bounds);
            let mut run = Run::of(run);
            let changed = lower::<L>(branch, slot, child, bounds, &mut run, taken);
            if changed { Change::Shrunk { run: run.range, taken } } else { Change::None }
        }
        Change::Runs { head } => refresh_slot::<L>(branch, slot, bounds, head),
        Change::Rebuilt => refresh_all::<L>(branch, slot, slot + 1, bounds),
    }
}

/// Brings the summaries of two adjoining slots up to date between which contents moved. The runs of the branch are what
/// they were, and so is all the rest of its summary.
pub(super) fn refresh_pair<L: Layout>(branch: &mut L::Branch, left: usize, bounds: IndexRange) {
    if L::TRACKS_GAPS {
        let both = branch.store().get(left).max(branch.store().get(left + 1));
        refresh_two::<L>(branch, left, bounds, Known { least: both, most: both });
    }
}

/// Likewise where it is known what the largest numbers of the two are.
fn refresh_two<L: Layout>(branch: &mut L::Branch, left: usize, bounds: IndexRange, both: Known) {
    let known = Known { most: both.most, ..Known::NOTHING };
    let first = slot_summary_within::<L>(branch, left, bounds, known);
    branch.store_mut().set(left, first);
    // What the first one does not have, the second one has.
    let least = both.least.above(first);
    let second = slot_summary_within::<L>(branch, left + 1, bounds, Known { least, ..both });
    branch.store_mut().set(left + 1, second);
}

/// Brings the summary up to date after the child in `left` was split, which now is that and the next one.
pub(super) fn refresh_split<L: Layout>(
    branch: &mut L::Branch,
    left: usize,
    bounds: IndexRange,
    change: Change,
) -> Change {
    let both = joined(branch, left, left + 1, bounds);
    match change {
        Change::Shrunk { run, .. }
            if L::TRACKS_GAPS && both.first() < run.first() && run.last() < both.last() =>
        {
            let known = Known::without(branch.store().get(left), Summary::of(run));
            refresh_two::<L>(branch, left, bounds, known);
            change
        }
        _ => refresh_all::<L>(&mut branch.in_place(), left, left + 2, bounds),
    }
}

/// The summary of a slot that `from..=to` are going to be joined to: all runs from there on are runs of one of these.
pub(super) fn joined_summary<B: Shape>(branch: &B, from: usize, to: usize) -> Summary {
    (from..=to).fold(Summary::default(), |summary, slot| summary.max(branch.store().get(slot)))
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
