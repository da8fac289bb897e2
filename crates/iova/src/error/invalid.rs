//! What is wrong with arguments.

use core::fmt;

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

/// What is wrong with an aperture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAperture {
    /// It holds no iova.
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
            Self::Empty => f.write_str("the aperture is empty"),
            Self::Misaligned { first, last, granule } => {
                write!(
                    f,
                    "the aperture {first:#x}..={last:#x} does not consist of whole granules of {granule}"
                )
            }
        }
    }
}

impl core::error::Error for InvalidAperture {}

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
