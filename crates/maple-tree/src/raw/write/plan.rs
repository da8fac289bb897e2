//! The looking part of a write: which slots of a leaf it replaces, and how many nodes it needs.

use crate::entry::Held;
use crate::node::{Layout, Link, Node, Shape};
use crate::range::IndexRange;
use crate::raw::path::Path;
use crate::raw::{MAX_HEIGHT, RawTree, joined, trim};

/// Where the range lies, and so which leaf takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In one leaf.
    Leaf,
    /// Across slots of the branch at this depth; the leaf at the right edge of a slot grows by it.
    LeftOf { depth: usize },
    /// Likewise; the leaf at the left edge of a slot grows by it.
    RightOf { depth: usize },
}

/// What a slot of a leaf is to hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filling {
    Empty,
    /// A word, or nothing: then the slot is reserved.
    Taken(Option<Held>),
}

/// What a write does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Something new goes where all is free.
    Insert,
    /// Something new goes where one entry was, of which a part or two are left.
    Divide,
    /// An entry gets more indices.
    Widen,
}

/// How the slots of a leaf change: the `removed` slots at `at`, which cover `span` (or will, once the leaf has
/// grown), become one for the range that is written and one for what is left of the span on either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub(super) purpose: Purpose,
    pub(super) at: usize,
    pub(super) removed: usize,
    pub(super) span: IndexRange,
    pub(super) before: Filling,
    pub(super) after: Filling,
}

/// What a write is going to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) range: IndexRange,
    pub(super) path: Path,
    pub(super) place: Place,
    pub(super) edit: Edit,
    pub(super) leaves: usize,
    pub(super) branches: usize,
}

impl Edit {
    /// The `removed` slots at `at`, which are empty and cover `free`, get something new.
    pub(super) fn insert(at: usize, removed: usize, free: IndexRange) -> Self {
        let (before, after) = (Filling::Empty, Filling::Empty);
        Self { purpose: Purpose::Insert, at, removed, span: free, before, after }
    }

    /// How many slots there will be instead of the removed ones.
    pub(super) fn inserted(&self, range: IndexRange) -> usize {
        1 + usize::from(self.span.first() < range.first()) + usize::from(range.last() < self.span.last())
    }

    /// The same for a full leaf of `len` slots, if the edit is at an end of it: what is left of the gap between `range` and
    /// the other slots stays with them. So a tree that grows in one direction fills its leaves to the last slot.
    pub(super) fn beside_gap(self, len: usize, range: IndexRange) -> Self {
        if self.purpose != Purpose::Insert || self.removed != 1 {
            self
        } else if self.at + 1 == len && self.span.first() < range.first() {
            Self { at: len, removed: 0, span: self.span.starting_at(range.first()), ..self }
        } else if self.at == 0 && range.last() < self.span.last() {
            Self { removed: 0, span: self.span.ending_at(range.last()), ..self }
        } else {
            self
        }
    }

    pub(super) fn apply<S: Shape<Live = Held>>(&self, leaf: &mut S, range: IndexRange, word: Option<Held>) {
        if self.purpose != Purpose::Insert {
            // What the slots hold is in the plan, as a filling or as the word that is written.
            for slot in self.at..self.at + self.removed {
                leaf.put(slot, None);
            }
        }
        leaf.splice(self.at, self.removed, self.inserted(range));
        let mut slot = self.at;
        // The slot before may have been the last one, which has no pivot.
        if let Some(before) = slot.checked_sub(1) {
            leaf.set_last(before, self.span.first().wrapping_sub(1));
        }
        if self.span.first() < range.first() {
            leaf.set_last(slot, range.first() - 1);
            if let Filling::Taken(word) = self.before {
                leaf.occupy(slot, word);
            }
            slot += 1;
        }
        leaf.set_last(slot, range.last());
        leaf.occupy(slot, word);
        if range.last() < self.span.last() {
            leaf.set_last(slot + 1, self.span.last());
            if let Filling::Taken(word) = self.after {
                leaf.occupy(slot + 1, word);
            }
        }
    }
}

