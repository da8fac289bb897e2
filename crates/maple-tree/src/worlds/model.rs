//! What a tree of a small world should hold, index by index.

use std::vec::Vec;

use crate::gap::{Direction, GapRequest};
use crate::range::IndexRange;

/// What covers an index: nothing, or an entry or reserved range with its number.
pub(super) type Cell = u8;

pub(super) const FREE: Cell = 0;
/// Numbers from this one on are those of reserved ranges.
pub(super) const RESERVED: Cell = 128;

/// The cells of all indices of a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    pub(super) base: u64,
    pub(super) cells: Vec<Cell>,
}

impl Cells {
    pub(super) fn new(base: u64, count: usize) -> Self {
        Self { base, cells: std::vec![FREE; count] }
    }

    pub(super) fn space(&self) -> IndexRange {
        IndexRange::sized(self.base, self.cells.len() as u64).expect("a space within the index space")
    }

    pub(super) fn at(&self, index: u64) -> Cell {
        self.cells[(index - self.base) as usize]
    }

    fn part(&mut self, range: IndexRange) -> &mut [Cell] {
        let base = self.base;
        &mut self.cells[(range.first() - base) as usize..=(range.last() - base) as usize]
    }

    pub(super) fn set(&mut self, range: IndexRange, cell: Cell) {
        self.part(range).fill(cell);
    }

    /// A number that nothing has, from `least` on.
    pub(super) fn fresh(&self, least: Cell) -> Cell {
        (least..Cell::MAX).find(|number| !self.cells.contains(number)).expect("fewer entries than numbers")
    }

    /// The parts of the space that are covered by one thing each, or free.
    pub(super) fn extents(&self) -> Vec<(IndexRange, Cell)> {
        let mut extents: Vec<(IndexRange, Cell)> = Vec::new();
        for (index, &cell) in (self.base..=self.space().last()).zip(&self.cells) {
            match extents.last_mut() {
                Some((range, last)) if *last == cell => *range = range.ending_at(index),
                _ => extents.push((IndexRange::single(index), cell)),
            }
        }
        extents
    }

    /// The same with reserved ranges numbered in order, since a tree does not number them.
    pub(super) fn in_order(&self) -> Self {
        let mut cells = Self::new(self.base, self.cells.len());
        let mut reserved = RESERVED;
        for (range, cell) in self.extents() {
            cells.set(range, if cell >= RESERVED { reserved } else { cell });
            reserved += u8::from(cell >= RESERVED);
        }
        cells
    }

    /// What covers an index, all of it.
    pub(super) fn extent(&self, index: u64) -> (IndexRange, Cell) {
        self.extents().into_iter().find(|(range, _)| range.contains(index)).expect("it is in the space")
    }

    /// The first that is taken in a range.
    pub(super) fn first_in(&self, range: IndexRange) -> Option<IndexRange> {
        let mut taken = self.extents().into_iter().filter(|(_, cell)| *cell != FREE);
        taken.find(|(taken, _)| taken.overlaps(range)).map(|(range, _)| range)
    }

    /// The place that a request within the space gets: each is tried.
    pub(super) fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        let window = request.window();
        let fits = |place: &IndexRange| {
            window.contains_range(*place)
                && place.first() % request.align() == 0
                && (place.first()..=place.last()).all(|index| self.at(index) == FREE)
        };
        let mut places =
            (window.first()..=window.last()).filter_map(|first| IndexRange::sized(first, request.size()));
        match request.direction() {
            Direction::BottomUp => places.find(fits),
            Direction::TopDown => places.rev().find(fits),
        }
    }
}
