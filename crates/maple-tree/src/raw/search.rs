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
//! For a request of natural alignment (of a size that a summary keeps exactly), or alignment 1, a slot that passes the
//! filter and lies inside the window holds a fit, in the child or in its bridge. So the way there is a loop without
//! any state: `descend`. Nodes are visited in vain only where the window cuts through them: at most one per level at
//! each end of the window, which is what `try_slots` does. Other alignments may be rejected at any number of
//! candidates, and so may runs that a boundary cuts, unless the size is the alignment or the boundary itself.

mod leaf;

use self::leaf::{find_in_cut_leaf, find_in_leaf};
use super::RawTree;
use super::path::{Path, Trail};
use super::summarize::{leaf_tail, run_from};
use crate::gap::{Direction, Filter, GapRequest, NaturalSize};
use crate::node::{Node, Shape, Store, TracksGaps};
use crate::range::IndexRange;

/// A free range that a search found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) range: IndexRange,
    /// The empty slot in which all of it lies, of the leaf to which the search noted the way. Nothing if it lies in
    /// several slots, or in one of a branch; then what was noted is nothing to go by.
    pub(super) slot: Option<usize>,
}

impl<L: TracksGaps, A> RawTree<L, A> {
    /// The highest or lowest free range that satisfies a request.
    pub(crate) fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        self.search(request, &mut ()).map(|fit| fit.range)
    }

    /// The same, and the way there, so that a write need not search for it again.
    #[inline]
    pub(super) fn find_gap_noting(&self, request: &GapRequest, path: &mut Path) -> Option<Fit> {
        *path = Path::root();
        self.search(request, path)
    }

    #[inline]
    fn search<T: Trail>(&self, request: &GapRequest, trail: &mut T) -> Option<Fit> {
        let Some(root) = self.root() else { return across(request.fit(self.bounds())) };
        match request.direction() {
            Direction::TopDown => find::<L, T, true>(root.node(), self.bounds(), request, trail),
            Direction::BottomUp => find::<L, T, false>(root.node(), self.bounds(), request, trail),
        }
    }
}

/// A range that lies in several slots, or in one of a branch.
#[inline]
fn across(range: Option<IndexRange>) -> Option<Fit> {
    range.map(|range| Fit { range, slot: None })
}

/// Searches a node, which covers `bounds`.
#[inline]
fn find<L: TracksGaps, T: Trail, const TOP_DOWN: bool>(
    node: Node<'_, L>,
    bounds: IndexRange,
    request: &GapRequest,
    trail: &mut T,
) -> Option<Fit> {
    let window = request.window();
    if request.filter() != Filter::Both && window.contains_range(bounds) {
        return descend::<L, T, TOP_DOWN>(node, bounds, request, trail);
    }
    match node {
        _ if !window.overlaps(bounds) => None,
        Node::Leaf(leaf) => find_in_cut_leaf::<_, TOP_DOWN>(leaf, bounds, request),
        Node::Branch(branch) => try_slots::<L, T, TOP_DOWN>(branch, bounds, request, trail),
    }
}

/// Searches where the filter decides and the window cuts nothing: a slot that passes holds a fit, so the first one is
/// the only one to look at.
fn descend<L: TracksGaps, T: Trail, const TOP_DOWN: bool>(
    node: Node<'_, L>,
    bounds: IndexRange,
    request: &GapRequest,
    trail: &mut T,
) -> Option<Fit> {
    let (mut node, mut bounds) = (node, bounds);
    // From the bottom the bridge comes last: that of the slot which was entered, if nothing passes inside.
    let mut above = None;
    let inside = loop {
        let branch = match node {
            Node::Leaf(leaf) => break find_in_leaf::<_, TOP_DOWN>(leaf, leaf.empty(), bounds, request),
            Node::Branch(branch) => branch,
        };
        // All slots, as many as there can be: those that are not in use have no runs.
        let slot = nearest::<TOP_DOWN>(branch.store().longest(), branch.store().natural(), request);
        let Some(slot) = slot else { break None };
        let range = branch.range_of(slot, bounds);
        let Some(child) = branch.slot(slot) else {
            return fit_from::<L>(branch, bounds, slot, range.first(), request);
        };
        let below = child.node();
        if TOP_DOWN {
            let fit = fit_bridge::<L, TOP_DOWN>(branch, bounds, slot, below, range, request);
            if fit.is_some() {
                return fit;
            }
        } else {
            above = Some((branch, bounds, slot));
        }
        trail.enter(slot);
        (node, bounds) = (below, range);
    };
    match above {
        Some((branch, outer, slot)) if inside.is_none() => {
            fit_bridge::<L, TOP_DOWN>(branch, outer, slot, node, bounds, request)
        }
        _ => inside,
    }
}

