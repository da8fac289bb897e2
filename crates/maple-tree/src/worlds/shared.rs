//! Worlds of shared trees: each step is done under a reader that was there before it.
//!
//! States keep their empty slots as they are, which may stand side by side (N4 does not hold). How many nodes are kept for
//! joining is tried anew at each step, since that depends on what was done long before.

use core::num::NonZeroUsize;
use std::format;
use std::vec::Vec;

use super::explore::{State, check};
use super::model::{Cell, Cells, FREE, RESERVED};
use super::ops::{Op, foresee};
use crate::alloc::{AllocMode, Global};
use crate::gap::GapRequest;
use crate::map::MapleTree;
use crate::node::{Layout, TracksGaps};
use crate::range::IndexRange;
use crate::reclaim::Epochs;
use crate::shared::{SharedMapleTree, WriteGuard};

type Lock = spin::Mutex<()>;
type Shared<L> = SharedMapleTree<NonZeroUsize, Lock, Epochs, L>;
type Writer<'t, L> = WriteGuard<'t, NonZeroUsize, Lock, Epochs, L, Global>;
type Entry = (IndexRange, usize);

/// How many leaves, and as many branches, are kept when a step begins: none, so that nothing is joined; one, so that
/// copying ends midway; enough.
const KEPT: [usize; 3] = [0, 1, 8];

/// What follows from a state by an operation.
pub(super) fn after<L: TracksGaps>(state: &State<L>, op: Op) -> Vec<State<L>> {
    KEPT.into_iter().filter_map(|kept| after_with(state, op, kept)).collect()
}

fn after_with<L: TracksGaps>(state: &State<L>, op: Op, kept: usize) -> Option<State<L>> {
    let about = || format!("{op:?} with {kept} nodes kept of\n{}", state.tree.dump());
    let mut cells = state.cells.clone();
    let expected = foresee(op, &mut cells);
    let shared = share(&state.tree, kept);
    let (before, now) = (entries(&state.cells), entries(&cells));

    let reader = shared.read();
    // Each on its way from one end, or from the other, after so many entries.
    let some = 1 + before.len() / 8;
    let ways = (0..=before.len()).step_by(some).flat_map(|passed| [(passed, false), (passed, true)]);
    let mut ways: Vec<_> = ways.map(|(passed, back)| (passed, back, reader.iter())).collect();
    for (passed, back, iter) in &mut ways {
        for nth in 0..*passed {
            let found = if *back { iter.next_back() } else { iter.next() };
            let nth = if *back { before.len() - 1 - nth } else { nth };
            assert_eq!(found.map(plain), Some(before[nth]));
        }
    }

    let mut writer = shared.write();
    assert_eq!(apply(&mut writer, op, &state.cells), expected, "{}", about());
    check(&writer, &cells, about);
    let tree = copy(&writer);
    drop(writer);

    for index in cells.space().first()..=cells.space().last() {
        let there = now.iter().find(|(range, _)| range.contains(index)).copied();
        assert_eq!(reader.get_entry(index).map(plain), there, "{}", about());
    }
    for (passed, back, iter) in ways {
        let found: Vec<_> = if back { iter.rev().map(plain).collect() } else { iter.map(plain).collect() };
        let rest = match passed.checked_sub(1) {
            None => Some(IndexRange::FULL),
            Some(last) if back => before[before.len() - 1 - last].0.before(),
            Some(last) => before[last].0.after(),
        };
        let kept_promise = check_way(&found, back, rest, &before, &now);
        assert_eq!(kept_promise, Ok(()), "after {passed}, from the back: {back}, {found:?}; {}", about());
    }
    drop(reader);

    shared.synchronize();
    assert!(shared.read().iter().map(plain).eq(now), "{}", about());
    let stats = shared.write().shared_stats();
    assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
    check(&shared.into_tree(), &cells, about);

    let state_after = State { tree, cells };
    (state_after.contents().key != state.contents().key).then_some(state_after)
}

/// Checks what an iterator promises that was on its way during a write (`docs/shared-mode.md`): order, nothing that was there at
/// no time, and all that was there all the time and lies before it.
fn check_way(
    found: &[Entry],
    back: bool,
    rest: Option<IndexRange>,
    before: &[Entry],
    now: &[Entry],
) -> Result<(), &'static str> {
    let in_order = |pair: &[Entry]| {
        let (low, high) = if back { (pair[1], pair[0]) } else { (pair[0], pair[1]) };
        low.0.last() < high.0.first()
    };
    let lies_before = |entry: &&Entry| rest.is_some_and(|rest| rest.contains_range(entry.0));
    if !found.windows(2).all(in_order) {
        return Err("goes back");
    }
    if !found.iter().all(|entry| before.contains(entry) || now.contains(entry)) {
        return Err("finds what was never there");
    }
    if !found.iter().all(|entry| lies_before(&entry)) {
        return Err("finds what it has passed");
    }
    let always = before.iter().filter(|entry| now.contains(entry)).filter(lies_before);
    for entry in always {
        if !found.contains(entry) {
            return Err("passes over what was there all the time");
        }
    }
    Ok(())
}

fn plain((range, value): (IndexRange, NonZeroUsize)) -> Entry {
    (range, value.get())
}

/// What is there, but for what is reserved, in order.
fn entries(cells: &Cells) -> Vec<Entry> {
    let is_entry = |(_, cell): &(IndexRange, Cell)| (FREE + 1..RESERVED).contains(cell);
    cells.extents().into_iter().filter(is_entry).map(|(range, cell)| (range, cell.into())).collect()
}

/// A tree with the same nodes, slot by slot.
fn copy<L: Layout>(tree: &MapleTree<NonZeroUsize, L>) -> MapleTree<NonZeroUsize, L> {
    let mut copy = MapleTree::bounded(tree.bounds());
    *copy.raw_mut() = tree.raw().copy_exactly(Global);
    copy
}

/// The same, shared, with so many nodes of each kind at hand.
fn share<L: Layout>(tree: &MapleTree<NonZeroUsize, L>, kept: usize) -> Shared<L> {
    let mut tree = copy(tree);
    let memory = tree.raw_mut().memory_mut();
    let leaves: Vec<_> = (0..kept).map(|_| memory.new_leaf(AllocMode::Normal)).collect();
    let branches: Vec<_> = (0..kept).map(|_| memory.new_branch(AllocMode::Normal)).collect();
    memory.uncount(kept, kept);
    leaves.into_iter().chain(branches).for_each(|node| memory.recycle(node.expect("there is memory")));
    SharedMapleTree::from_tree(tree, Epochs::new()).unwrap_or_else(|_| unreachable!("there is memory"))
}

fn apply<L: TracksGaps>(writer: &mut Writer<'_, L>, op: Op, cells: &Cells) -> Option<IndexRange> {
    let value = NonZeroUsize::new(cells.fresh(1).into()).expect("not free");
    match op {
        Op::Insert(range) => writer.insert(range, value).ok().map(|()| range),
        Op::Reserve(range) => writer.reserve(range).ok().map(|()| range),
        Op::Erase(index) => {
            let erased = writer.erase(index).map(|(range, _)| range);
            erased.or_else(|| writer.unreserve(index))
        }
        Op::Store(range) => writer.store(range, value).ok().map(|()| range),
        Op::Clear(range) => writer.clear_range(range).ok().map(|()| range),
        Op::Allocate(size, align, direction) => {
            let request = GapRequest::new(cells.space(), size, align, direction).expect("it makes sense");
            writer.allocate(&request, value).ok()
        }
    }
}
