//! A range that is freed once.

use core::fmt;
use core::mem;
use core::num::NonZeroUsize;

use lock_api::RawMutex;

use super::ConcurrentDomain;
use crate::backing::Backing;
use crate::cpu::CurrentCpu;
use crate::flush::Invalidate;
use crate::range::IovaRange;

/// A live range that is freed when this is dropped. It cannot be freed twice, and its size cannot be mistaken.
///
/// It must outlive the device's mapping of it: unmap first, then drop.
pub struct Allocation<'a, R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate = ()> {
    domain: &'a ConcurrentDomain<R, B, C, I>,
    range: IovaRange,
}

impl<'a, R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> Allocation<'a, R, B, C, I> {
    pub(super) fn new(domain: &'a ConcurrentDomain<R, B, C, I>, range: IovaRange) -> Self {
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
    pub fn free_with(self, attachment: NonZeroUsize) {
        let domain = self.domain;
        domain.free_own(self.into_range(), Some(attachment));
    }
}

impl<R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> ConcurrentDomain<R, B, C, I> {
    fn free_own(&self, range: IovaRange, attachment: Option<NonZeroUsize>) {
        let freed = self.free(range, attachment);
        debug_assert!(freed.is_ok(), "somebody else has freed it: {freed:?}");
    }
}

impl<R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> Drop for Allocation<'_, R, B, C, I> {
    fn drop(&mut self) {
        self.domain.free_own(self.range, None);
    }
}

impl<R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> fmt::Debug for Allocation<'_, R, B, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allocation").field(&self.range).finish()
    }
}
