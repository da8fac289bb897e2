//! Recomputing every invariant from scratch.
//!
//! The checker does not use the code that maintains the summaries: it collects the free runs of each subtree as
//! a list of ranges, joins neighbours, and derives `head`, `tail`, `longest` and `natural` from the list by their
//! definitions.

use core::fmt;

use std_alloc::vec::Vec;

use crate::gap::NaturalSize;
use crate::node::{Layout, Link, Node, Shape, Stage, Store};
use crate::range::IndexRange;
use crate::raw::RawTree;

/// An invariant that does not hold, and where. The names N1 to T5 are those of "Invariants" in `docs/design.md`
/// in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// N1: a pivot in use is not greater than the one before, or lies outside of the node's bounds.
    PivotOrder {
        /// What the node covers.
        node: IndexRange,
        /// The slot that the pivot ends.
        slot: usize,
    },
    /// N1: a pivot that is not in use is not `u64::MAX`.
    UnusedPivot {
        /// What the node covers.
        node: IndexRange,
        /// The pivot.
        slot: usize,
    },
    /// N2: a slot that is not in use holds something.
    UnusedSlot {
        /// What the node covers.
        node: IndexRange,
        /// The slot.
        slot: usize,
    },
    /// N3: the bitmap of empty slots does not say what the slots hold.
    EmptyBitmap {
        /// What the node covers.
        node: IndexRange,
        /// The slot.
        slot: usize,
    },
    /// N4: a slot and the one before are both empty, in a tree that is not shared.
    Fragments {
        /// What the node covers.
        node: IndexRange,
        /// The second of the two.
        slot: usize,
    },
    /// T1: a node has no slots, or more than fit.
    SlotCount {
        /// What the node covers.
        node: IndexRange,
        /// How many it says there are.
        len: usize,
    },
    /// T2: a leaf is not where the height says.
    Depth {
        /// What the leaf covers.
        node: IndexRange,
        /// How many branches are above it.
        depth: usize,
    },
    /// T3: a node has no live slot.
    NothingLive {
        /// What the node covers.
        node: IndexRange,
    },
    /// T4: the longest run or the natural size of a slot is not what it should be.
    SlotSummary {
        /// What the branch covers.
        node: IndexRange,
        /// The slot.
        slot: usize,
        /// The longest run and the largest natural size from the slot on, as they are stored.
        stored: (u64, u64),
        /// The same as they should be.
        expected: (u64, u64),
    },
    /// T4: the free runs at the edges of a branch are not what they should be.
    EdgeSummary {
        /// What the branch covers.
        node: IndexRange,
        /// Head and tail as they are stored.
        stored: (u64, u64),
        /// The same as they should be.
        expected: (u64, u64),
    },
    /// S5: a node is not for the same readers as the root.
    Stage {
        /// What the node covers.
        node: IndexRange,
    },
    /// T5: the number of entries or of reserved ranges is wrong.
    EntryCount {
        /// Entries and reserved ranges as the tree counts them.
        stored: (usize, usize),
        /// The same as it holds them.
        counted: (usize, usize),
    },
    /// T5: the number of nodes is wrong: some were lost or given back too early.
    NodeCount {
        /// Leaves and branches as the tree counts them.
        stored: (usize, usize),
        /// The same as they can be reached.
        counted: (usize, usize),
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PivotOrder { node, slot } => {
                write!(f, "N1: pivot {slot} of the node at {node} is out of order")
            }
            Self::UnusedPivot { node, slot } => {
                write!(f, "N1: unused pivot {slot} of the node at {node} is set")
            }
            Self::UnusedSlot { node, slot } => {
                write!(f, "N2: unused slot {slot} of the node at {node} is set")
            }
            Self::EmptyBitmap { node, slot } => {
                write!(f, "N3: the bitmap is wrong about slot {slot} of the node at {node}")
            }
            Self::Fragments { node, slot } => {
                write!(f, "N4: slot {slot} of the node at {node} and the one before are both empty")
            }
            Self::SlotCount { node, len } => write!(f, "T1: the node at {node} has {len} slots"),
            Self::Depth { node, depth } => write!(f, "T2: the leaf at {node} has {depth} branches above it"),
            Self::NothingLive { node } => write!(f, "T3: the node at {node} has no live slot"),
            Self::SlotSummary { node, slot, stored, expected } => write!(
                f,
                "T4: slot {slot} of the branch at {node} has (longest, natural) {stored:?} and not {expected:?}"
            ),
            Self::EdgeSummary { node, stored, expected } => {
                write!(f, "T4: the branch at {node} has (head, tail) {stored:?} and not {expected:?}")
            }
            Self::Stage { node } => write!(f, "S5: the node at {node} is not for those who read the root"),
            Self::EntryCount { stored, counted } => {
                write!(f, "T5: the tree counts {stored:?} (entries, reserved) and has {counted:?}")
            }
            Self::NodeCount { stored, counted } => {
                write!(f, "T5: the tree counts {stored:?} (leaves, branches) and has {counted:?}")
            }
        }
    }
}

