//! Going from tree to tree.

use core::num::NonZeroUsize;
use std::collections::HashSet;
use std::string::String;
use std::vec::Vec;

use super::model::{Cell, Cells, FREE, RESERVED};
use super::ops::{Choice, Op, foresee};
use crate::gap::{Direction, GapRequest};
use crate::map::MapleTree;
use crate::node::{Link, Node, Shape, TracksGaps};
use crate::range::IndexRange;
use crate::reached::{Reached, count};

/// A tree, and what it should hold. The value of an entry is its number in the cells.
#[derive(Debug)]
pub(super) struct State<L: TracksGaps> {
    pub(super) tree: MapleTree<NonZeroUsize, L>,
    pub(super) cells: Cells,
}

/// What told trees apart: their nodes in order.
type Key = Vec<u8>;

/// What a tree holds, as its nodes say.
pub(super) struct Contents {
    pub(super) key: Key,
    cells: Cells,
}

/// How much was explored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) states: usize,
    pub(super) steps: usize,
    /// The highest tree.
    pub(super) height: usize,
}

impl<L: TracksGaps> State<L> {
    /// Nothing in a space of `count` indices from `base` on; the tree may end there or go on.
    pub(super) fn empty(base: u64, count: usize, bounded: bool) -> Self {
        let cells = Cells::new(base, count);
        let tree = if bounded { MapleTree::bounded(cells.space()) } else { MapleTree::new() };
        Self { tree, cells }
    }

    /// What follows from this one, if anything changes. Compares what the tree says with the model.
    pub(super) fn after(&self, op: Op) -> Option<Self> {
        let mut cells = self.cells.clone();
        let expected = foresee(op, &mut cells);
        let mut tree = self.tree.try_clone().expect("there is memory");
        let said = apply(&mut tree, op, &self.cells);
        assert_eq!(said, expected, "{op:?} of\n{}", self.tree.dump());
        let state = Self { tree, cells };
        check(&state.tree, &state.cells, || std::format!("{op:?} of\n{}", self.tree.dump()));
        // One that could not be taken out before stays, maybe, if what is erased is inside a leaf.
        if matches!(op, Op::Erase(_)) && self.only_child().is_none() {
            state.check_root(|| std::format!("{op:?} of\n{}", self.tree.dump()));
        }
        (state.cells != self.cells).then_some(state)
    }

    /// Does something to the tree, which must be possible.
    pub(super) fn apply(&mut self, op: Op) {
        *self = self.after(op).expect("it changes something");
    }

    /// The only child of the root, and what it covers.
    fn only_child(&self) -> Option<(&Link<L>, IndexRange)> {
        let Some(Node::Branch(root)) = self.tree.raw().root().map(Link::node) else { return None };
        let slot = root.live().trailing_zeros() as usize;
        let child = (root.slot(slot)?, root.range_of(slot, self.tree.bounds()));
        (root.live().count_ones() == 1).then_some(child)
    }

    /// An erase leaves no root above a single child, unless a leaf at an end of it has no room for the empty slots that it
    /// would take to cover all that the root does.
    fn check_root(&self, after: impl Fn() -> String) {
        let Some((child, range)) = self.only_child() else { return };
        let bounds = self.tree.bounds();
        let front = end_leaf(child, |_| 0);
        let back = end_leaf(child, |len| len - 1);
        let at_front = front.filter(|leaf| bounds.first() < range.first() && !leaf.is_empty(0));
        let at_back = back.filter(|leaf| range.last() < bounds.last() && !leaf.is_empty(leaf.len() - 1));
        let has_room = match (at_front, at_back) {
            (Some(front), Some(back)) if core::ptr::eq(front, back) => front.len() + 2 <= L::Leaf::CAPACITY,
            _ => [at_front, at_back].into_iter().flatten().all(|leaf| leaf.len() < L::Leaf::CAPACITY),
        };
        assert!(!has_room, "{}\nis\n{}", after(), self.tree.dump());
    }

    pub(super) fn contents(&self) -> Contents {
        Contents::of(&self.tree, &self.cells)
    }

    /// Compares searches in windows that begin or end where the space does: all of them where there are few indices. Counts
    /// where the answers are.
    fn check_searches(&self) {
        let space = self.cells.space();
        let some = 1 + self.cells.cells.len() / 12;
        let windows = (space.first()..=space.last())
            .step_by(some)
            .flat_map(|index| [space.starting_at(index), space.ending_at(index)]);
        for window in windows {
            for size in (1..=window.count() as u64).step_by(some) {
                for (align, direction) in [
                    (1, Direction::BottomUp),
                    (1, Direction::TopDown),
                    (2, Direction::BottomUp),
                    (size.next_power_of_two(), Direction::TopDown),
                ] {
                    let request = GapRequest::new(window, size, align, direction).expect("it makes sense");
                    let found = self.tree.find_gap(&request);
                    let expected = self.cells.find_gap(&request);
                    assert_eq!(found, expected, "{request:?} of\n{}", self.tree.dump());
                    if let (Some(found), Some(root)) = (found, self.tree.raw().root()) {
                        count(where_it_is(root, self.tree.bounds(), found));
                    }
                }
            }
            assert_eq!(
                self.tree.longest_gap(window).map(IndexRange::count),
                (1..=window.count() as u64)
                    .rev()
                    .filter_map(|size| {
                        let request = GapRequest::new(window, size, 1, Direction::TopDown).ok()?;
                        self.cells.find_gap(&request)
                    })
                    .map(IndexRange::count)
                    .next()
            );
        }
        for index in space.first()..=space.last() {
            let number = self.cells.at(index);
            let entry = (FREE + 1..RESERVED).contains(&number).then_some(number as usize);
            assert_eq!(self.tree.get(index).map(NonZeroUsize::get), entry);
        }
    }
}

