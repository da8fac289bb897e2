//! What a tree should hold, kept in the plainest way that is fast enough.

use std::collections::BTreeMap;

use maple_tree::{Direction, GapRequest, IndexRange};

/// What is taken: its range, and what its value is recognised by. A reserved range has none.
pub(crate) type Taken = (IndexRange, Option<u64>);

/// What a tree should hold. Everything within the bounds that is not stored is free, in the space and outside.
pub(crate) trait Model {
    /// The indices that a program uses.
    fn space(&self) -> IndexRange;

    /// The index space of the tree: all of `u64` unless the space is the bounds.
    fn bounds(&self) -> IndexRange {
        IndexRange::FULL
    }

    /// The first that overlaps a range.
    fn first_in(&self, range: IndexRange) -> Option<Taken>;

    /// Takes a range that is free.
    fn take(&mut self, range: IndexRange, key: Option<u64>);

    /// Frees what is at an index, all of it.
    fn free(&mut self, index: u64) -> Option<Taken>;

    /// All that is taken, in order.
    fn taken(&self) -> Vec<Taken>;

    /// How much is taken.
    fn len(&self) -> usize;

    /// All that has a value, in order.
    fn entries(&self) -> Vec<(IndexRange, u64)> {
        self.taken().into_iter().filter_map(|(range, key)| Some((range, key?))).collect()
    }

    /// Frees a range. What sticks out of it keeps what lies outside. Returns what had a value and is gone.
    fn clear_range(&mut self, range: IndexRange) -> Vec<(IndexRange, u64)> {
        let mut gone = Vec::new();
        while let Some((taken, key)) = self.first_in(range) {
            self.free(taken.first());
            if range.contains_range(taken) {
                gone.extend(key.map(|key| (taken, key)));
            }
            if taken.first() < range.first() {
                let before = IndexRange::new(taken.first(), range.first() - 1);
                self.take(before.expect("not empty"), key);
            }
            if range.last() < taken.last() {
                let after = IndexRange::new(range.last() + 1, taken.last());
                self.take(after.expect("not empty"), key);
            }
        }
        gone
    }

    /// Joins neighbours in a window that are the same. How many are gone.
    fn merge(&mut self, window: IndexRange, same: &dyn Fn(u64, u64) -> bool) -> usize {
        let mut taken: Vec<_> =
            self.taken().into_iter().filter(|(range, _)| range.overlaps(window)).collect();
        let before = taken.len();
        taken.dedup_by(|right, left| {
            let same = match (left.1, right.1) {
                (Some(left), Some(right)) => same(left, right),
                (left, right) => left == right,
            };
            let joins = same && left.0.last() + 1 == right.0.first();
            if joins {
                left.0 = IndexRange::new(left.0.first(), right.0.last()).expect("in order");
            }
            joins
        });
        for &(range, key) in &taken {
            while let Some((part, _)) = self.first_in(range) {
                self.free(part.first());
            }
            self.take(range, key);
        }
        before - taken.len()
    }

    /// The gap around an index that is free.
    fn gap_at(&self, index: u64) -> Option<IndexRange> {
        self.gaps().into_iter().find(|gap| gap.contains(index))
    }

    /// All maximal free ranges within the bounds in order.
    fn gaps(&self) -> Vec<IndexRange> {
        let mut gaps = Vec::new();
        let mut next = Some(0);
        for (range, _) in self.taken() {
            let before = range.first().checked_sub(1);
            gaps.extend(next.zip(before).and_then(|(first, last)| IndexRange::new(first, last)));
            next = range.last().checked_add(1);
        }
        gaps.extend(next.and_then(|first| IndexRange::new(first, u64::MAX)));
        gaps.into_iter().filter_map(|gap| gap.intersection(self.bounds())).collect()
    }

    /// All maximal taken ranges in order.
    fn taken_runs(&self) -> Vec<IndexRange> {
        let mut taken: Vec<IndexRange> = Vec::new();
        for (range, _) in self.taken() {
            match taken.last_mut() {
                Some(run) if run.last() + 1 == range.first() => {
                    *run = IndexRange::new(run.first(), range.last()).expect("entries are in order");
                }
                _ => taken.push(range),
            }
        }
        taken
    }

    /// The highest or lowest place that satisfies a request, gap by gap.
    fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        fit_gap_by_gap(&self.gaps(), request)
    }

    /// The longest free run within a window, the highest of equals.
    fn longest_gap(&self, window: IndexRange) -> Option<IndexRange> {
        self.gaps().into_iter().filter_map(|gap| gap.intersection(window)).max_by_key(|run| run.count())
    }
}

