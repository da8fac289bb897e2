//! Why no range was allocated or reserved.

use core::fmt;

use crate::error::BadRequest;
use crate::range::IovaRange;
use crate::space::RangeKind;

/// Why [`Space::allocate`](crate::Space::allocate) returned no range. The space is as it was.
///
/// ```
/// use iova::{AllocateError, Granule, Request, Space};
///
/// let mut space = Space::new(Granule::FOUR_KIB, 0..0x4000)?;
/// space.allocate(&Request::new(1))?;
/// let error = space.allocate(&Request::new(4)).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "no free range of 4 granules aligned to 4 in 0x0..=0x3fff: the longest free run there has 3, \
///      the space has 3 free"
/// );
/// assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.free_granules == 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllocateError {
    /// There is no such range. Retrying is of use only after something was freed.
    OutOfAddressSpace(OutOfAddressSpace),
    /// There is such a range, but no memory to record it. Retrying may be of use at any time.
    OutOfNodeMemory(OutOfNodeMemory),
    /// The request makes no sense, or not in this space. Retrying is of no use.
    BadRequest(BadRequest),
}

impl fmt::Display for AllocateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfAddressSpace(error) => error.fmt(f),
            Self::OutOfNodeMemory(error) => error.fmt(f),
            Self::BadRequest(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AllocateError {}

impl From<OutOfAddressSpace> for AllocateError {
    fn from(error: OutOfAddressSpace) -> Self {
        Self::OutOfAddressSpace(error)
    }
}

impl From<OutOfNodeMemory> for AllocateError {
    fn from(error: OutOfNodeMemory) -> Self {
        Self::OutOfNodeMemory(error)
    }
}

impl From<BadRequest> for AllocateError {
    fn from(error: BadRequest) -> Self {
        Self::BadRequest(error)
    }
}

/// Why a range of the caller's choice was not allocated ([`Space::allocate_at`](crate::Space::allocate_at)), reserved
/// ([`Space::reserve`](crate::Space::reserve)) or unreserved ([`Space::unreserve`](crate::Space::unreserve)). The space
/// is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaceError {
    /// Some of it is taken.
    Occupied {
        /// The first, by address, that is in the way: an allocation, a reserved region, or what lies between two
        /// windows.
        by: IovaRange,
        /// Which of them it is.
        kind: RangeKind,
    },
    /// There was no memory to record it. Retrying may be of use at any time.
    OutOfNodeMemory(OutOfNodeMemory),
    /// The range makes no sense, or not in this space. Retrying is of no use.
    BadRequest(BadRequest),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied { by, kind } => write!(f, "{by} is {kind}"),
            Self::OutOfNodeMemory(error) => error.fmt(f),
            Self::BadRequest(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PlaceError {}

impl From<OutOfNodeMemory> for PlaceError {
    fn from(error: OutOfNodeMemory) -> Self {
        Self::OutOfNodeMemory(error)
    }
}

impl From<BadRequest> for PlaceError {
    fn from(error: BadRequest) -> Self {
        Self::BadRequest(error)
    }
}

/// No range that satisfies a request exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfAddressSpace {
    /// Where it was looked for: the part of the aperture at or below the request's limit.
    pub window: IovaRange,
    /// The request's limit, an iova.
    pub limit: u64,
    /// The preferred limit, if there is one and it has a part of the window below it.
    pub preferred: Option<PreferredLimit>,
    /// How many granules were asked for.
    pub granules: u64,
    /// To how many granules they should have been aligned.
    pub align_granules: u64,
    /// Of how many granules no multiple was to be crossed, if any.
    pub boundary_granules: Option<u64>,
    /// How many granules the longest free run in the window has (never 2^64, as any request would fit then). If these are enough, it was the alignment, or
    /// the boundary, that could not be had.
    pub longest_free_granules: u64,
    /// How many granules are free in the whole space.
    pub free_granules: u128,
    /// How many granules the caches of a [`Domain`](crate::Domain) hold, all the same: what other threads have freed
    /// since they were emptied for this request. Always 0 for a space.
    pub cached_granules: u128,
    /// How many granules wait for a flush in a [`Domain`](crate::Domain), all the same. Always 0 for a space.
    pub queued_granules: u128,
}

/// What there is below a preferred limit, where a request was looked for first, in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreferredLimit {
    /// The limit, an iova.
    pub limit: u64,
    /// How many granules the longest free run at or below it has.
    pub longest_free_granules: u64,
}

impl fmt::Display for OutOfAddressSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { window, granules, align_granules, longest_free_granules, free_granules, .. } = self;
        write!(f, "no free range of {granules} granules aligned to {align_granules}")?;
        if let Some(boundary) = self.boundary_granules {
            write!(f, ", not across a multiple of {boundary},")?;
        }
        write!(f, " in {window}: the longest free run there has {longest_free_granules}, ")?;
        if let Some(preferred) = self.preferred {
            write!(f, "up to {:#x} it has {}, ", preferred.limit, preferred.longest_free_granules)?;
        }
        write!(f, "the space has {free_granules} free")?;
        if self.cached_granules > 0 || self.queued_granules > 0 {
            write!(f, ", {} are cached and {} queued", self.cached_granules, self.queued_granules)?;
        }
        Ok(())
    }
}

impl core::error::Error for OutOfAddressSpace {}

/// A range was free, but there was no memory for the tree node that recording it needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutOfNodeMemory {
    /// The range. It is still free.
    pub range: IovaRange,
}

impl fmt::Display for OutOfNodeMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no memory for a node to record {}", self.range)
    }
}

impl core::error::Error for OutOfNodeMemory {}
