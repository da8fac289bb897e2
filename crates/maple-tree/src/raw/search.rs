//! The gap search: the highest (or lowest) fitting range if and only if there is one.
//!
//! In each branch the slots are visited from one end of the window to the other, skipping those whose summary
//! rules them out. A slot's runs start in it and may run on into the slots to its right, so there are two
//! places where its runs can be: inside the child, and across the child's right edge (the bridge). The bridge
//! lies above everything inside the child, so the search from the top tries it first, the search from the
//! bottom last.
//!
//! Runs that cross the left edge of a node belong to a slot of an ancestor and are tried there; runs at its
//! right edge are tried there in full and here in part. Neither can be missed, and no state has to be handed
//! down.
//!
//! # Cost
//!
//! For a request with natural alignment, or alignment 1, a slot that passes its summary and lies inside
//! the window holds a fit. So nodes are visited in vain only where the window cuts through them: at most one
//! per level at each end of the window. Other alignments may be rejected at any number of candidates, and so
//! may runs that a boundary cuts, unless the size is the alignment or the boundary itself.

use super::RawTree;
use super::summarize::{edges, run_from};
use crate::gap::{Direction, GapRequest};
use crate::node::{Link, Node, Shape, Store, TracksGaps};
use crate::range::IndexRange;

impl<L: TracksGaps, A> RawTree<L, A> {
    /// The highest or lowest free range that satisfies a request.
    pub(crate) fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        match self.root() {
            Some(root) => find(root, self.bounds(), request),
            None => request.fit(self.bounds()),
        }
    }
}

/// Searches the subtree of a link, which covers `bounds`.
fn find<L: TracksGaps>(link: &Link<L>, bounds: IndexRange, request: &GapRequest) -> Option<IndexRange> {
    let window = bounds.intersection(request.window())?;
    match link.node() {
        Node::Leaf(leaf) => find_in_leaf(leaf, bounds, window, request),
        Node::Branch(branch) => find_in_branch::<L>(branch, bounds, window, request),
    }
}

/// The runs of a leaf, one for each run of empty slots, from the end that the direction says.
fn find_in_leaf<S: Shape>(
    leaf: &S,
    bounds: IndexRange,
    window: IndexRange,
    request: &GapRequest,
) -> Option<IndexRange> {
    let mut empty = leaf.empty();
    while empty != 0 {
        let (from, to) = match request.direction() {
            Direction::TopDown => {
                let to = empty.ilog2() as usize;
                (to + 1 - (empty << (31 - to)).leading_ones() as usize, to)
            }
            Direction::BottomUp => {
                let from = empty.trailing_zeros() as usize;
                (from, from + (empty >> from).trailing_ones() as usize - 1)
            }
        };
        let (first, last) = (leaf.first_of(from, bounds), leaf.last_of(to, bounds));
        match request.direction() {
            Direction::TopDown if last < window.first() => return None,
            Direction::BottomUp if first > window.last() => return None,
            _ => {}
        }
        let run = IndexRange::new(first, last)?;
        if let Some(fit) = request.fit(run) {
            return Some(fit);
        }
        for slot in from..=to {
            empty &= !(1 << slot);
        }
    }
    None
}

fn find_in_branch<L: TracksGaps>(
    branch: &L::Branch,
    bounds: IndexRange,
    window: IndexRange,
    request: &GapRequest,
) -> Option<IndexRange> {
    let lowest = if window.first() == bounds.first() { 0 } else { branch.find(window.first()) };
    let highest = if window.last() == bounds.last() { branch.len() - 1 } else { branch.find(window.last()) };
    let within_window = u32::MAX >> (31 - highest) & u32::MAX << lowest;
    let natural = branch.store().natural().iter().enumerate();
    let mut candidates = within_window
        & natural.fold(0, |slots, (slot, &size)| slots | u32::from(size >= request.need()) << slot);
    while candidates != 0 {
        let slot = match request.direction() {
            Direction::TopDown => candidates.ilog2() as usize,
            Direction::BottomUp => candidates.trailing_zeros() as usize,
        };
        candidates &= !(1 << slot);
        if branch.store().longest()[slot] < request.size() {
            continue;
        }
        let range = branch.range_of(slot, bounds);
        let found = match (branch.slot(slot), request.direction()) {
            (None, _) => fit_from::<L>(branch, bounds, slot, range.first(), request),
            (Some(child), Direction::TopDown) => {
                fit_bridge(branch, bounds, slot, child, request).or_else(|| find(child, range, request))
            }
            (Some(child), Direction::BottomUp) => {
                find(child, range, request).or_else(|| fit_bridge(branch, bounds, slot, child, request))
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Fits the request into the run that touches the right edge of the child in `slot`.
fn fit_bridge<L: TracksGaps>(
    branch: &L::Branch,
    bounds: IndexRange,
    slot: usize,
    child: &Link<L>,
    request: &GapRequest,
) -> Option<IndexRange> {
    let range = branch.range_of(slot, bounds);
    let start = range.last() - edges(child, range).tail.checked_sub(1)?;
    fit_from::<L>(branch, bounds, slot, start, request)
}

/// Fits the request into the run that begins at `start` in `slot`, touches the slot's right edge, and goes on
/// through the slots after it.
fn fit_from<L: TracksGaps>(
    branch: &L::Branch,
    bounds: IndexRange,
    slot: usize,
    start: u64,
    request: &GapRequest,
) -> Option<IndexRange> {
    let last = branch.last_of(slot, bounds) + run_from::<L>(branch, slot + 1, bounds);
    request.fit(IndexRange::new(start, last)?)
}