/// How many branches `try_slots` goes down without recursion.
const LEVELS: usize = 6;

/// Searches a branch where the window may cut runs, or runs may be unfit for other reasons: one slot after the other.
fn try_slots<L: TracksGaps, T: Trail, const TOP_DOWN: bool>(
    branch: &L::Branch,
    bounds: IndexRange,
    request: &GapRequest,
    trail: &mut T,
) -> Option<Fit> {
    let window = request.window();
    let decided = request.filter() != Filter::Both;
    let (mut branch, mut bounds) = (branch, bounds);
    let mut ahead = ahead_of::<_, TOP_DOWN>(branch, bounds, window);
    // The branches above, and which of their slots were entered.
    let mut above = [const { None }; LEVELS];
    let (top, mut depth) = (trail.depth(), 0);
    loop {
        let passing = nearest_ahead::<L, TOP_DOWN>(branch, ahead, request);
        let next = passing.map(|slot| (slot, branch.range_of(slot, bounds)));
        let reached = |range: IndexRange| {
            if TOP_DOWN { window.first() <= range.last() } else { range.first() <= window.last() }
        };
        let (tried, below, range) = match next.filter(|&(_, range)| reached(range)) {
            Some((slot, range)) => {
                let Some(child) = branch.slot(slot) else {
                    let fit = fit_from::<L>(branch, bounds, slot, range.first(), request);
                    if fit.is_some() {
                        return fit;
                    }
                    ahead = after::<TOP_DOWN>(slot);
                    continue;
                };
                let below = child.node();
                if TOP_DOWN && range.last() < window.last() {
                    let fit = fit_bridge::<L, TOP_DOWN>(branch, bounds, slot, below, range, request);
                    if fit.is_some() {
                        return fit;
                    }
                }
                trail.enter(slot);
                let inside = match below {
                    Node::Leaf(leaf) => find_in_cut_leaf::<_, TOP_DOWN>(leaf, range, request),
                    below if decided && window.contains_range(range) => {
                        descend::<L, T, TOP_DOWN>(below, range, request, trail)
                    }
                    Node::Branch(below) if depth < LEVELS => {
                        above[depth] = Some((branch, bounds, slot));
                        depth += 1;
                        ahead = ahead_of::<_, TOP_DOWN>(below, range, window);
                        (branch, bounds) = (below, range);
                        continue;
                    }
                    Node::Branch(below) => try_slots::<L, T, TOP_DOWN>(below, range, request, trail),
                };
                if inside.is_some() {
                    return inside;
                }
                (slot, below, range)
            }
            // There is nothing in this branch. Back to the one above.
            None => {
                depth = depth.checked_sub(1)?;
                let (below, range) = (Node::Branch(branch), bounds);
                let slot;
                (branch, bounds, slot) = above[depth]?;
                (slot, below, range)
            }
        };
        trail.back_to(top + depth);
        if !TOP_DOWN && range.last() < window.last() {
            let fit = fit_bridge::<L, TOP_DOWN>(branch, bounds, tried, below, range, request);
            if fit.is_some() {
                return fit;
            }
        }
        ahead = after::<TOP_DOWN>(tried);
    }
}

/// Where the search of a branch begins, at the window's end: all slots below that are ahead, or from the bottom all from
/// there on.
#[inline]
fn ahead_of<S: Shape, const TOP_DOWN: bool>(branch: &S, bounds: IndexRange, window: IndexRange) -> usize {
    if TOP_DOWN && window.last() < bounds.last() {
        branch.find(window.last()) + 1
    } else if !TOP_DOWN && window.first() > bounds.first() {
        branch.find(window.first())
    } else if TOP_DOWN {
        branch.len()
    } else {
        0
    }
}

/// Where it goes on after a slot.
#[inline]
fn after<const TOP_DOWN: bool>(slot: usize) -> usize {
    if TOP_DOWN { slot } else { slot + 1 }
}

