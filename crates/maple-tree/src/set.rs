//! Sets of indices: the complement of one, and what two of them make together. Nothing here knows of trees.
//!
//! A set is an iterator over disjoint ranges in order. Ranges that come in may adjoin. Those that go out never
//! do: each is *maximal*, as long as it can be.

use core::iter::Peekable;

use crate::range::IndexRange;

/// What lies in a window and not in a set, from both ends. The set may reach beyond the window.
#[derive(Clone, Debug)]
pub(crate) struct Complement<I> {
    ranges: I,
    /// The part of the window that has not been passed from either end.
    rest: Option<IndexRange>,
}

impl<I> Complement<I> {
    pub(crate) fn new(ranges: I, window: Option<IndexRange>) -> Self {
        Self { ranges, rest: window }
    }

    pub(crate) fn rest(&self) -> Option<IndexRange> {
        self.rest
    }
}

impl<I: Iterator<Item = IndexRange>> Iterator for Complement<I> {
    type Item = IndexRange;

    #[inline]
    fn next(&mut self) -> Option<IndexRange> {
        while let Some(rest) = self.rest {
            let Some(range) = self.ranges.next() else {
                return self.rest.take();
            };
            self.rest = range.after().and_then(|after| after.intersection(rest));
            if let Some(between) = range.before().and_then(|before| before.intersection(rest)) {
                return Some(between);
            }
        }
        None
    }
}

impl<I: DoubleEndedIterator<Item = IndexRange>> DoubleEndedIterator for Complement<I> {
    #[inline]
    fn next_back(&mut self) -> Option<IndexRange> {
        while let Some(rest) = self.rest {
            let Some(range) = self.ranges.next_back() else {
                return self.rest.take();
            };
            self.rest = range.before().and_then(|before| before.intersection(rest));
            if let Some(between) = range.after().and_then(|after| after.intersection(rest)) {
                return Some(between);
            }
        }
        None
    }
}

/// Which indices of two sets are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Union,
    Intersection,
    Difference,
    SymmetricDifference,
}

impl Operation {
    /// Whether an index is wanted that is, or is not, in either set. One that is in none never is.
    fn wants(self, in_one: bool, in_other: bool) -> bool {
        match self {
            Self::Union => in_one || in_other,
            Self::Intersection => in_one && in_other,
            Self::Difference => in_one && !in_other,
            Self::SymmetricDifference => in_one != in_other,
        }
    }
}

/// What two sets make together.
///
/// Goes over the index space in stretches, on each of which it does not change what is wanted. Each range of
/// either set is passed once.
#[derive(Clone, Debug)]
pub(crate) struct Combined<X: Iterator<Item = IndexRange>, Y: Iterator<Item = IndexRange>> {
    operation: Operation,
    one: Peekable<X>,
    other: Peekable<Y>,
    /// The first index that has not been passed.
    next: Option<u64>,
}

impl<X: Iterator<Item = IndexRange>, Y: Iterator<Item = IndexRange>> Combined<X, Y> {
    pub(crate) fn new(operation: Operation, one: X, other: Y) -> Self {
        Self { operation, one: one.peekable(), other: other.peekable(), next: Some(0) }
    }

    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    pub(crate) fn rest(&self) -> Option<IndexRange> {
        IndexRange::new(self.next?, u64::MAX)
    }

    /// Whether `index` is wanted, and the last index of the stretch.
    fn stretch(&mut self, index: u64) -> (bool, u64) {
        let (in_one, last_in_one) = stretch(&mut self.one, index);
        let (in_other, last_in_other) = stretch(&mut self.other, index);
        let wants = |in_one, in_other| self.operation.wants(in_one, in_other);
        let mut last = last_in_one.min(last_in_other);
        // Where one set decides alone, it does not matter what the other one does meanwhile.
        if wants(in_one, true) == wants(in_one, false) {
            last = last.max(last_in_one);
        }
        if wants(true, in_other) == wants(false, in_other) {
            last = last.max(last_in_other);
        }
        (wants(in_one, in_other), last)
    }
}

/// Whether `index` is in a set, and the last index up to which that stays so. Passes what lies before.
#[inline]
fn stretch<I: Iterator<Item = IndexRange>>(ranges: &mut Peekable<I>, index: u64) -> (bool, u64) {
    while ranges.next_if(|range| range.last() < index).is_some() {}
    match ranges.peek() {
        Some(range) if range.first() <= index => (true, range.last()),
        Some(range) => (false, range.first() - 1),
        None => (false, u64::MAX),
    }
}

impl<X: Iterator<Item = IndexRange>, Y: Iterator<Item = IndexRange>> Iterator for Combined<X, Y> {
    type Item = IndexRange;

    fn next(&mut self) -> Option<IndexRange> {
        let mut run = None;
        while let Some(index) = self.next {
            let (wanted, last) = self.stretch(index);
            self.next = last.checked_add(1);
            if wanted {
                run = IndexRange::new(run.map_or(index, IndexRange::first), last);
            } else if run.is_some() {
                break;
            }
        }
        run
    }
}

#[cfg(test)]
mod tests;