/// Checks a tree that should hold just this.
pub(super) fn check<L: TracksGaps>(
    tree: &MapleTree<NonZeroUsize, L>,
    cells: &Cells,
    after: impl Fn() -> String,
) {
    assert_eq!(tree.validate(), Ok(()), "{}\nis\n{}", after(), tree.dump());
    let holds = Contents::of(tree, cells).cells;
    assert_eq!(holds, cells.in_order(), "{}\nis\n{}", after(), tree.dump());
}

fn apply<L: TracksGaps>(tree: &mut MapleTree<NonZeroUsize, L>, op: Op, cells: &Cells) -> Option<IndexRange> {
    let value = NonZeroUsize::new(cells.fresh(1).into()).expect("not free");
    match op {
        Op::Insert(range) => tree.insert(range, value).ok().map(|()| range),
        Op::Reserve(range) => tree.reserve(range).ok().map(|()| range),
        Op::Erase(index) => tree.erase(index).map(|(range, _)| range).or_else(|| tree.unreserve(index)),
        Op::Store(range) => tree.store(range, value).ok().map(|()| range),
        Op::Clear(range) => tree.clear_range(range).ok().map(|()| range),
        Op::Allocate(size, align, direction) => {
            let request = GapRequest::new(cells.space(), size, align, direction).expect("it makes sense");
            tree.allocate(&request, value).ok()
        }
    }
}

impl Contents {
    /// What is in a tree over the indices of `space`.
    fn of<L: TracksGaps>(tree: &MapleTree<NonZeroUsize, L>, space: &Cells) -> Self {
        let mut contents =
            Self { key: Vec::with_capacity(64), cells: Cells::new(space.base, space.cells.len()) };
        if let Some(root) = tree.raw().root() {
            contents.read(root, tree.bounds());
        }
        contents
    }

    fn read<L: TracksGaps>(&mut self, link: &Link<L>, bounds: IndexRange) {
        let end = |index: u64| index as u8;
        match link.node() {
            Node::Leaf(leaf) => {
                self.key.push(leaf.len() as u8);
                for slot in 0..leaf.len() {
                    let range = leaf.range_of(slot, bounds);
                    let held = leaf.slot(slot).map(|word| word.0.addr().get() as Cell);
                    let cell = match held {
                        _ if leaf.is_empty(slot) => FREE,
                        Some(number) => number,
                        None => RESERVED,
                    };
                    self.key.extend([end(range.last()), u8::from(cell != FREE) + u8::from(cell == RESERVED)]);
                    if let Some(range) = range.intersection(self.cells.space()).filter(|_| cell != FREE) {
                        let cell = if cell == RESERVED { self.cells.fresh(RESERVED) } else { cell };
                        self.cells.set(range, cell);
                    }
                }
            }
            Node::Branch(branch) => {
                self.key.push(128 + branch.len() as u8);
                for slot in 0..branch.len() {
                    let range = branch.range_of(slot, bounds);
                    self.key.push(end(range.last()));
                    match branch.slot(slot) {
                        Some(child) => self.read(child, range),
                        None => self.key.push(0),
                    }
                }
            }
        }
    }
}

/// The leaf at an end of a subtree, if it ends with one. `end` says which slot of so many is there.
fn end_leaf<L: TracksGaps>(link: &Link<L>, end: fn(usize) -> usize) -> Option<&L::Leaf> {
    match link.node() {
        Node::Leaf(leaf) => Some(leaf),
        Node::Branch(branch) => end_leaf(branch.slot(end(branch.len()))?, end),
    }
}

/// What a free range that was found lies in, from the root on.
fn where_it_is<L: TracksGaps>(link: &Link<L>, bounds: IndexRange, found: IndexRange) -> Reached {
    match link.node() {
        Node::Leaf(_) => Reached::FoundInLeaf,
        Node::Branch(branch) => {
            let (from, to) = (branch.find(found.first()), branch.find(found.last()));
            match branch.slot(from) {
                Some(child) if from == to => where_it_is(child, branch.range_of(from, bounds), found),
                None if from == to => Reached::FoundInBranch,
                _ => {
                    let branches = (from..=to).filter_map(|slot| branch.slot(slot));
                    let levels = branches.clone().any(|child| matches!(child.node(), Node::Branch(_)));
                    match levels {
                        true => Reached::FoundAcrossLevels,
                        false if branches.count() <= to - from => Reached::FoundAcrossEmpty,
                        false => Reached::FoundInBridge,
                    }
                }
            }
        }
    }
}

/// Explores from some trees on, up to `depth` operations away, or until there is nothing new. What may follow from an
/// operation is for `after` to say.
pub(super) fn explore<L: TracksGaps, S: IntoIterator<Item = State<L>>>(
    starts: Vec<State<L>>,
    choice: Choice,
    depth: usize,
    after: fn(&State<L>, Op) -> S,
) -> Size {
    let mut size = Size::default();
    let mut visited: HashSet<Key> = HashSet::new();
    let mut level = Vec::new();
    let mut meet = |state: State<L>, next: &mut Vec<State<L>>, size: &mut Size| {
        if visited.insert(state.contents().key) {
            size.states += 1;
            size.height = size.height.max(state.tree.raw().height());
            state.check_searches();
            next.push(state);
        }
    };
    for start in starts {
        meet(start, &mut level, &mut size);
    }
    for _ in 0..depth {
        let mut next = Vec::new();
        for state in level {
            for op in choice.ops(&state.cells) {
                size.steps += 1;
                for state in after(&state, op) {
                    meet(state, &mut next, &mut size);
                }
            }
        }
        level = next;
        if level.is_empty() {
            break;
        }
    }
    size
}