impl<L: Layout, A> RawTree<L, A> {
    /// Decides what inserting over `range` does, or names what is in the way.
    pub(in crate::raw) fn plan_insert(&self, range: IndexRange) -> Result<Plan, IndexRange> {
        let mut path = Path::root();
        let mut lens = [0u8; MAX_HEIGHT];
        let mut bounds = self.bounds();
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
                    return Ok(Plan::new::<L>(range, path, place, edit, leaf.len(), &lens));
                }
                Node::Branch(branch) => {
                    let depth = path.depth();
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
                    path.push(slot);
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
        match self.first_in(range) {
            Some(found) => Err(found.range),
            None => Ok(()),
        }
    }
}

impl Plan {
    /// What kind of work this is.
    #[cfg(test)]
    pub(super) fn reaches(&self) -> crate::reached::Reached {
        use crate::reached::Reached;
        let Edit { purpose, before, after, .. } = self.edit;
        match (purpose, self.place, self.edit.inserted(self.range)) {
            (Purpose::Insert, _, 1) => Reached::InsertFillsGap,
            (Purpose::Insert, _, 2) => Reached::InsertLeavesOneGap,
            (Purpose::Insert, ..) => Reached::InsertLeavesTwoGaps,
            (Purpose::Divide, ..) => match (before, after) {
                (Filling::Taken(_), Filling::Taken(_)) => Reached::DivideInThree,
                _ => Reached::DivideInTwo,
            },
            (Purpose::Widen, Place::Leaf, _) => Reached::WidenInLeaf,
            (Purpose::Widen, Place::LeftOf { .. }, _) => Reached::WidenUpAcross,
            (Purpose::Widen, Place::RightOf { .. }, _) => Reached::WidenDownAcross,
        }
    }

    /// How many branches lie above the highest node that changes if no node is split.
    pub(in crate::raw) fn top(&self) -> usize {
        match self.place {
            Place::Leaf => self.path.depth(),
            Place::LeftOf { depth } | Place::RightOf { depth } => depth,
        }
    }

    /// Completes a plan: counts the nodes that it needs. The leaf has `len` slots, the branches above it `lens`.
    pub(super) fn new<L: Layout>(
        range: IndexRange,
        path: Path,
        place: Place,
        edit: Edit,
        len: usize,
        lens: &[u8; MAX_HEIGHT],
    ) -> Self {
        let leaves = usize::from(len - edit.removed + edit.inserted(range) > L::Leaf::CAPACITY);
        let branches = if leaves > 0 { full_branches::<L>(&path, lens) } else { 0 };
        Self { range, path, place, edit, leaves, branches }
    }
}

/// How many new branches a split leaf makes: one for each full branch above it without a break, and a root if
/// there is no break.
fn full_branches<L: Layout>(path: &Path, lens: &[u8; MAX_HEIGHT]) -> usize {
    let full = |depth: &usize| usize::from(lens[*depth]) >= L::Branch::CAPACITY;
    let splits = (0..path.depth()).rev().take_while(full).count();
    splits + usize::from(splits == path.depth())
}

/// The edit where the range lies within one leaf.
fn edit_within<S: Shape<Live = Held>>(
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
    let free = joined(leaf, at, end - 1, bounds);
    Ok(Edit::insert(at, end - at, free))
}

/// The edit where the leaf grows to the right, to end where the range ends.
fn edit_at_end<S: Shape>(leaf: &S, bounds: IndexRange, range: IndexRange) -> Edit {
    let at = leaf.live_at_or_before(leaf.len() - 1).map_or(0, |live| live + 1);
    let first = at.checked_sub(1).map_or(bounds.first(), |live| leaf.last_of(live, bounds) + 1);
    Edit::insert(at, leaf.len() - at, IndexRange::new(first, range.last()).unwrap_or(range))
}

/// The edit where the leaf grows to the left, to begin where the range begins.
fn edit_at_front<S: Shape>(leaf: &S, bounds: IndexRange, range: IndexRange) -> Edit {
    let removed = leaf.live_at_or_after(0).unwrap_or(leaf.len());
    let last = leaf.first_of(removed, bounds).wrapping_sub(1);
    Edit::insert(0, removed, IndexRange::new(range.first(), last).unwrap_or(range))
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
