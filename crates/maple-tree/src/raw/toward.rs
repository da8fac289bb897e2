//! The two ways to go over a tree.

use crate::range::IndexRange;

/// Which way to go from an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toward {
    Higher,
    Lower,
}

impl Toward {
    /// The other way.
    #[inline]
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Higher => Self::Lower,
            Self::Lower => Self::Higher,
        }
    }

    /// The slots from `slot` on, a bit for each.
    #[inline]
    pub(crate) fn ahead(self, slot: usize) -> u32 {
        match self {
            Self::Higher => u32::MAX << slot,
            Self::Lower => u32::MAX >> (31 - slot),
        }
    }

    /// The slots after `slot`, a bit for each.
    #[inline]
    pub(crate) fn beyond(self, slot: usize) -> u32 {
        match self {
            Self::Higher => u32::MAX << slot << 1,
            Self::Lower => !(u32::MAX << slot),
        }
    }

    /// The slot so many slots after `slot`: a number that no slot has, if there is none.
    #[inline]
    pub(crate) fn further(self, slot: usize, by: usize) -> usize {
        match self {
            Self::Higher => slot + by,
            Self::Lower => slot.wrapping_sub(by),
        }
    }

    /// The indices after a range.
    #[inline]
    pub(crate) fn beyond_range(self, range: IndexRange) -> Option<IndexRange> {
        match self {
            Self::Higher => range.after(),
            Self::Lower => range.before(),
        }
    }

    /// The end of a range that one comes to first.
    #[inline]
    pub(crate) fn near_edge(self, range: IndexRange) -> u64 {
        match self {
            Self::Higher => range.first(),
            Self::Lower => range.last(),
        }
    }

    /// The first slot on the way of those in a bit mask.
    #[inline]
    pub(crate) fn nearest(self, slots: u32) -> Option<usize> {
        let bit = match self {
            Self::Higher => (slots != 0).then(|| slots.trailing_zeros()),
            Self::Lower => slots.checked_ilog2(),
        };
        bit.map(|bit| bit as usize)
    }
}
