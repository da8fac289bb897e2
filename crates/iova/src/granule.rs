//! The smallest unit of address space, and the two ways to say where something is.

use core::fmt;

use crate::error::InvalidGranule;

/// The smallest unit that a space hands out: a power of two, in bytes. Mostly the IOMMU's smallest page.
///
/// ```
/// use iova::{Granule, InvalidGranule};
///
/// let granule = Granule::new(0x4000)?;
/// assert_eq!(granule.bytes(), 0x4000);
/// assert_eq!(Granule::new(0x3000), Err(InvalidGranule { bytes: 0x3000 }));
/// # Ok::<(), InvalidGranule>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Granule {
    shift: u8,
}

impl Granule {
    /// One byte: then a pfn and an iova are the same number.
    pub const BYTE: Self = Self { shift: 0 };

    /// 4 KiB.
    pub const FOUR_KIB: Self = Self { shift: 12 };

    /// A granule of so many bytes, from 1 to 2^63.
    ///
    /// # Errors
    ///
    /// [`InvalidGranule`] if that is not a power of two.
    pub const fn new(bytes: u64) -> Result<Self, InvalidGranule> {
        if bytes.is_power_of_two() {
            Ok(Self { shift: bytes.trailing_zeros() as u8 })
        } else {
            Err(InvalidGranule { bytes })
        }
    }

    /// How many bytes it has.
    pub const fn bytes(self) -> u64 {
        1 << self.shift
    }

    /// Its binary logarithm, 0 to 63: by how much an iova is shifted to give a pfn.
    pub const fn shift(self) -> u32 {
        self.shift as u32
    }

    /// How many granules it takes to hold so many bytes, rounded up.
    ///
    /// ```
    /// # use iova::Granule;
    /// assert_eq!(Granule::FOUR_KIB.count_of(0x1001), 2);
    /// assert_eq!(Granule::FOUR_KIB.count_of(0), 0);
    /// ```
    pub const fn count_of(self, bytes: u64) -> u64 {
        (bytes >> self.shift) + (bytes & self.mask() != 0) as u64
    }

    /// The granule that `iova` lies in.
    ///
    /// ```
    /// # use iova::{Granule, Pfn};
    /// assert_eq!(Granule::FOUR_KIB.pfn_of(0x5fff), Pfn::new(5));
    /// ```
    pub const fn pfn_of(self, iova: u64) -> Pfn {
        Pfn(iova >> self.shift)
    }

    /// The first iova of a granule, or `None` if there is no granule of this number.
    ///
    /// ```
    /// # use iova::{Granule, Pfn};
    /// assert_eq!(Granule::FOUR_KIB.first_of(Pfn::new(5)), Some(0x5000));
    /// assert_eq!(Granule::FOUR_KIB.first_of(Pfn::new(1 << 52)), None);
    /// ```
    pub const fn first_of(self, pfn: Pfn) -> Option<u64> {
        if pfn.0 <= u64::MAX >> self.shift { Some(pfn.0 << self.shift) } else { None }
    }

    /// The last iova of a granule (inclusive), or `None` if there is no granule of this number. Turns an
    /// inclusive limit in pfns into one in bytes.
    ///
    /// ```
    /// # use iova::{Granule, Pfn};
    /// assert_eq!(Granule::FOUR_KIB.last_of(Pfn::new(0xf_ffff)), Some(0xffff_ffff));
    /// ```
    pub const fn last_of(self, pfn: Pfn) -> Option<u64> {
        match self.first_of(pfn) {
            Some(first) => Some(first | self.mask()),
            None => None,
        }
    }

    /// Whether `iova` is the first of a granule.
    pub const fn is_aligned(self, iova: u64) -> bool {
        iova & self.mask() == 0
    }

    /// The first iova of the granule that `iova` lies in.
    pub const fn align_down(self, iova: u64) -> u64 {
        iova & !self.mask()
    }

    /// The highest pfn all of whose bytes are at or below `limit`; `None` if there is no such granule.
    pub(crate) fn last_whole_pfn(self, limit: u64) -> Option<u64> {
        let pfn = limit >> self.shift;
        if limit & self.mask() == self.mask() { Some(pfn) } else { pfn.checked_sub(1) }
    }

    const fn mask(self) -> u64 {
        self.bytes() - 1
    }
}

impl fmt::Debug for Granule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Granule({:#x})", self.bytes())
    }
}

impl fmt::Display for Granule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.bytes())
    }
}

/// The number of a granule: an iova divided by the size of a granule (the kernel's page frame number).
///
/// Converting needs the granule: [`Granule::pfn_of`], [`Granule::first_of`], [`Granule::last_of`]. Where an iova is
/// wanted a pfn is not accepted:
///
/// ```compile_fail,E0308
/// # use iova::{Granule, Pfn, Space};
/// # let mut space = Space::new(Granule::FOUR_KIB, ..).unwrap();
/// let _ = space.free(Pfn::new(5));
/// ```
///
/// ```
/// # use iova::{Granule, Pfn, Space};
/// # let mut space = Space::new(Granule::FOUR_KIB, ..).unwrap();
/// let _ = space.free(space.granule().first_of(Pfn::new(5)).unwrap());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pfn(u64);

impl Pfn {
    /// The granule with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Pfn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_powers_of_two() {
        for bytes in [0, 3, 4095, 4097, u64::MAX] {
            assert_eq!(Granule::new(bytes), Err(InvalidGranule { bytes }));
        }
        for shift in 0..64 {
            let granule = Granule::new(1 << shift).unwrap();
            assert_eq!((granule.bytes(), granule.shift()), (1 << shift, shift));
        }
        assert_eq!(Granule::new(1), Ok(Granule::BYTE));
        assert_eq!(Granule::new(4096), Ok(Granule::FOUR_KIB));
    }

    #[test]
    fn conversions_at_the_edges() {
        let huge = Granule::new(1 << 63).unwrap();
        assert_eq!(huge.pfn_of(u64::MAX), Pfn(1));
        assert_eq!((huge.first_of(Pfn(1)), huge.last_of(Pfn(1))), (Some(1 << 63), Some(u64::MAX)));
        assert_eq!((huge.first_of(Pfn(2)), huge.last_of(Pfn(2))), (None, None));
        assert_eq!(Granule::BYTE.last_of(Pfn(u64::MAX)), Some(u64::MAX));
        assert_eq!(Granule::FOUR_KIB.count_of(u64::MAX), 1 << 52);
        assert_eq!(Granule::BYTE.count_of(u64::MAX), u64::MAX);
        assert_eq!(Granule::FOUR_KIB.align_down(u64::MAX), u64::MAX - 4095);
        assert!(Granule::FOUR_KIB.is_aligned(0) && !Granule::FOUR_KIB.is_aligned(u64::MAX));
    }

    #[test]
    fn a_limit_counts_whole_granules() {
        let granule = Granule::FOUR_KIB;
        assert_eq!(granule.last_whole_pfn(0), None);
        assert_eq!(granule.last_whole_pfn(0xffe), None);
        assert_eq!(granule.last_whole_pfn(0xfff), Some(0));
        assert_eq!(granule.last_whole_pfn(0x1000), Some(0));
        assert_eq!(granule.last_whole_pfn(u64::MAX), Some((1 << 52) - 1));
        assert_eq!(Granule::BYTE.last_whole_pfn(0), Some(0));
        assert_eq!(Granule::BYTE.last_whole_pfn(u64::MAX), Some(u64::MAX));
    }
}
