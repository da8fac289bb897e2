//! Ranges of indices, both ends inclusive.
//!
//! The index space is `0..=u64::MAX`, whose size does not fit into a `u64`; so a range keeps its two ends and
//! counts in `u128`. This type is the edge where other notations are turned into ours.

use core::fmt;
use core::ops::{Bound, RangeBounds, RangeInclusive};

/// A non-empty range of indices `first..=last`.
///
/// ```
/// use maple_tree::IndexRange;
///
/// let range = IndexRange::new(4, 7).ok_or("empty")?;
/// assert_eq!((range.first(), range.last(), range.count()), (4, 7, 4));
/// assert!(range.contains(7) && !range.contains(8));
/// assert_eq!(IndexRange::new(7, 4), None);
/// assert_eq!(IndexRange::FULL.count(), 1 << 64);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexRange {
    first: u64,
    last: u64,
}

impl IndexRange {
    /// The whole index space, `0..=u64::MAX`.
    pub const FULL: Self = Self { first: 0, last: u64::MAX };

    /// `first..=last`, or `None` if that is empty (`first > last`).
    ///
    /// ```
    /// use maple_tree::IndexRange;
    ///
    /// assert_eq!(IndexRange::new(4, 4), Some(IndexRange::single(4)));
    /// assert_eq!(IndexRange::new(5, 4), None);
    /// ```
    #[inline]
    #[must_use]
    pub const fn new(first: u64, last: u64) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// The range that holds just `index`.
    #[inline]
    #[must_use]
    pub const fn single(index: u64) -> Self {
        Self { first: index, last: index }
    }

    /// The range of `count` indices that begins at `first`, or `None` if `count` is 0 or the range would pass
    /// `u64::MAX`.
    ///
    /// ```
    /// use maple_tree::IndexRange;
    ///
    /// assert_eq!(IndexRange::sized(0x1000, 0x1000), IndexRange::new(0x1000, 0x1fff));
    /// assert_eq!(IndexRange::sized(u64::MAX, 2), None);
    /// ```
    #[must_use]
    pub const fn sized(first: u64, count: u64) -> Option<Self> {
        match count.checked_sub(1) {
            Some(rest) => match first.checked_add(rest) {
                Some(last) => Some(Self { first, last }),
                None => None,
            },
            None => None,
        }
    }

    /// Any of Rust's range notations (`4..8`, `4..=7`, `4..`, `..`), or `None` if it is empty.
    ///
    /// ```
    /// use maple_tree::IndexRange;
    ///
    /// assert_eq!(IndexRange::from_bounds(4..8), IndexRange::new(4, 7));
    /// assert_eq!(IndexRange::from_bounds(..), Some(IndexRange::FULL));
    /// assert_eq!(IndexRange::from_bounds(4..4), None);
    /// ```
    #[must_use]
    pub fn from_bounds(bounds: impl RangeBounds<u64>) -> Option<Self> {
        let first = match bounds.start_bound() {
            Bound::Included(&first) => first,
            Bound::Excluded(&before) => before.checked_add(1)?,
            Bound::Unbounded => 0,
        };
        let last = match bounds.end_bound() {
            Bound::Included(&last) => last,
            Bound::Excluded(&end) => end.checked_sub(1)?,
            Bound::Unbounded => u64::MAX,
        };
        Self::new(first, last)
    }

    /// The lowest index.
    #[inline]
    #[must_use]
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The highest index.
    #[inline]
    #[must_use]
    pub const fn last(self) -> u64 {
        self.last
    }

    /// How many indices the range holds: at least 1, at most 2^64.
    #[inline]
    #[must_use]
    pub const fn count(self) -> u128 {
        (self.last - self.first) as u128 + 1
    }

    /// Whether `index` lies in the range.
    #[inline]
    #[must_use]
    pub const fn contains(self, index: u64) -> bool {
        self.first <= index && index <= self.last
    }

