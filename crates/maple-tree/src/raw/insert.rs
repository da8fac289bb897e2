//! Inserting an entry: look, allocate, change.
//!
//! 1. *Look* ([`plan`](RawTree::plan)): walk down without changing anything and decide in which leaf the entry
//!    goes, which empty slots it replaces, and how many nodes that needs.
//! 2. *Allocate* these nodes, or fail with the tree as it was.
//! 3. *Change* ([`commit`](Commit::run)): walk down again along the same way and do it. This cannot fail.
//!
//! Mostly the free range lies in empty slots of one leaf. Otherwise it crosses nodes or lies in an empty slot of
//! a branch; then it is given to the leaf next to it on the left (or, if there is none or that one is full, on
//! the right), whose ancestors up to the branch that spans the range grow by it. What lies beyond loses the
//! range at its edge; all of that is free, so it takes cutting off empty slots and no memory (`trim`).

use super::split::{Half, choose_cut};
use super::summarize::{Change, leaf_head, refresh};
use super::way::Way;
use super::{MAX_HEIGHT, RawTree, trim};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Word;
use crate::node::{self, Layout, Link, Node, NodeMut, Shape, Spare};
use crate::range::IndexRange;

/// Why a range was not inserted. The tree is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InsertFailure {
    /// An entry is in the way: the first one, by index.
    Occupied(IndexRange),
    /// There is no memory for the nodes that the insertion needs.
    NoMemory(AllocError),
}

/// Where the free range lies, and so which leaf takes the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In one leaf.
    Leaf,
    /// Across slots of the branch at this depth; the leaf at the right edge of a slot grows by it.
    LeftOf { depth: usize },
    /// Likewise; the leaf at the left edge of a slot grows by it.
    RightOf { depth: usize },
}

/// How the slots of the leaf change: `removed` empty slots at `at`, which cover `free` (or will, once the leaf
/// has grown), become the entry and what stays free on either side.
#[derive(Clone, Copy, Debug)]
struct Edit {
    at: usize,
    removed: usize,
    free: IndexRange,
}

/// What an insertion is going to do.
#[derive(Clone, Debug)]
struct Plan {
    range: IndexRange,
    way: Way,
    place: Place,
    edit: Edit,
    leaves: usize,
    branches: usize,
}

impl Edit {
    /// How many slots there will be instead of the removed ones.
    fn inserted(&self, range: IndexRange) -> usize {
        1 + usize::from(self.free.first() < range.first()) + usize::from(range.last() < self.free.last())
    }