/// Fits a request into gaps, in numbers that cannot overflow.
///
/// A gap is cut at multiples of the boundary. Of the pieces the two where the search begins are enough: if
/// there are more, the second one is a whole block, into which the request fits.
fn fit_gap_by_gap(gaps: &[IndexRange], request: &GapRequest) -> Option<IndexRange> {
    let (size, align) = (i128::from(request.size()), i128::from(request.align()));
    // A place that is aligned to more than the boundary does not cross it.
    let block = request.boundary().map_or(1 << 64, i128::from).max(align);
    let fit_in_block = |run: IndexRange, number: i128| {
        let first = i128::from(run.first()).max(number * block);
        let end = (i128::from(run.last()) + 1).min((number + 1) * block);
        let start = match request.direction() {
            Direction::TopDown => (end - size).div_euclid(align) * align,
            Direction::BottomUp => (first + align - 1).div_euclid(align) * align,
        };
        (first <= start && start + size <= end).then(|| IndexRange::sized(start as u64, request.size()))?
    };
    let fit = |gap: &IndexRange| {
        let run = gap.intersection(request.window())?;
        let (lowest, highest) = (i128::from(run.first()) / block, i128::from(run.last()) / block);
        match request.direction() {
            Direction::TopDown => fit_in_block(run, highest).or_else(|| fit_in_block(run, highest - 1)),
            Direction::BottomUp => fit_in_block(run, lowest).or_else(|| fit_in_block(run, lowest + 1)),
        }
    };
    match request.direction() {
        Direction::TopDown => gaps.iter().rev().find_map(fit),
        Direction::BottomUp => gaps.iter().find_map(fit),
    }
}

/// A small space, index by index: each knows what covers it.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    space: IndexRange,
    bounds: IndexRange,
    slots: Vec<Option<Taken>>,
}

impl Slots {
    /// A space of `count` indices from `base` on.
    pub(crate) fn new(base: u64, count: u64) -> Self {
        let space = IndexRange::sized(base, count).expect("the space is within the index space");
        Self { space, bounds: IndexRange::FULL, slots: vec![None; count as usize] }
    }

    /// The same space, outside of which the tree has nothing.
    pub(crate) fn bounded(self) -> Self {
        Self { bounds: self.space, ..self }
    }

    /// A space of `count` indices that ends at `u64::MAX`.
    pub(crate) fn at_the_top(count: u64) -> Self {
        Self::new(u64::MAX - (count - 1), count)
    }

    fn at(&self, index: u64) -> Option<Taken> {
        self.slots[(index - self.space.first()) as usize]
    }

    fn set(&mut self, range: IndexRange, held: Option<Taken>) {
        for index in range.first()..=range.last() {
            self.slots[(index - self.space.first()) as usize] = held;
        }
    }
}

impl Model for Slots {
    fn space(&self) -> IndexRange {
        self.space
    }

    fn bounds(&self) -> IndexRange {
        self.bounds
    }

    fn first_in(&self, range: IndexRange) -> Option<Taken> {
        let range = range.intersection(self.space)?;
        (range.first()..=range.last()).find_map(|index| self.at(index))
    }

    fn take(&mut self, range: IndexRange, key: Option<u64>) {
        self.set(range, Some((range, key)));
    }

    fn free(&mut self, index: u64) -> Option<Taken> {
        let held = if self.space.contains(index) { self.at(index) } else { None }?;
        self.set(held.0, None);
        Some(held)
    }

    fn taken(&self) -> Vec<Taken> {
        let mut taken: Vec<Taken> = self.slots.iter().copied().flatten().collect();
        taken.dedup_by_key(|(range, _)| *range);
        taken
    }

    fn len(&self) -> usize {
        self.taken().len()
    }

    /// Tries each place in the window, unless the window goes beyond the space.
    fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        let window = request.window();
        if window.intersection(self.space) != Some(window) {
            return fit_gap_by_gap(&self.gaps(), request);
        }
        // How long the run is that starts at each index and ends within the window.
        let mut runs = Vec::with_capacity(self.slots.len());
        let mut run = 0;
        for index in (window.first()..=window.last()).rev() {
            run = if self.at(index).is_none() { run + 1 } else { 0 };
            runs.push(run);
        }
        runs.reverse();
        let fits = |start: &u64| {
            start % request.align() == 0
                && runs[(start - window.first()) as usize] >= request.size()
                && request.boundary().is_none_or(|boundary| start % boundary + request.size() <= boundary)
        };
        let mut starts = window.first()..=window.last();
        let start = match request.direction() {
            Direction::TopDown => starts.rfind(fits),
            Direction::BottomUp => starts.find(fits),
        };
        IndexRange::sized(start?, request.size())
    }
}

/// The whole index space: what is taken by its first index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranges(BTreeMap<u64, (u64, Option<u64>)>);

impl Ranges {
    fn held((&first, &(last, key)): (&u64, &(u64, Option<u64>))) -> Option<Taken> {
        Some((IndexRange::new(first, last)?, key))
    }

    fn at(&self, index: u64) -> Option<Taken> {
        let held = self.0.range(..=index).next_back().and_then(Self::held)?;
        held.0.contains(index).then_some(held)
    }
}

impl Model for Ranges {
    fn space(&self) -> IndexRange {
        IndexRange::FULL
    }

    fn first_in(&self, range: IndexRange) -> Option<Taken> {
        self.at(range.first()).or_else(|| self.0.range(range).next().and_then(Self::held))
    }

    fn take(&mut self, range: IndexRange, key: Option<u64>) {
        self.0.insert(range.first(), (range.last(), key));
    }

    fn free(&mut self, index: u64) -> Option<Taken> {
        let held = self.at(index)?;
        self.0.remove(&held.0.first());
        Some(held)
    }

    fn taken(&self) -> Vec<Taken> {
        self.0.iter().filter_map(Self::held).collect()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn gap_at(&self, index: u64) -> Option<IndexRange> {
        if self.at(index).is_some() {
            return None;
        }
        let before = self.0.range(..index).next_back().map_or(0, |(_, (last, _))| last + 1);
        let after = self.0.range(index..).next().map_or(u64::MAX, |(first, _)| first - 1);
        IndexRange::new(before, after)
    }
}
