//! Making a sparse tree dense in place: no memory, no failure.
//!
//! Slots move to the left between the children of one branch, until each child but the last is full. Children
//! that are left without a live slot are given back. First the branches over leaves are tightened so, from left
//! to right, then those a level above, whose children have become sparse thereby, and so on up to the root.
//!
//! What a branch covers and what is free in there stays the same. So the summaries above it do, too: only its
//! own are computed anew, and those of its children if they are branches.

use super::RawTree;
use super::balance::fill;
use super::summarize::refresh_whole;
use crate::alloc::NodeAlloc;
use crate::node::{Layout, Link, Memory, NodeMut, Shape};
use crate::range::IndexRange;

/// How many passes a compaction makes at most. Each releases a small part of what the one before did, and 8 are
/// enough for a million entries; branches of 4 slots take up to 28.
const MAX_PASSES: usize = 32;

/// How far a compaction in steps has come: for [`MapleTree::compact_step`](crate::MapleTree::compact_step).
///
/// Just a level and an index, so anything may be written to the tree between two steps.
///
/// ```
/// use maple_tree::{Compaction, MapleTree};
///
/// let mut tree: MapleTree<()> = MapleTree::new();
/// let mut state = Compaction::new();
/// assert!(!state.is_done());
/// while tree.compact_step(&mut state, 1) {}
/// // There was nothing to give back.
/// assert_eq!((state.is_done(), state.released()), (true, 0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Where to go on; nothing at the end.
    pub(super) next: Option<Place>,
    pub(super) released: usize,
}

/// The branch to tighten next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// How far above the leaves it is; those just above are at 1.
    pub(super) level: usize,
    /// It is the first one there that ends at or after this.
    pub(super) index: u64,
}

impl Compaction {
    /// At the beginning.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Some(Place { level: 1, index: 0 }), released: 0 }
    }

    /// Whether the end is reached.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.next.is_none()
    }

    /// How many nodes were given back so far.
    #[must_use]
    pub const fn released(&self) -> usize {
        self.released
    }
}

impl Default for Compaction {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Makes passes until one releases nothing; the number of nodes that were released.
    pub(crate) fn compact(&mut self) -> usize {
        let mut released = 0;
        for _ in 0..MAX_PASSES {
            let mut pass = Compaction::new();
            self.compact_step(&mut pass, usize::MAX);
            released += pass.released;
            if pass.released == 0 {
                break;
            }
        }
        released
    }

    /// Tightens `budget` branches; whether there is more to do.
    pub(crate) fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        let before = self.memory.nodes();
        for _ in 0..budget {
            let Some(place) = state.next else { break };
            state.next = self.tighten_next(place);
            if state.next.is_none() {
                self.shrink();
            }
        }
        state.released += before - self.memory.nodes();
        !state.is_done()
    }

    /// Tightens the branch at a place; the place after it.
    fn tighten_next(&mut self, place: Place) -> Option<Place> {
        let bounds = self.bounds;
        let root_level = self.height.checked_sub(1)?;
        let root = self.root.as_mut().filter(|_| place.level <= root_level)?;
        let index = place.index.max(bounds.first());
        let end = if index > bounds.last() {
            bounds.last()
        } else {
            tighten_below(root, bounds, root_level - place.level, index, &mut self.memory)
        };
        if end < bounds.last() {
            return Some(Place { index: end + 1, ..place });
        }
        (place.level < root_level).then_some(Place { level: place.level + 1, index: 0 })
    }
}

/// Tightens the first branch that is `depth` levels below a link and ends at or after `index`. Returns up to
/// where it, or what is free instead, reaches.
fn tighten_below<L: Layout, A: NodeAlloc>(
    link: &mut Link<L>,
    bounds: IndexRange,
    depth: usize,
    index: u64,
    memory: &mut Memory<L, A>,
) -> u64 {
    let NodeMut::Branch(branch) = link.node_mut() else { return bounds.last() };
    let Some(depth) = depth.checked_sub(1) else {
        tighten::<L, A>(branch, bounds, memory);
        return bounds.last();
    };
    let Some(slot) = branch.live_at_or_after(branch.find(index)) else { return bounds.last() };
    let range = branch.range_of(slot, bounds);
    match branch.slot_mut(slot) {
        Some(child) => tighten_below(child, range, depth, index.max(range.first()), memory),
        None => range.last(),
    }
}

/// Moves the slots of the children of a branch to the left, and releases the children that are left without
/// any.
pub(super) fn tighten<L: Layout, A: NodeAlloc>(
    branch: &mut L::Branch,
    bounds: IndexRange,
    memory: &mut Memory<L, A>,
) {
    let mut changed = false;
    let mut left = 0;
    while let Some(child) = branch.live_at_or_after(left) {
        left = child;
        let Some(right) = branch.live_at_or_after(left + 1) else { break };
        match fill::<L>(branch, left, right, bounds) {
            Some(needless) => {
                changed = true;
                if let Some(needless) = needless {
                    memory.release(needless);
                }
            }
            None => left = right,
        }
    }
    if !changed || !L::TRACKS_GAPS {
        return;
    }
    for slot in 0..branch.len() {
        let range = branch.range_of(slot, bounds);
        if let Some(NodeMut::Branch(child)) = branch.slot_mut(slot).map(Link::node_mut) {
            refresh_whole::<L>(child, range);
        }
    }
    refresh_whole::<L>(branch, bounds);
}