impl core::error::Error for Violation {}

/// Checks a whole tree.
pub(crate) fn validate<L: Layout, A>(tree: &RawTree<L, A>) -> Result<(), Violation> {
    let mut counts = Counts::default();
    if let Some(root) = tree.root() {
        counts.stage = Some(root.stage());
        let depth = tree.height() - 1;
        check_node(root, tree.bounds(), depth, depth, &mut counts)?;
    }
    let nodes = (tree.memory().leaves(), tree.memory().branches());
    if nodes != (counts.leaves, counts.branches) {
        return Err(Violation::NodeCount { stored: nodes, counted: (counts.leaves, counts.branches) });
    }
    let taken = (tree.entries(), tree.reserved());
    if taken != (counts.entries, counts.reserved) {
        return Err(Violation::EntryCount { stored: taken, counted: (counts.entries, counts.reserved) });
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    leaves: usize,
    branches: usize,
    entries: usize,
    reserved: usize,
    stage: Option<Stage>,
}

/// Free ranges in order, neighbours joined.
#[derive(Default)]
struct Runs(Vec<IndexRange>);

impl Runs {
    fn push(&mut self, run: IndexRange) {
        match self.0.last_mut() {
            Some(before) if before.last().checked_add(1) == Some(run.first()) => {
                *before = before.ending_at(run.last());
            }
            _ => self.0.push(run),
        }
    }

    fn edges(&self, bounds: IndexRange) -> (u64, u64) {
        let len = |run: &IndexRange| run.last() - run.first() + 1;
        let head = self.0.first().filter(|run| run.first() == bounds.first()).map_or(0, len);
        let tail = self.0.last().filter(|run| run.last() == bounds.last()).map_or(0, len);
        (head, tail)
    }
}

/// Checks a subtree and returns its free runs. `levels` branches are expected from here to the leaves.
fn check_node<L: Layout>(
    link: &Link<L>,
    bounds: IndexRange,
    levels: usize,
    height: usize,
    counts: &mut Counts,
) -> Result<Runs, Violation> {
    let mut runs = Runs::default();
    if counts.stage != Some(link.stage()) {
        return Err(Violation::Stage { node: bounds });
    }
    match link.node() {
        Node::Leaf(leaf) => {
            check_shape(leaf, bounds, true)?;
            if levels != 0 {
                return Err(Violation::Depth { node: bounds, depth: height - levels });
            }
            counts.leaves += 1;
            let entries = leaf.slots().iter().flatten().count();
            counts.entries += entries;
            counts.reserved += leaf.live().count_ones() as usize - entries;
            for slot in (0..leaf.len()).filter(|&slot| leaf.is_empty(slot)) {
                runs.push(leaf.range_of(slot, bounds));
            }
        }
        Node::Branch(branch) => {
            check_shape(branch, bounds, false)?;
            let Some(below) = levels.checked_sub(1) else {
                return Err(Violation::Depth { node: bounds, depth: height });
            };
            counts.branches += 1;
            for slot in 0..branch.len() {
                let range = branch.range_of(slot, bounds);
                match branch.slot(slot) {
                    None => runs.push(range),
                    Some(child) => {
                        for run in check_node(child, range, below, height, counts)?.0 {
                            runs.push(run);
                        }
                    }
                }
            }
            check_summary::<L>(branch, bounds, &runs)?;
        }
    }
    Ok(runs)
}

/// N1 to N4, T1, T3. Only a leaf may have reserved slots.
fn check_shape<S: Shape>(node: &S, bounds: IndexRange, may_reserve: bool) -> Result<(), Violation> {
    let len = node.len();
    if len == 0 || len > S::CAPACITY {
        return Err(Violation::SlotCount { node: bounds, len });
    }
    let mut lowest = Some(bounds.first());
    for (slot, &pivot) in node.pivots().iter().enumerate() {
        if slot + 1 >= len {
            if pivot != u64::MAX {
                return Err(Violation::UnusedPivot { node: bounds, slot });
            }
        } else if lowest.is_none_or(|lowest| pivot < lowest) || pivot >= bounds.last() {
            return Err(Violation::PivotOrder { node: bounds, slot });
        }
        lowest = pivot.checked_add(1);
    }
    for (slot, held) in node.slots().iter().enumerate() {
        if slot >= len && held.is_some() {
            return Err(Violation::UnusedSlot { node: bounds, slot });
        }
        let reserved = may_reserve && slot < len && held.is_none() && !node.is_empty(slot);
        if node.is_empty(slot) != (slot < len && held.is_none() && !reserved) {
            return Err(Violation::EmptyBitmap { node: bounds, slot });
        }
    }
    if node.live() == 0 {
        return Err(Violation::NothingLive { node: bounds });
    }
    let side_by_side = |slot: &usize| node.is_empty(slot - 1) && node.is_empty(*slot);
    if let Some(slot) = (1..len).find(side_by_side).filter(|_| node.stage() == Stage::Private) {
        return Err(Violation::Fragments { node: bounds, slot });
    }
    Ok(())
}

/// T4, from the runs of the branch: each counts for every slot that it reaches, from that slot's left edge on.
fn check_summary<L: Layout>(branch: &L::Branch, bounds: IndexRange, runs: &Runs) -> Result<(), Violation> {
    if !L::TRACKS_GAPS {
        return Ok(());
    }
    let store = branch.store();
    for slot in 0..branch.len() {
        let range = branch.range_of(slot, bounds);
        let (mut longest, mut natural) = (0, 0);
        for run in runs.0.iter().filter(|run| run.overlaps(range)) {
            let run = run.starting_at(run.first().max(range.first()));
            longest = longest.max(run.last() - run.first() + 1);
            natural = natural.max(natural_size_by_definition(run));
        }
        let summary = store.get(slot);
        let expected = (longest, NaturalSize::at_most(natural).size());
        let stored = (summary.longest, summary.natural.size());
        if stored != expected {
            return Err(Violation::SlotSummary { node: bounds, slot, stored, expected });
        }
    }
    let (stored, expected) = ((store.head(), store.tail()), runs.edges(bounds));
    if stored != expected {
        return Err(Violation::EdgeSummary { node: bounds, stored, expected });
    }
    Ok(())
}

/// The largest size of which a range fits into the run that is aligned to the next power of two.
pub(crate) fn natural_size_by_definition(run: IndexRange) -> u64 {
    let end = u128::from(run.last()) + 1;
    let largest_for = |order: u32| {
        // Sizes above half of the alignment, up to all of it.
        let align = 1u128 << order;
        let room = end.saturating_sub(u128::from(run.first()).next_multiple_of(align)).min(align);
        if 2 * room > align { room } else { 0 }
    };
    (0..=64).map(largest_for).max().and_then(|size| u64::try_from(size).ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
