//! Why nothing was freed.

use core::fmt;

use crate::granule::Granule;
use crate::range::IovaRange;

/// What is wrong with an iova that was to be freed. Nothing was changed: an allocated range, named by its first
/// iova, is always freed.
///
/// ```
/// use iova::{FreeError, Granule, Request, Space};
///
/// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
/// let range = space.allocate(&Request::new(2))?;
/// assert_eq!(space.free(0xf000), Err(FreeError::NotFirst { iova: 0xf000, range }));
/// space.free(range.first())?;
/// assert_eq!(space.free(range.first()), Err(FreeError::NotAllocated { iova: 0xe000 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreeError {
    /// It lies outside of the space's aperture.
    OutsideAperture {
        /// The iova.
        iova: u64,
        /// The aperture.
        aperture: IovaRange,
    },
    /// It lies between two windows of the space.
    BetweenWindows {
        /// The iova.
        iova: u64,
        /// What lies between the windows.
        between: IovaRange,
    },
    /// It is not the first of a granule.
    Misaligned {
        /// The iova.
        iova: u64,
        /// The granule.
        granule: Granule,
    },
    /// There it is free already.
    NotAllocated {
        /// The iova.
        iova: u64,
    },
    /// It lies in a range that was freed before, and is cached or waits for a flush: a double free. Only a
    /// [`Domain`](crate::Domain) has such ranges.
    FreedAlready {
        /// The iova.
        iova: u64,
        /// The range.
        range: IovaRange,
    },
    /// It was to be freed with a word to be released after a flush, in a [`Domain`](crate::Domain) that has no flush queue.
    NoFlushQueue {
        /// The iova.
        iova: u64,
    },
    /// It lies in an allocated range but is not its first.
    NotFirst {
        /// The iova.
        iova: u64,
        /// The range.
        range: IovaRange,
    },
    /// A range is allocated there, but of another size.
    WrongSize {
        /// The iova.
        iova: u64,
        /// What was said to be its size.
        granules: u128,
        /// The range.
        range: IovaRange,
    },
    /// It lies in a reserved region.
    Reserved {
        /// The iova.
        iova: u64,
        /// The region.
        region: IovaRange,
    },
}

impl fmt::Display for FreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideAperture { iova, aperture } => {
                write!(f, "{iova:#x} is outside of the aperture {aperture}")
            }
            Self::BetweenWindows { iova, between } => {
                write!(f, "{iova:#x} is in {between}, between two windows")
            }
            Self::Misaligned { iova, granule } => {
                write!(f, "{iova:#x} is not a multiple of the granule {granule}")
            }
            Self::NotAllocated { iova } => write!(f, "{iova:#x} is not allocated"),
            Self::FreedAlready { iova, range } => {
                write!(f, "{iova:#x} is in {range}, which was freed already and is cached or queued")
            }
            Self::NoFlushQueue { iova } => {
                write!(f, "{iova:#x} has an attachment, but there is no flush queue")
            }
            Self::NotFirst { iova, range } => {
                write!(f, "{iova:#x} is not the first iova of the allocated range {range}")
            }
            Self::WrongSize { iova, granules, range } => {
                write!(
                    f,
                    "at {iova:#x} not {granules} granules are allocated but {}: {range}",
                    range.granules()
                )
            }
            Self::Reserved { iova, region } => write!(f, "{iova:#x} is in the reserved region {region}"),
        }
    }
}

impl core::error::Error for FreeError {}
