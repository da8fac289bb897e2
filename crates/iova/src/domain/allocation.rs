//! A range that is freed once.

use core::fmt;
use core::mem;
use core::num::NonZeroUsize;

use lock_api::RawMutex;
use maple_tree::{Global, NodeAlloc};

use super::Domain;
use crate::cpu::CurrentCpu;
use crate::flush::Invalidate;
use crate::range::IovaRange;

/// A live range that is freed when this is dropped. It cannot be freed twice, and its size cannot be mistaken.
///
/// It must outlive the device's mapping of it: unmap first, then drop.
///
/// It borrows its domain. What is stored for longer, such as a driver's buffer, keeps the range and shares the domain:
///
#[cfg_attr(feature = "std", doc = "```")]
#[cfg_attr(not(feature = "std"), doc = "```ignore")]
/// use std::sync::Arc;
///
/// use iova::{Granule, IovaRange, Request, Space, StdDomain};
///
/// struct Buffer {
///     domain: Arc<StdDomain>,
///     range: IovaRange,
/// }
///
/// impl Drop for Buffer {
///     fn drop(&mut self) {
///         let freed = self.domain.free(self.range);
///         debug_assert!(freed.is_ok());
///     }
/// }
///
/// let domain = Arc::new(StdDomain::for_this_machine(Space::new(Granule::FOUR_KIB, 0..1 << 32)?)?);
/// let range = domain.allocation(&Request::new(4))?.into_range();
/// let buffer = Buffer { domain: Arc::clone(&domain), range };
/// drop(buffer);
/// assert_eq!(domain.statistics().live_ranges(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Allocation<'a, R: RawMutex, C: CurrentCpu, I: Invalidate = (), A: NodeAlloc = Global> {
    domain: &'a Domain<R, C, I, A>,
    range: IovaRange,
}

impl<'a, R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Allocation<'a, R, C, I, A> {
    pub(super) fn new(domain: &'a Domain<R, C, I, A>, range: IovaRange) -> Self {
        Self { domain, range }
    }

    /// The range.
    pub fn range(&self) -> IovaRange {
        self.range
    }

    /// The range without its handle: now it is the caller who frees it, once.
    pub fn into_range(self) -> IovaRange {
        let range = self.range;
        mem::forget(self);
        range
    }

    /// Frees the range, with a word that is released after the flush.
    ///
    /// # Errors
    ///
    /// The allocation itself, if its domain has no flush queue: nobody would release the word.
    pub fn free_with(self, attachment: NonZeroUsize) -> Result<(), Self> {
        let domain = self.domain;
        if domain.queue.is_none() {
            return Err(self);
        }
        let freed = domain.free_with(self.into_range(), attachment);
        debug_assert!(freed.is_ok(), "somebody else has freed it: {freed:?}");
        Ok(())
    }
}

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Drop for Allocation<'_, R, C, I, A> {
    fn drop(&mut self) {
        let freed = self.domain.free(self.range);
        debug_assert!(freed.is_ok(), "somebody else has freed it: {freed:?}");
    }
}

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> fmt::Debug for Allocation<'_, R, C, I, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allocation").field(&self.range).finish()
    }
}
