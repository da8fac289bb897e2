//! The gap summary: three lengths and an order, which combine like a monoid.
//!
//! For a span of indices keep `head` (the free run at its left edge), `tail` (the free run at its right edge),
//! `longest` (the longest free run inside), and `order` (of the largest naturally aligned block that is free).
//! The summary of two adjacent spans follows from theirs, because a run that crosses the boundary is the left
//! one's tail and the right one's head. So a gap may be cut anywhere, by slots or by nodes, and is still seen
//! whole.
//!
//! A branch keeps, per slot, `longest` and `order` over its runs that reach into the slot, each taken from the slot's
//! left edge (or from where it starts in the slot) on to the right, up to the end of the branch. So a run that crosses
//! children counts in full for the slot in which it starts, in the lowest branch that spans it.

use crate::range::IndexRange;

/// The order of a free run, plus 1: the largest `k + 1` such that the run holds a block of 2^k indices whose
/// first index is a multiple of 2^k. The whole index space has 65; no run has 0.
///
/// The most aligned boundary inside or at the end of the run, `middle`, is found from the highest bit in which
/// the two ends differ; the largest block ends or begins there.
#[inline]
pub(crate) fn order_of(run: IndexRange) -> u8 {
    let start = run.first();
    let end = run.last().wrapping_add(1);
    let largest = if end == 0 {
        if start == 0 {
            return 65;
        }
        // `middle` is 2^64.
        start.wrapping_neg()
    } else {
        let middle = end & (u64::MAX << (start ^ end).ilog2());
        (middle - start) | (end - middle)
    };
    // Both parts are below 2^64 and one is not 0, so this is 1..=64.
    (64 - largest.leading_zeros()) as u8
}

/// The free runs at the edges of a span that is not wholly free; in lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) head: u64,
    pub(crate) tail: u64,
}

/// What a gap search needs to know of a set of free runs: how long the longest is, and the largest order.
///
/// Lengths fit into a `u64` wherever at least one index is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub longest: u64,
    /// As [`order_of`] has it; 0 if there is no run.
    pub order: u8,
}

impl Summary {
    /// The summary of one run.
    #[inline]
    pub(crate) fn of(run: IndexRange) -> Self {
        // A run of all 2^64 indices does not occur: something is taken.
        Self { longest: (run.last() - run.first()).saturating_add(1), order: order_of(run) }
    }

    /// The summary of both sets of runs.
    #[inline]
    pub(crate) fn max(self, other: Self) -> Self {
        Self { longest: self.longest.max(other.longest), order: self.order.max(other.order) }
    }

    /// Whether taking away runs that are no larger than `other` leaves this summary as it is.
    #[inline]
    pub(crate) fn outranks(self, other: Self) -> bool {
        other.longest < self.longest && other.order < self.order
    }
}

#[cfg(test)]
mod tests;
