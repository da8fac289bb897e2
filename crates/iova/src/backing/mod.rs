//! What lies below the caches: an exact allocator that several threads may use.

mod batch;
mod locked;

use core::fmt;

use crate::error::AllocateError;
use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::Request;

pub(crate) use batch::Batch;

/// How many ranges go back to a [`Backing`] in one call, at most: the bound on how long its lock is held for
/// that.
pub const BATCH: usize = 16;

/// An exact allocator of ranges, for several threads: what the caches take ranges from and give them back to.
///
/// [`LockedSpace`](crate::LockedSpace) is one.
///
/// An implementation says that there is no address space if and only if there is none; only then the caches are
/// emptied on behalf of the request. Giving ranges back cannot fail for what was allocated and must not
/// allocate.
pub trait Backing {
    /// The smallest unit that is handed out. Always the same.
    fn granule(&self) -> Granule;

    /// What may be handed out at all. Always the same.
    fn aperture(&self) -> IovaRange;

    /// Allocates a range that satisfies `request`, of exactly the size that it asks for.
    ///
    /// # Errors
    ///
    /// As [`Space::allocate`](crate::Space::allocate).
    fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError>;

    /// As [`allocate`](Self::allocate), but `None` if there is no such range, which is no failure yet: the caller has
    /// other places to look at, and need not be told why.
    ///
    /// # Errors
    ///
    /// The others.
    fn try_allocate(&self, request: &Request) -> Result<Option<IovaRange>, AllocateError> {
        match self.allocate(request) {
            Ok(range) => Ok(Some(range)),
            Err(AllocateError::OutOfAddressSpace(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes one range back.
    ///
    /// # Errors
    ///
    /// [`NotLive`] if exactly this range is not allocated; nothing is changed.
    fn free(&self, range: IovaRange) -> Result<(), NotLive>;

    /// Takes ranges back: at most [`BATCH`] of them, in order of address. A lock is taken once for all of them
    /// and held for as long as that many take.
    ///
    /// Returns how many of them were not allocated exactly so. They are left out.
    fn free_batch(&self, ranges: &[IovaRange]) -> usize;
}

/// A range that was to be freed but is not allocated, or not exactly so: it was freed already, has another
/// size, or was never handed out. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLive {
    /// The range.
    pub range: IovaRange,
}

impl fmt::Display for NotLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not allocated, or not exactly so", self.range)
    }
}

impl core::error::Error for NotLive {}
