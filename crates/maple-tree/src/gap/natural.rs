//! The natural size of a free run, and how it is kept in two bytes.
//!
//! A range is *naturally aligned* if its first index is a multiple of its size rounded up to a power of two. The
//! *natural size* of a run is that of the largest naturally aligned range in it. A smaller one fits as well, into the
//! same place: it is aligned to the same power of two or a lower one. So this one number says of each size whether it
//! fits naturally, as the length of the run does for ranges that are not aligned.

use crate::range::IndexRange;

/// The natural size of a run. (That of the whole index space is 2^64; this says 1 less, which is as good for all
/// sizes that can be asked for.)
///
/// The most aligned index of the run, `middle`, is found from the highest bit in which its last index and the one before its
/// first differ: it is aligned to `2^order`, and none in the run to more. It divides the run:
///
/// - What lies from `middle` on is no longer than that alignment, so all of it fits there naturally.
/// - What lies before `middle` is shorter. The most aligned index in there is as far from `middle` as it is aligned, and
///   so are all others at least: the block that begins there fits, and nothing larger.
#[inline]
pub(crate) fn natural_size(run: IndexRange) -> u64 {
    let Some(before) = run.first().checked_sub(1) else { return run.length() };
    // The two differ.
    let order = (before ^ run.last() | 1).ilog2();
    let middle = run.last() & (u64::MAX << order);
    let (left, right) = (middle - run.first(), run.last() - middle + 1);
    right.max(left & 1 << (left | 1).ilog2())
}

/// A natural size in two bytes: exact if it has no more than 11 significant bits, as all have up to 2048, or else
/// rounded down to that many. 0 stands for no run.
///
/// Rounding keeps the order, so a run with this natural size or a larger one may hold a range of a given size, and
/// does if that size is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NaturalSize(u16);

impl NaturalSize {
    /// One less than the number of significant bits. The largest number is kept as 54 << 10 | 1023.
    const BITS: u32 = 10;

    /// That of no run.
    pub(crate) const NONE: Self = Self(0);

    /// The largest that is kept.
    pub(crate) const MAX: Self = Self(54 << Self::BITS | 1023);

    /// That of one run.
    #[inline]
    pub(crate) fn of(run: IndexRange) -> Self {
        Self::at_most(natural_size(run))
    }

    /// The largest that is kept exactly and is no larger than `size`.
    ///
    /// Small sizes are what they are. From 2^11 on the highest bit, which is always set, is added to the exponent.
    #[inline]
    pub(crate) fn at_most(size: u64) -> Self {
        if size >> Self::BITS <= 1 {
            return Self(size as u16);
        }
        let exponent = size.ilog2() - Self::BITS;
        Self(((exponent << Self::BITS) + (size >> exponent) as u32) as u16)
    }

    /// The size.
    #[inline]
    pub(crate) fn size(self) -> u64 {
        let exponent = (u32::from(self.0) >> Self::BITS).saturating_sub(1);
        u64::from(u32::from(self.0) - (exponent << Self::BITS)) << exponent
    }
}

#[cfg(test)]
pub(super) mod tests;