    fn apply<S: Shape<Live = Word>>(&self, leaf: &mut S, range: IndexRange, word: Word) {
        leaf.resize(self.at, self.removed, self.inserted(range));
        let mut slot = self.at;
        // The slot before may have been the last one, which has no pivot.
        if let Some(before) = slot.checked_sub(1) {
            leaf.set_last(before, self.free.first().wrapping_sub(1));
        }
        if self.free.first() < range.first() {
            leaf.set_last(slot, range.first() - 1);
            slot += 1;
        }
        leaf.set_last(slot, range.last());
        leaf.put(slot, Some(word));
        if range.last() < self.free.last() {
            leaf.set_last(slot + 1, self.free.last());
        }
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Stores `word` over `range`, which must be free.
    pub(crate) fn insert(
        &mut self,
        range: IndexRange,
        word: Word,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        if self.root.is_none() {
            return self.insert_first(range, word, mode);
        }
        let mut plan = self.plan(range).map_err(InsertFailure::Occupied)?;
        if plan.leaves > 0 && plan.place == Place::Leaf && self.spill(&plan.way) {
            plan = self.plan(range).map_err(InsertFailure::Occupied)?;
        }
        if plan.branches + self.height > MAX_HEIGHT {
            return Err(InsertFailure::NoMemory(AllocError));
        }
        let spare = if plan.leaves == 0 {
            Spare::none()
        } else {
            Spare::allocate(&mut self.memory, plan.leaves, plan.branches, mode)
                .map_err(InsertFailure::NoMemory)?
        };
        let mut commit = Commit { plan: &plan, word, spare };
        if let Some(mut root) = self.root.take() {
            let done = commit.run(&mut root, 0, IndexRange::FULL);
            self.root = Some(match done.split {
                None => root,
                Some((end, right)) => {
                    self.height += 1;
                    commit.new_root(root, end, right)
                }
            });
            self.entries += 1;
        }
        commit.spare.release(&mut self.memory);
        Ok(())
    }

    fn insert_first(&mut self, range: IndexRange, word: Word, mode: AllocMode) -> Result<(), InsertFailure> {
        let mut root: Link<L> = self.memory.new_leaf(mode).map_err(InsertFailure::NoMemory)?;
        if let NodeMut::Leaf(leaf) = root.node_mut() {
            leaf.resize(0, 0, 1);
            Edit { at: 0, removed: 1, free: IndexRange::FULL }.apply(leaf, range, word);
        }
        self.root = Some(root);
        self.height = 1;
        self.entries = 1;
        Ok(())
    }

    /// Evens out the leaf at the end of `way` with a leaf beside it that has room. Whether there was one.
    ///
    /// This moves slots, not contents, and needs no memory, so it may come before an allocation that fails.
    /// It saves 10 to 15 % of the memory of a tree that is filled at random.
    fn spill(&mut self, way: &Way) -> bool {
        let Some(parent) = way.depth().checked_sub(1) else { return false };
        let Some(root) = self.root.as_mut() else { return false };
        spill_at(root, way, 0, parent, IndexRange::FULL).is_some()
    }

    /// Decides what inserting over `range` does, or names the entry in the way.
    fn plan(&self, range: IndexRange) -> Result<Plan, IndexRange> {
        let mut way = Way::root();
        let mut lens = [0u8; MAX_HEIGHT];
        let mut bounds = IndexRange::FULL;
        let mut place = Place::Leaf;
        let mut link = self.root();
        while let Some(node) = link.map(Link::node) {
            match node {
                Node::Leaf(leaf) => {
                    let edit = match place {
                        Place::Leaf => edit_within(leaf, bounds, range)?,
                        Place::LeftOf { .. } => edit_at_end(leaf, bounds, range),
                        Place::RightOf { .. } => edit_at_front(leaf, bounds, range),
                    };
                    let len = leaf.len() - edit.removed + edit.inserted(range);
                    let leaves = usize::from(len > L::Leaf::CAPACITY);
                    let branches = if leaves > 0 { full_branches::<L>(&way, &lens) } else { 0 };
                    return Ok(Plan { range, way, place, edit, leaves, branches });
                }
                Node::Branch(branch) => {
                    let depth = way.depth();
                    let (slot, len) = match place {
                        Place::Leaf => {
                            let slot = branch.find(range.first());
                            let inside = range.last() <= branch.last_of(slot, bounds);
                            if inside && !branch.is_empty(slot) {
                                (slot, branch.len())
                            } else {
                                self.check_free(range)?;
                                let (chosen, slot, len) = choose_side::<L>(branch, bounds, range, depth);
                                place = chosen;
                                (slot, len)
                            }
                        }
                        // Beyond the outermost live slot there are only empty ones, which will be cut off.
                        Place::LeftOf { .. } => {
                            let slot = branch.live_at_or_before(branch.len() - 1).unwrap_or(0);
                            (slot, slot + 1)
                        }
                        Place::RightOf { .. } => {
                            let slot = branch.live_at_or_after(0).unwrap_or(0);
                            (slot, branch.len() - slot)
                        }
                    };
                    lens[depth] = len as u8;
                    way.push(slot);
                    bounds = branch.range_of(slot, bounds);
                    link = branch.slot(slot);
                }
            }
        }
        // Not reached: `slot` is live at each step (T3). An occupied range is the harmless answer.
        debug_assert!(false, "a way into an empty slot");
        Err(range)
    }

    fn check_free(&self, range: IndexRange) -> Result<(), IndexRange> {
        match self.entry_at_or_after(range.first()).and_then(|(leaf, slot)| leaf.entry(slot)) {
            Some(found) if found.range.first() <= range.last() => Err(found.range),
            _ => Ok(()),
        }
    }
}

/// How many new branches a split leaf makes: one for each full branch above it without a break, and a root if
/// there is no break.
fn full_branches<L: Layout>(way: &Way, lens: &[u8; MAX_HEIGHT]) -> usize {
    let full = |depth: &usize| usize::from(lens[*depth]) >= L::Branch::CAPACITY;
    let splits = (0..way.depth()).rev().take_while(full).count();
    splits + usize::from(splits == way.depth())
}

/// The edit where the range lies within one leaf.
fn edit_within<S: Shape<Live = Word>>(
    leaf: &S,
    bounds: IndexRange,
    range: IndexRange,
) -> Result<Edit, IndexRange> {
    let from = leaf.find(range.first());
    if let Some(live) = leaf.live_at_or_after(from) {
        let occupied = leaf.range_of(live, bounds);
        if occupied.first() <= range.last() {
            return Err(occupied);
        }
    }
    let at = leaf.live_at_or_before(from).map_or(0, |live| live + 1);
    let end = leaf.live_at_or_after(from).unwrap_or(leaf.len());
    let free = super::joined(leaf, at, end - 1, bounds);
    Ok(Edit { at, removed: end - at, free })
}

/// The edit where the leaf grows to the right, to end where the range ends.
fn edit_at_end<S: Shape>(leaf: &S, bounds: IndexRange, range: IndexRange) -> Edit {
    let at = leaf.live_at_or_before(leaf.len() - 1).map_or(0, |live| live + 1);
    let first = at.checked_sub(1).map_or(bounds.first(), |live| leaf.last_of(live, bounds) + 1);
    Edit { at, removed: leaf.len() - at, free: IndexRange::new(first, range.last()).unwrap_or(range) }
}

/// The edit where the leaf grows to the left, to begin where the range begins.
fn edit_at_front<S: Shape>(leaf: &S, bounds: IndexRange, range: IndexRange) -> Edit {
    let removed = leaf.live_at_or_after(0).unwrap_or(leaf.len());
    let last = leaf.first_of(removed, bounds).wrapping_sub(1);
    Edit { at: 0, removed, free: IndexRange::new(range.first(), last).unwrap_or(range) }
}

/// Which slot of a branch takes a free range that is not inside one child: the live one on the left if the leaf
/// at its edge has room, else the one on the right under the same condition, else any. With the place, the slot,
/// and how many slots the branch has once the range is given to it.
fn choose_side<L: Layout>(
    branch: &L::Branch,
    bounds: IndexRange,
    range: IndexRange,
    depth: usize,
) -> (Place, usize, usize) {
    let (from, to) = (branch.find(range.first()), branch.find(range.last()));
    let left = branch.live_at_or_before(from);
    let right = branch.live_at_or_after(to);
    let has_room = |slot: Option<usize>, right_edge: bool| {
        slot.and_then(|slot| branch.slot(slot)).is_some_and(|link| edge_leaf_has_room(link, right_edge))
    };
    let goes_left = left.is_some() && (has_room(left, true) || right.is_none() || !has_room(right, false));
    match (left, right) {
        (Some(slot), _) if goes_left => {
            let cut = trim::slots_after(branch, slot, bounds, range);
            (Place::LeftOf { depth }, slot, branch.len() - cut)
        }
        (_, Some(slot)) => {
            let cut = trim::slots_before(branch, slot, bounds, range);
            (Place::RightOf { depth }, slot, branch.len() - cut)
        }
        // Not reached: a branch has a live slot (T3).
        _ => (Place::LeftOf { depth }, 0, branch.len()),
    }
}

/// Whether the outermost leaf of a subtree can take an entry and an empty slot.
fn edge_leaf_has_room<L: Layout>(link: &Link<L>, right_edge: bool) -> bool {
    let mut link = link;
    loop {
        match link.node() {
            Node::Leaf(leaf) => return leaf.len() + 2 <= L::Leaf::CAPACITY,
            Node::Branch(branch) => {
                let edge = if right_edge {
                    branch.live_at_or_before(branch.len() - 1)
                } else {
                    branch.live_at_or_after(0)
                };
                match edge.and_then(|slot| branch.slot(slot)) {
                    Some(child) => link = child,
                    None => return false,
                }
            }
        }
    }
}

/// Walks to the branch at depth `parent` and evens out the leaf there with one beside it.
fn spill_at<L: Layout>(
    link: &mut Link<L>,
    way: &Way,
    depth: usize,
    parent: usize,
    bounds: IndexRange,
) -> Option<Change> {
    let NodeMut::Branch(branch) = link.node_mut() else { return None };
    let slot = way.slot(depth);
    if depth == parent {
        return super::balance::spill::<L>(branch, slot, bounds);
    }
    let child_bounds = branch.range_of(slot, bounds);
    let change = spill_at(branch.slot_mut(slot)?, way, depth + 1, parent, child_bounds)?;
    Some(refresh::<L>(branch, slot, bounds, change))
}

/// What became of a node on the way.
struct Done<L: Layout> {
    /// The node ends here now, and the rest of it is this new node.
    split: Option<(u64, Link<L>)>,
    change: Change,
}

/// The part of an insertion that changes the tree and cannot fail.
struct Commit<'a, L: Layout> {
    plan: &'a Plan,
    word: Word,
    spare: Spare<L>,
}

