//! What can be done to a tree, and which of it is tried.

use std::vec::Vec;

use super::model::{Cell, Cells, FREE, RESERVED};
use crate::gap::{Direction, GapRequest};
use crate::range::IndexRange;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Insert(IndexRange),
    Reserve(IndexRange),
    /// Takes out what covers an index, be it an entry or reserved.
    Erase(u64),
    Store(IndexRange),
    Clear(IndexRange),
    /// So many indices, aligned to so many.
    Allocate(u64, u64, Direction),
}

/// How much is tried in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Every operation over every range, but for reserving.
    All,
    /// Likewise, and reserving.
    AllAndReserve,
    /// What has to do with up to so many neighbours, which may be cut at their ends.
    Near(usize),
}

/// A range of a space by its first and last index, if it is one.
fn range(first: u64, last: u64) -> Option<IndexRange> {
    IndexRange::new(first, last)
}

impl Choice {
    pub(super) fn ops(self, cells: &Cells) -> Vec<Op> {
        let mut ops = Vec::new();
        // Also where there is nothing to erase.
        ops.extend(cells.extents().into_iter().map(|(extent, _)| Op::Erase(extent.first())));
        let count = cells.cells.len() as u64;
        for direction in [Direction::BottomUp, Direction::TopDown] {
            for size in 1..=count.min(4) {
                ops.push(Op::Allocate(size, 1, direction));
            }
            ops.push(Op::Allocate(2, 2, direction));
        }
        match self {
            Self::All | Self::AllAndReserve => all(cells, self == Self::AllAndReserve, &mut ops),
            Self::Near(most) => near(cells, most, &mut ops),
        }
        ops
    }
}

fn all(cells: &Cells, reserve: bool, ops: &mut Vec<Op>) {
    let space = cells.space();
    for first in space.first()..=space.last() {
        for range in (first..=space.last()).filter_map(|last| range(first, last)) {
            ops.extend([Op::Insert(range), Op::Store(range), Op::Clear(range)]);
            if reserve {
                ops.push(Op::Reserve(range));
            }
        }
    }
}

fn near(cells: &Cells, most: usize, ops: &mut Vec<Op>) {
    let extents = cells.extents();
    for (i, &(from, cell)) in extents.iter().enumerate() {
        if cell == FREE {
            let (first, last) = (from.first(), from.last());
            let mut parts = Vec::from([
                (first, last),
                (first, first),
                (last, last),
                (first.saturating_add(1), last.saturating_sub(1)),
            ]);
            parts.dedup();
            ops.extend(parts.iter().filter_map(|&(first, last)| range(first, last)).map(Op::Insert));
            ops.push(Op::Reserve(from));
        } else {
            ops.push(Op::Insert(from));
        }
        for &(to, _) in extents.iter().skip(i).take(most) {
            let (first, last) = (from.first(), to.last());
            let inner = (first.saturating_add(1), last.saturating_sub(1));
            let cut = [(first, last), (inner.0, last), (first, inner.1), inner];
            for range in cut.iter().filter_map(|&(first, last)| range(first, last)) {
                ops.extend([Op::Store(range), Op::Clear(range)]);
            }
        }
    }
}

/// What an operation should do to the cells, and what it should say: the range that it wrote or took out, or nothing if it
/// was refused.
pub(super) fn foresee(op: Op, cells: &mut Cells) -> Option<IndexRange> {
    let (entry, reserved): (Cell, Cell) = (cells.fresh(1), cells.fresh(RESERVED));
    match op {
        Op::Insert(range) | Op::Reserve(range) => {
            if cells.first_in(range).is_some() {
                return None;
            }
            cells.set(range, if matches!(op, Op::Insert(_)) { entry } else { reserved });
            Some(range)
        }
        Op::Erase(index) => {
            let (range, cell) = cells.extent(index);
            cells.set(range, FREE);
            (cell != FREE).then_some(range)
        }
        Op::Store(range) => {
            cells.set(range, entry);
            Some(range)
        }
        Op::Clear(range) => {
            cells.set(range, FREE);
            Some(range)
        }
        Op::Allocate(size, align, direction) => {
            let request = GapRequest::new(cells.space(), size, align, direction).expect("it makes sense");
            let range = cells.find_gap(&request)?;
            cells.set(range, entry);
            Some(range)
        }
    }
}
