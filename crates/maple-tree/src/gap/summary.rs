//! The gap summary: three lengths and a natural size, which combine like a monoid.
//!
//! For a span of indices keep `head` (the free run at its left edge), `tail` (the free run at its right edge),
//! `longest` (the longest free run inside), and `natural` (the largest natural size of a free run inside, see
//! `gap::natural`). The summary of two adjacent spans follows from theirs, because a run that crosses the boundary is
//! the left one's tail and the right one's head. So a gap may be cut anywhere, by slots or by nodes, and is still seen
//! whole.
//!
//! A branch keeps, per slot, `longest` and `natural` over its runs that reach into the slot, each taken from the slot's
//! left edge (or from where it starts in the slot) on to the right, up to the end of the branch. So a run that crosses
//! children counts in full for the slot in which it starts, in the lowest branch that spans it.

use super::natural::NaturalSize;
use crate::range::IndexRange;

/// The free runs at the edges of a span that is not wholly free; in lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) head: u64,
    pub(crate) tail: u64,
}

/// What a gap search needs to know of a set of free runs: how long the longest is, and the largest natural size.
///
/// Lengths fit into a `u64` wherever at least one index is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub longest: u64,
    pub natural: NaturalSize,
}

impl Summary {
    /// The summary of no run.
    pub(crate) const NONE: Self = Self { longest: 0, natural: NaturalSize::NONE };

    /// The summary of one run.
    #[inline]
    pub(crate) fn of(run: IndexRange) -> Self {
        // A run of all 2^64 indices does not occur: something is taken.
        Self { longest: run.length(), natural: NaturalSize::of(run) }
    }

    /// The summary of both sets of runs.
    #[inline]
    pub(crate) fn max(self, other: Self) -> Self {
        Self { longest: self.longest.max(other.longest), natural: self.natural.max(other.natural) }
    }

    /// Its numbers that are larger than those of another.
    #[inline]
    pub(crate) fn above(self, other: Self) -> Self {
        let longest = if self.longest > other.longest { self.longest } else { 0 };
        let natural = if self.natural > other.natural { self.natural } else { NaturalSize::NONE };
        Self { longest, natural }
    }
}

/// What is known of a summary before the runs are looked at: between which two it lies.
///
/// So a few runs may settle it, or the runs that settle one of its numbers need no look at the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub least: Summary,
    pub most: Summary,
}

impl Known {
    pub(crate) const NOTHING: Self =
        Self { least: Summary::NONE, most: Summary { longest: u64::MAX, natural: NaturalSize::MAX } };

    /// What is known of a summary that was `old`, when runs were taken away that were no larger than `taken`: no number
    /// has risen, and one that is not that of `taken` has not changed.
    #[inline]
    pub(crate) fn without(old: Summary, taken: Summary) -> Self {
        Self { least: old.above(taken), most: old }
    }

    /// The same, when all runs but those that are in it already are no longer than `length`.
    #[inline]
    pub(crate) fn others_within(self, length: u64) -> Self {
        let Self { least, mut most } = self;
        if length <= least.longest {
            most.longest = least.longest;
        }
        if length <= least.natural.size() {
            most.natural = least.natural;
        }
        Self { least, most }
    }

    /// Whether nothing is left to find out.
    #[inline]
    pub(crate) fn is_settled(self) -> bool {
        self.least == self.most
    }
}

#[cfg(test)]
pub(super) mod tests;