    /// Whether all of `other` lies in the range.
    ///
    /// ```
    /// use maple_tree::IndexRange;
    ///
    /// let range = |first, last| IndexRange::new(first, last).ok_or("empty");
    /// assert!(range(0, 9)?.contains_range(range(5, 9)?));
    /// assert!(!range(0, 9)?.contains_range(range(5, 10)?));
    /// # Ok::<(), &str>(())
    /// ```
    #[inline]
    #[must_use]
    pub const fn contains_range(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether the two ranges have an index in common.
    #[inline]
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// What the two ranges have in common; `None` if they do not overlap.
    ///
    /// ```
    /// use maple_tree::IndexRange;
    ///
    /// let range = |first, last| IndexRange::new(first, last).ok_or("empty");
    /// assert!(range(0, 9)?.overlaps(range(5, 15)?));
    /// assert_eq!(range(0, 9)?.intersection(range(5, 15)?), IndexRange::new(5, 9));
    /// assert_eq!(range(0, 9)?.intersection(range(10, 15)?), None);
    /// # Ok::<(), &str>(())
    /// ```
    #[inline]
    #[must_use = "this returns another range; neither of the two changes"]
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// The number of indices, or one less for the whole index space.
    #[inline]
    pub(crate) fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// The same range with another lowest index. The caller keeps `first <= self.last()`.
    #[inline]
    pub(crate) fn starting_at(self, first: u64) -> Self {
        debug_assert!(first <= self.last);
        Self { first, last: self.last }
    }

    /// The same range with another highest index. The caller keeps `self.first() <= last`.
    #[inline]
    pub(crate) fn ending_at(self, last: u64) -> Self {
        debug_assert!(self.first <= last);
        Self { first: self.first, last }
    }

    /// The indices after this range, up to `u64::MAX`.
    #[inline]
    pub(crate) fn after(self) -> Option<Self> {
        self.last.checked_add(1).map(|first| Self { first, last: u64::MAX })
    }

    /// The indices before this range, from 0.
    #[inline]
    pub(crate) fn before(self) -> Option<Self> {
        self.first.checked_sub(1).map(|last| Self { first: 0, last })
    }
}

impl fmt::Debug for IndexRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}..={:?}", self.first, self.last)
    }
}

impl fmt::Display for IndexRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}..={:#x}", self.first, self.last)
    }
}

impl RangeBounds<u64> for IndexRange {
    fn start_bound(&self) -> Bound<&u64> {
        Bound::Included(&self.first)
    }

    fn end_bound(&self) -> Bound<&u64> {
        Bound::Included(&self.last)
    }
}

impl From<IndexRange> for RangeInclusive<u64> {
    fn from(range: IndexRange) -> Self {
        range.first..=range.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64) -> Option<IndexRange> {
        IndexRange::new(first, last)
    }

    #[test]
    fn notations_at_the_edges() {
        assert_eq!(IndexRange::from_bounds(..), Some(IndexRange::FULL));
        assert_eq!(IndexRange::from_bounds(5..5), None);
        assert_eq!(IndexRange::from_bounds(0..0), None);
        assert_eq!(IndexRange::from_bounds(..=u64::MAX), Some(IndexRange::FULL));
        assert_eq!(IndexRange::from_bounds(u64::MAX..), range(u64::MAX, u64::MAX));
        assert_eq!(IndexRange::from_bounds(..u64::MAX), range(0, u64::MAX - 1));
        let after_the_end = (Bound::Excluded(u64::MAX), Bound::Unbounded);
        assert_eq!(IndexRange::from_bounds(after_the_end), None);
    }

    #[test]
    fn sizes_at_the_edges() {
        assert_eq!(IndexRange::sized(7, 0), None);
        assert_eq!(IndexRange::sized(u64::MAX, 1), range(u64::MAX, u64::MAX));
        assert_eq!(IndexRange::sized(u64::MAX, 2), None);
        assert_eq!(IndexRange::sized(0, u64::MAX), range(0, u64::MAX - 1));
    }
}
