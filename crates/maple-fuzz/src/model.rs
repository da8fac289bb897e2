//! What a tree should hold, kept in the plainest way.

use std::collections::{BTreeMap, BTreeSet};

use maple_tree::{Content, Direction, GapRequest, IndexRange};

/// What is taken: its range, and the number of its value. A reserved range has none.
pub(crate) type Taken = (IndexRange, Option<u64>);

/// What a tree should hold: what is taken, by its first index.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    bounds: IndexRange,
    taken: BTreeMap<u64, (u64, Option<u64>)>,
}

impl Model {
    pub(crate) fn new(bounds: IndexRange) -> Self {
        Self { bounds, taken: BTreeMap::new() }
    }

    pub(crate) fn bounds(&self) -> IndexRange {
        self.bounds
    }

    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }

    /// All that is taken, in order.
    pub(crate) fn taken(&self) -> impl DoubleEndedIterator<Item = Taken> {
        self.taken.iter().map(|(&first, &(last, value))| (range(first, last), value))
    }

    /// All that has a value, in order.
    pub(crate) fn entries(&self) -> Vec<(IndexRange, u64)> {
        self.taken().filter_map(|(range, value)| Some((range, value?))).collect()
    }

    /// What is taken at an index.
    pub(crate) fn at(&self, index: u64) -> Option<Taken> {
        let (&first, &(last, value)) = self.taken.range(..=index).next_back()?;
        (index <= last).then_some((range(first, last), value))
    }

    /// The first that overlaps a range.
    pub(crate) fn first_in(&self, window: IndexRange) -> Option<Taken> {
        self.at(window.first()).or_else(|| {
            let (&first, &(last, value)) = self.taken.range(window).next()?;
            Some((range(first, last), value))
        })
    }

    /// Whether something lies wholly in a range.
    pub(crate) fn any_within(&self, window: IndexRange) -> bool {
        self.taken.range(window).any(|(_, &(last, _))| last <= window.last())
    }

    /// Takes a range that is free.
    pub(crate) fn take(&mut self, range: IndexRange, value: Option<u64>) {
        self.taken.insert(range.first(), (range.last(), value));
    }

    /// Frees what is at an index, all of it.
    pub(crate) fn free(&mut self, index: u64) {
        if let Some((range, _)) = self.at(index) {
            self.taken.remove(&range.first());
        }
    }

    /// Frees everything.
    pub(crate) fn clear(&mut self) {
        self.taken.clear();
    }

    /// Frees a range. What sticks out of it keeps what lies outside. Returns what had a value and is gone.
    pub(crate) fn clear_range(&mut self, window: IndexRange) -> Vec<(IndexRange, u64)> {
        let mut gone = Vec::new();
        while let Some((taken, value)) = self.first_in(window) {
            self.free(taken.first());
            if window.contains_range(taken) {
                gone.extend(value.map(|value| (taken, value)));
            }
            if taken.first() < window.first() {
                self.take(range(taken.first(), window.first() - 1), value);
            }
            if window.last() < taken.last() {
                self.take(range(window.last() + 1, taken.last()), value);
            }
        }
        gone
    }

    /// Joins neighbours that overlap a window and are the same. How many are gone.
    pub(crate) fn merge(&mut self, window: IndexRange, same: impl Fn(u64, u64) -> bool) -> usize {
        let inside: Vec<Taken> = self.taken().filter(|(range, _)| range.overlaps(window)).collect();
        let mut merged = 0;
        for pair in inside.windows(2) {
            let [(left, left_value), (right, right_value)] = *pair else { continue };
            let same = match (left_value, right_value) {
                // Of joined ranges the first one's value is left.
                (Some(_), Some(value)) => {
                    let joined = self.at(left.last()).and_then(|(_, value)| value);
                    joined.is_some_and(|joined| same(joined, value))
                }
                (left, right) => left == right,
            };
            if same && left.last() + 1 == right.first() {
                if let Some((joined, value)) = self.at(left.last()) {
                    self.free(right.first());
                    self.take(range(joined.first(), right.last()), value);
                    merged += 1;
                }
            }
        }
        merged
    }

    /// What lies at an index, and how far.
    pub(crate) fn extent(&self, index: u64) -> Option<(IndexRange, Content<u64>)> {
        if let Some((range, value)) = self.at(index) {
            return Some((range, value.map_or(Content::Reserved, Content::Entry)));
        }
        let before = self.taken.range(..index).next_back().map_or(0, |(_, &(last, _))| last + 1);
        let after = self.taken.range(index..).next().map_or(u64::MAX, |(&first, _)| first - 1);
        let gap = range(before, after).intersection(self.bounds)?;
        gap.contains(index).then_some((gap, Content::Gap))
    }

    /// What is free within a window.
    pub(crate) fn gaps_within(&self, window: IndexRange) -> Vec<IndexRange> {
        let mut gaps = Vec::new();
        let Some(window) = window.intersection(self.bounds) else { return gaps };
        let mut next = Some(window.first());
        while let Some(rest) = next.and_then(|next| IndexRange::new(next, window.last())) {
            let taken = self.first_in(rest).map(|(range, _)| range);
            let last = taken.map_or(Some(rest.last()), |taken| taken.first().checked_sub(1));
            gaps.extend(last.and_then(|last| IndexRange::new(rest.first(), last)));
            next = taken.and_then(|taken| taken.last().checked_add(1));
        }
        gaps
    }

    /// The highest or lowest place that satisfies a request, gap by gap, in numbers that cannot overflow.
    pub(crate) fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        let (size, align) = (i128::from(request.size()), i128::from(request.align()));
        let boundary = request.boundary().map_or(1 << 64, i128::from);
        let fit = |run: &IndexRange| {
            let (first, end) = (i128::from(run.first()), i128::from(run.last()) + 1);
            let highest = |end: i128| (end - size).div_euclid(align) * align;
            let lowest = |first: i128| (first + align - 1).div_euclid(align) * align;
            let mut start = match request.direction() {
                Direction::TopDown => highest(end),
                Direction::BottomUp => lowest(first),
            };
            // As long as it crosses a line it goes to the other side of it.
            loop {
                let line = (start + size - 1).div_euclid(boundary) * boundary;
                if line <= start {
                    break;
                }
                start = match request.direction() {
                    Direction::TopDown => highest(line),
                    Direction::BottomUp => lowest(line),
                };
            }
            let fits = first <= start && start + size <= end;
            fits.then(|| range(start as u64, (start + size - 1) as u64))
        };
        let runs = self.gaps_within(request.window());
        match request.direction() {
            Direction::TopDown => runs.iter().rev().find_map(fit),
            Direction::BottomUp => runs.iter().find_map(fit),
        }
    }

    /// The longest free run within a window, the highest of equals.
    pub(crate) fn longest_gap(&self, window: IndexRange) -> Option<IndexRange> {
        self.gaps_within(window).into_iter().max_by_key(|run| run.count())
    }
}

/// The indices that are wanted, by whether they are taken in one and in the other, as maximal ranges in order.
pub(crate) fn combined(one: &Model, other: &Model, wanted: fn(bool, bool) -> bool) -> Vec<IndexRange> {
    // Between two edges nothing changes.
    let mut edges = BTreeSet::from([0]);
    for (range, _) in one.taken().chain(other.taken()) {
        edges.insert(range.first());
        edges.extend(range.last().checked_add(1));
    }
    let ends = edges.iter().skip(1).map(|edge| edge - 1).chain([u64::MAX]);
    let mut ranges: Vec<IndexRange> = Vec::new();
    for (&first, last) in edges.iter().zip(ends) {
        if !wanted(one.at(first).is_some(), other.at(first).is_some()) {
            continue;
        }
        match ranges.last_mut() {
            Some(before) if before.last() + 1 == first => *before = range(before.first(), last),
            _ => ranges.push(range(first, last)),
        }
    }
    ranges
}

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("a range that is not empty")
}