impl<L: Layout> Commit<'_, L> {
    /// Changes the node under `link`, at `depth` on the way, which covers `bounds` (once it has grown).
    fn run(&mut self, link: &mut Link<L>, depth: usize, bounds: IndexRange) -> Done<L> {
        match link.node_mut() {
            NodeMut::Leaf(leaf) => self.run_leaf(leaf, bounds),
            NodeMut::Branch(branch) => self.run_branch(branch, depth, bounds),
        }
    }

    fn run_leaf(&mut self, leaf: &mut L::Leaf, bounds: IndexRange) -> Done<L> {
        let Plan { range, edit, place, .. } = *self.plan;
        let mut right = if self.plan.leaves > 0 { self.spare.take_leaf() } else { None };
        let Some(NodeMut::Leaf(new)) = right.as_mut().map(Link::node_mut) else {
            let head = leaf_head(leaf, bounds);
            edit.apply(leaf, range, self.word);
            let head = place != Place::Leaf || head != leaf_head(leaf, bounds);
            return Done { split: None, change: Change { head, rest: true } };
        };
        let cut = choose_cut(leaf, edit.at, edit.removed, edit.inserted(range));
        // Next to the edit the end is known from the edit: there may not be a pivot yet.
        let end = match cut.half {
            Half::Right if cut.at == edit.at => edit.free.first() - 1,
            Half::Left if cut.at == edit.at + edit.removed => edit.free.last(),
            _ => leaf.pivots()[cut.at - 1],
        };
        node::split_off(leaf, cut.at, new);
        match cut.half {
            Half::Left => edit.apply(leaf, range, self.word),
            Half::Right => Edit { at: edit.at - cut.at, ..edit }.apply(new, range, self.word),
        }
        Done { split: right.map(|right| (end, right)), change: Change::ALL }
    }

    fn run_branch(&mut self, branch: &mut L::Branch, depth: usize, bounds: IndexRange) -> Done<L> {
        let slot = self.plan.way.slot(depth);
        let grown = match self.plan.place {
            Place::LeftOf { depth: top } if depth >= top => {
                if depth == top {
                    trim::give_to_left::<L>(branch, slot, bounds, self.plan.range);
                } else {
                    trim::keep_until(branch, slot);
                }
                Some(slot)
            }
            Place::RightOf { depth: top } if depth >= top => Some(if depth == top {
                trim::give_to_right::<L>(branch, slot, bounds, self.plan.range)
            } else {
                trim::keep_from(branch, slot);
                0
            }),
            _ => None,
        };
        let slot = grown.unwrap_or(slot);
        let child_bounds = branch.range_of(slot, bounds);
        let Some(child) = branch.slot_mut(slot) else {
            debug_assert!(false, "the way leads into an empty slot");
            return Done { split: None, change: Change::ALL };
        };
        let done = self.run(child, depth + 1, child_bounds);
        if let Some((end, right)) = done.split {
            return self.add_child(branch, bounds, slot, child_bounds.last(), end, right);
        }
        let change = if grown.is_some() {
            refresh_all::<L>(branch, slot.saturating_sub(1), slot + 2, bounds)
        } else {
            refresh::<L>(branch, slot, bounds, done.change)
        };
        Done { split: None, change }
    }

    /// Links a new node to the right of the child in `slot`, which ends at `end` since it was split; the two end
    /// at `last`. Splits the branch if it is full.
    fn add_child(
        &mut self,
        branch: &mut L::Branch,
        bounds: IndexRange,
        slot: usize,
        last: u64,
        end: u64,
        right: Link<L>,
    ) -> Done<L> {
        if branch.len() < L::Branch::CAPACITY {
            link_child::<L>(branch, slot + 1, last, end, right);
            let change = refresh_all::<L>(branch, slot.saturating_sub(1), slot + 3, bounds);
            return Done { split: None, change };
        }
        let mut sibling = self.spare.take_branch();
        let Some(NodeMut::Branch(new)) = sibling.as_mut().map(Link::node_mut) else {
            // Not reached: `full_branches` counted this one. Losing a node would be worse than a wrong count.
            debug_assert!(false, "no spare branch");
            core::mem::forget(right);
            return Done { split: None, change: Change::ALL };
        };
        let cut = choose_cut(branch, slot + 1, 0, 1);
        let boundary = match cut.half {
            Half::Right if cut.at == slot + 1 => end,
            Half::Left if cut.at == slot + 1 => last,
            _ => branch.pivots()[cut.at - 1],
        };
        node::split_off(branch, cut.at, new);
        let (left_bounds, right_bounds) = (bounds.ending_at(boundary), bounds.starting_at(boundary + 1));
        match cut.half {
            Half::Left => link_child::<L>(branch, slot + 1, last, end, right),
            Half::Right => link_child::<L>(new, slot + 1 - cut.at, last, end, right),
        }
        let left_from = slot.saturating_sub(1).min(branch.len() - 1);
        refresh_all::<L>(branch, left_from, branch.len(), left_bounds);
        let from = (slot + 1).saturating_sub(cut.at + 2);
        refresh_all::<L>(new, from, (slot + 3).saturating_sub(cut.at).max(1), right_bounds);
        Done { split: sibling.map(|sibling| (boundary, sibling)), change: Change::ALL }
    }

    /// A root over the old root, which ends at `end` since it was split, and the rest of it.
    fn new_root(&mut self, left: Link<L>, end: u64, right: Link<L>) -> Link<L> {
        let Some(mut root) = self.spare.take_branch() else {
            debug_assert!(false, "no spare root");
            return left;
        };
        if let NodeMut::Branch(branch) = root.node_mut() {
            branch.resize(0, 0, 2);
            branch.set_last(0, end);
            branch.put(0, Some(left));
            branch.put(1, Some(right));
            refresh_all::<L>(branch, 0, 2, IndexRange::FULL);
        }
        root
    }
}

/// Puts a node into a new slot at `at` that ends at `last`; the slot before it ends at `end`.
fn link_child<L: Layout>(branch: &mut L::Branch, at: usize, last: u64, end: u64, child: Link<L>) {
    branch.resize(at, 0, 1);
    if let Some(before) = at.checked_sub(1) {
        branch.set_last(before, end);
    }
    branch.set_last(at, last);
    branch.put(at, Some(child));
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
