//! What a tree should hold in a small space, index by index.

use maple_tree::{Content, IndexRange};

/// A range, and the key of the value over it; without one the range is reserved.
pub(crate) type Taken = (IndexRange, Option<u64>);

/// A range of a tree and what is there.
pub(crate) type Segment = (IndexRange, Content<u64>);

/// A small space, index by index: each knows what covers it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) space: IndexRange,
    pub(crate) bounds: IndexRange,
    cells: Vec<Option<Taken>>,
}

impl Model {
    fn new(first: u64, count: u64) -> Self {
        let space = IndexRange::sized(first, count).expect("the space is within the index space");
        Self { space, bounds: IndexRange::FULL, cells: vec![None; count as usize] }
    }

    /// Spaces at both ends of the index space and in the midst of it, of some indices and of many, in trees
    /// over all of `u64` and in trees over just the space.
    pub(crate) fn all() -> Vec<Self> {
        let mut models = Vec::new();
        for count in [1, 40, 160] {
            for first in [0, 1000, u64::MAX - (count - 1)] {
                let model = Self::new(first, count);
                models.push(Self { bounds: model.space, ..model.clone() });
                models.push(model);
            }
        }
        models
    }

    fn cell(&mut self, index: u64) -> &mut Option<Taken> {
        &mut self.cells[(index - self.space.first()) as usize]
    }

    /// What covers an index.
    pub(crate) fn at(&self, index: u64) -> Option<Taken> {
        if self.space.contains(index) { self.cells[(index - self.space.first()) as usize] } else { None }
    }

    /// What overlaps a window, in order.
    pub(crate) fn taken(&self, window: IndexRange) -> Vec<Taken> {
        let mut taken: Vec<Taken> = self.cells.iter().copied().flatten().collect();
        taken.dedup();
        taken.retain(|(range, _)| range.overlaps(window));
        taken
    }

    /// The entries that overlap a window, in order.
    pub(crate) fn entries(&self, window: IndexRange) -> Vec<(IndexRange, u64)> {
        self.taken(window).into_iter().filter_map(|(range, key)| Some((range, key?))).collect()
    }

    /// Sets what covers a range.
    pub(crate) fn set(&mut self, range: IndexRange, taken: Option<Taken>) {
        for index in range.first()..=range.last() {
            *self.cell(index) = taken;
        }
    }

    /// Sets what covers a range, whatever is there. What sticks out of it keeps what lies outside.
    pub(crate) fn overwrite(&mut self, range: IndexRange, taken: Option<Taken>) {
        for (cut, key) in self.taken(range) {
            self.set(cut, None);
            let parts = [
                range.first().checked_sub(1).and_then(|last| IndexRange::new(cut.first(), last)),
                range.last().checked_add(1).and_then(|first| IndexRange::new(first, cut.last())),
            ];
            for part in parts.into_iter().flatten() {
                self.set(part, Some((part, key)));
            }
        }
        self.set(range, taken);
    }

    /// All of the bounds, range by range.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        if self.bounds.first() < self.space.first() {
            add(&mut segments, 0, self.space.first() - 1, None);
        }
        for index in self.space.first()..=self.space.last() {
            add(&mut segments, index, index, self.at(index));
        }
        if self.bounds.last() > self.space.last() {
            add(&mut segments, self.space.last() + 1, u64::MAX, None);
        }
        segments
    }
}

/// Adds indices to segments, to the last one if they belong to it.
fn add(segments: &mut Vec<Segment>, first: u64, last: u64, taken: Option<Taken>) {
    let gap = |first| (IndexRange::new(first, last).expect("not empty"), Content::Gap);
    match (taken, segments.last_mut()) {
        (None, Some(end)) if end.1.is_gap() => *end = gap(end.0.first()),
        (None, _) => segments.push(gap(first)),
        (Some((range, _)), Some(end)) if end.0 == range => {}
        (Some((range, key)), _) => segments.push((range, key.map_or(Content::Reserved, Content::Entry))),
    }
}