/// The first of the slots ahead that passes the filter.
#[inline]
fn nearest_ahead<L: TracksGaps, const TOP_DOWN: bool>(
    branch: &L::Branch,
    ahead: usize,
    request: &GapRequest,
) -> Option<usize> {
    let (longest, natural) = (branch.store().longest(), branch.store().natural());
    if TOP_DOWN {
        nearest::<true>(&longest[..ahead], &natural[..ahead], request)
    } else {
        nearest::<false>(&longest[ahead..], &natural[ahead..], request).map(|slot| ahead + slot)
    }
}

/// The slot that comes first of those that pass the filter, of `longest` and `natural` for each.
#[inline]
fn nearest<const TOP_DOWN: bool>(
    longest: &[u64],
    natural: &[NaturalSize],
    request: &GapRequest,
) -> Option<usize> {
    let (size, need) = (request.size(), request.need());
    match request.filter() {
        Filter::Length => first::<_, TOP_DOWN>(longest.iter(), |&longest| longest >= size),
        Filter::Natural => first::<_, TOP_DOWN>(natural.iter(), |&natural| natural >= need),
        Filter::Both => first::<_, TOP_DOWN>(natural.iter().zip(longest), |(&natural, &longest)| {
            natural >= need && longest >= size
        }),
    }
}

/// The number of the first item, from the end that the direction says, for which something holds.
#[inline]
fn first<I, const TOP_DOWN: bool>(mut items: I, holds: impl Fn(I::Item) -> bool) -> Option<usize>
where
    I: ExactSizeIterator + DoubleEndedIterator,
{
    let count = items.len();
    while let Some(item) = if TOP_DOWN { items.next_back() } else { items.next() } {
        if holds(item) {
            // What is left is on the other side of it.
            return Some(if TOP_DOWN { items.len() } else { count - items.len() - 1 });
        }
    }
    None
}

/// Fits the request into the run that touches the right edge of the child in `slot`, which is `below` and covers
/// `range` and passes the filter. (One at the right edge of the branch is left to the child, which has as much of it. So is
/// one that the window cuts at that edge or below: that is for callers where it may.)
///
/// Mostly it is seen at once that it does not fit, without a look at the next child.
#[inline(always)]
fn fit_bridge<L: TracksGaps, const TOP_DOWN: bool>(
    branch: &L::Branch,
    bounds: IndexRange,
    slot: usize,
    below: Node<'_, L>,
    range: IndexRange,
    request: &GapRequest,
) -> Option<Fit> {
    if slot + 1 == branch.len() {
        return None;
    }
    // The part beyond the edge is one of the runs of the next slot.
    let tail = tail(below, range);
    if tail == 0 || tail.saturating_add(branch.store().longest()[slot + 1]) < request.size() {
        return None;
    }
    // From the top nothing is left to the right of the child. So what is aligned to its size or more can begin in one place
    // only, the last one in the child; and what ends in the child, too, is found there.
    if TOP_DOWN && request.align() >= request.size() {
        let back = range.last() & (request.align() - 1);
        if back >= tail || back + 1 >= request.size() {
            return None;
        }
    }
    fit_from::<L>(branch, bounds, slot, range.last() - (tail - 1), request)
}

/// The free run at the right edge of a node.
#[inline]
fn tail<L: TracksGaps>(node: Node<'_, L>, bounds: IndexRange) -> u64 {
    match node {
        Node::Leaf(leaf) if leaf.empty() >> (leaf.len() - 1) == 0 => 0,
        Node::Leaf(leaf) => leaf_tail(leaf, bounds),
        Node::Branch(branch) => branch.store().tail(),
    }
}

/// Fits the request into the run that begins at `start` in `slot`, touches the slot's right edge, and goes on
/// through the slots after it.
#[inline(never)]
fn fit_from<L: TracksGaps>(
    branch: &L::Branch,
    bounds: IndexRange,
    slot: usize,
    start: u64,
    request: &GapRequest,
) -> Option<Fit> {
    let last = branch.last_of(slot, bounds) + run_from::<L>(branch, slot + 1, bounds);
    across(request.fit(bounds.starting_at(start).ending_at(last)))
}

#[cfg(test)]
mod tests;
