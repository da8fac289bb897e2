//! Ranges of address space, in whole granules.

use core::fmt;
use core::ops::RangeBounds;

use maple_tree::IndexRange;

use crate::error::InvalidAperture;
use crate::granule::{Granule, Pfn};

/// A non-empty range of iovas in whole granules, `first..=last`: what a space hands out.
///
/// A plain value. It does not keep the range allocated, and dropping it frees nothing.
///
/// ```
/// use iova::{Granule, Pfn, Request, Space};
///
/// let mut space = Space::new(Granule::FOUR_KIB, 0..0x10_0000)?;
/// let range = space.allocate(&Request::new(4))?;
/// assert_eq!((range.first(), range.last()), (0xf_c000, 0xf_ffff));
/// assert_eq!((range.granules(), range.bytes()), (4, 0x4000));
/// assert_eq!((range.first_pfn(), range.last_pfn()), (Pfn::new(0xfc), Pfn::new(0xff)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IovaRange {
    first: u64,
    /// How many bytes there are beside the first. Not the last iova: so the size of a cached range, which follows
    /// from its class, does not wait for where it is.
    rest: u64,
    granule: Granule,
}

impl IovaRange {
    /// The range of these granules, which exist.
    pub(crate) fn of_pfns(pfns: IndexRange, granule: Granule) -> Self {
        Self::of_granules(pfns.first(), pfns.last() - pfns.first(), granule)
    }

    /// The range of a granule and so many more, which exist.
    #[inline]
    pub(crate) fn of_granules(first: u64, more: u64, granule: Granule) -> Self {
        let shift = granule.shift();
        debug_assert!(first.checked_add(more).is_some_and(|last| last <= u64::MAX >> shift));
        // Of 2^64 bytes the shift leaves nothing, which is right.
        let bytes = more.wrapping_add(1) << shift;
        Self { first: first << shift, rest: bytes.wrapping_sub(1), granule }
    }

    /// The lowest iova.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The highest iova (inclusive): the last byte of the last granule.
    pub const fn last(self) -> u64 {
        self.first + self.rest
    }

    /// The lowest granule.
    pub const fn first_pfn(self) -> Pfn {
        self.granule.pfn_of(self.first)
    }

    /// The highest granule (inclusive).
    pub const fn last_pfn(self) -> Pfn {
        self.granule.pfn_of(self.last())
    }

    /// How many granules it has: 1 to 2^64.
    pub const fn granules(self) -> u128 {
        (self.rest >> self.granule.shift()) as u128 + 1
    }

    /// How many bytes it has: 1 to 2^64.
    pub const fn bytes(self) -> u128 {
        self.rest as u128 + 1
    }

    /// The size of its granules.
    pub const fn granule(self) -> Granule {
        self.granule
    }

    /// Whether `iova` lies in the range.
    pub const fn contains(self, iova: u64) -> bool {
        self.first <= iova && iova <= self.last()
    }

    /// Whether it may have been handed out by who has this aperture: has such granules, and lies within.
    pub(crate) fn is_of(self, aperture: Self) -> bool {
        self.granule == aperture.granule && self.first >= aperture.first && self.last() <= aperture.last()
    }
}

impl fmt::Debug for IovaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for IovaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}..={:#x}", self.first, self.last())
    }
}

/// The granules of a range of bytes that consists of whole ones; `None` if it does not.
pub(crate) fn exact_pfns(bytes: IndexRange, granule: Granule) -> Option<IndexRange> {
    let outer = touched_pfns(bytes, granule);
    let range = outer.map(|pfns| IovaRange::of_pfns(pfns, granule))?;
    if (range.first(), range.last()) == (bytes.first(), bytes.last()) { outer } else { None }
}

/// The granules of an aperture or a window.
pub(crate) fn aperture_pfns(
    range: impl RangeBounds<u64>,
    granule: Granule,
) -> Result<IndexRange, InvalidAperture> {
    let bytes = IndexRange::from_bounds(range).ok_or(InvalidAperture::Empty)?;
    let (first, last) = (bytes.first(), bytes.last());
    exact_pfns(bytes, granule).ok_or(InvalidAperture::Misaligned { first, last, granule })
}

/// The granules that a range of bytes touches. Always `Some`: shifting keeps the order of the two ends.
pub(crate) fn touched_pfns(bytes: IndexRange, granule: Granule) -> Option<IndexRange> {
    IndexRange::new(granule.pfn_of(bytes.first()).get(), granule.pfn_of(bytes.last()).get())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(first: u64, last: u64, granule: Granule) -> Option<IndexRange> {
        exact_pfns(IndexRange::new(first, last).unwrap(), granule)
    }

    #[test]
    fn whole_granules_only() {
        let granule = Granule::FOUR_KIB;
        assert_eq!(exact(0x1000, 0x2fff, granule), IndexRange::new(1, 2));
        assert_eq!(exact(0x1001, 0x2fff, granule), None);
        assert_eq!(exact(0x1000, 0x3000, granule), None);
        assert_eq!(exact(0, u64::MAX, granule), IndexRange::new(0, u64::MAX >> 12));
        assert_eq!(exact(0, u64::MAX, Granule::BYTE), Some(IndexRange::FULL));
        assert_eq!(exact(u64::MAX, u64::MAX, Granule::BYTE), IndexRange::new(u64::MAX, u64::MAX));
        let bytes = IndexRange::new(0x1fff, 0x2000).unwrap();
        assert_eq!(touched_pfns(bytes, granule), IndexRange::new(1, 2));
    }

    #[test]
    fn the_largest_range() {
        let all = IovaRange::of_pfns(IndexRange::FULL, Granule::BYTE);
        assert_eq!((all.granules(), all.bytes()), (1 << 64, 1 << 64));
        let pages = IovaRange::of_pfns(IndexRange::new(0, u64::MAX >> 12).unwrap(), Granule::FOUR_KIB);
        assert_eq!((pages.granules(), pages.bytes()), (1 << 52, 1 << 64));
        assert_eq!((pages.first(), pages.last()), (0, u64::MAX));
    }
}
