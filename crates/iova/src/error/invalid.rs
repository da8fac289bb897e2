//! What is wrong with arguments.

use core::fmt;

use crate::error::OutOfNodeMemory;
use crate::granule::Granule;
use crate::range::IovaRange;

/// A granule that is not a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidGranule {
    /// What was asked for.
    pub bytes: u64,
}

impl fmt::Display for InvalidGranule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a granule of {} bytes is not a power of two", self.bytes)
    }
}

impl core::error::Error for InvalidGranule {}

/// What is wrong with an aperture, or a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAperture {
    /// It holds no iova, or there is no window.
    Empty,
    /// It does not consist of whole granules.
    Misaligned {
        /// The first iova that was asked for.
        first: u64,
        /// The last iova that was asked for, inclusive.
        last: u64,
        /// The granule.
        granule: Granule,
    },
}

impl fmt::Display for InvalidAperture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the aperture is empty, or one of its windows"),
            Self::Misaligned { first, last, granule } => {
                write!(
                    f,
                    "the aperture or window {first:#x}..={last:#x} does not consist of whole granules of {granule}"
                )
            }
        }
    }
}

impl core::error::Error for InvalidAperture {}

/// Why there is no space of these windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowsError {
    /// A window makes no sense. Retrying is of no use.
    Invalid(InvalidAperture),
    /// There was no memory to record what lies between them. Retrying may be of use at any time.
    OutOfNodeMemory(OutOfNodeMemory),
}

impl fmt::Display for WindowsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::OutOfNodeMemory(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WindowsError {}

impl From<InvalidAperture> for WindowsError {
    fn from(error: InvalidAperture) -> Self {
        Self::Invalid(error)
    }
}

impl From<OutOfNodeMemory> for WindowsError {
    fn from(error: OutOfNodeMemory) -> Self {
        Self::OutOfNodeMemory(error)
    }
}

/// What is wrong with a request. It would be wrong at any time, whatever is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRequest {
    /// 0 granules were asked for.
    NoGranules,
    /// The alignment is not a power of two.
    Alignment {
        /// What was asked for.
        granules: u64,
    },
    /// The size, rounded up to a power of two, is 2^64 granules: nothing can be aligned to that. Ask for an
    /// alignment.
    NaturalAlignment {
        /// The size that was asked for.
        granules: u64,
    },
    /// The boundary is not a power of two.
    Boundary {
        /// What was asked for.
        granules: u64,
    },
    /// The size is larger than the boundary: any such range crosses it.
    SizeAboveBoundary {
        /// The size that was asked for.
        granules: u64,
        /// What it cannot but cross.
        boundary_granules: u64,
    },
    /// No granule of the aperture lies at or below the limit.
    LimitBelowAperture {
        /// The limit, an iova.
        limit: u64,
        /// The aperture.
        aperture: IovaRange,
    },
    /// The range holds no iova.
    EmptyRange,
    /// The range does not consist of whole granules.
    Misaligned {
        /// The first iova that was asked for.
        first: u64,
        /// The last iova that was asked for, inclusive.
        last: u64,
        /// The granule.
        granule: Granule,
    },
    /// Some of the range lies outside of the aperture.
    OutsideAperture {
        /// The first iova that was asked for.
        first: u64,
        /// The last iova that was asked for, inclusive.
        last: u64,
        /// The aperture.
        aperture: IovaRange,
    },
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGranules => f.write_str("the size is 0"),
            Self::Alignment { granules } => write!(f, "the alignment {granules} is not a power of two"),
            Self::NaturalAlignment { granules } => {
                write!(f, "a range of {granules} granules is too large to be aligned naturally")
            }
            Self::Boundary { granules } => write!(f, "the boundary {granules} is not a power of two"),
            Self::SizeAboveBoundary { granules, boundary_granules } => {
                write!(f, "any range of {granules} granules crosses a boundary of {boundary_granules}")
            }
            Self::LimitBelowAperture { limit, aperture } => {
                write!(f, "the limit {limit:#x} leaves no granule of the aperture {aperture}")
            }
            Self::EmptyRange => f.write_str("the range is empty"),
            Self::Misaligned { first, last, granule } => {
                write!(f, "{first:#x}..={last:#x} does not consist of whole granules of {granule}")
            }
            Self::OutsideAperture { first, last, aperture } => {
                write!(f, "{first:#x}..={last:#x} is not within the aperture {aperture}")
            }
        }
    }
}

impl core::error::Error for BadRequest {}
