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
    pub fn free_with(self, attachment: NonZeroUsize) {
        let domain = self.domain;
        let freed = domain.free_with(self.into_range(), attachment);
        debug_assert!(freed.is_ok(), "somebody else has freed it: {freed:?}");
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
