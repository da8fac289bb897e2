//! Freeing: without memory, checked as far as was asked for, and with a reason if it is wrong.

use core::num::NonZeroUsize;

use lock_api::RawMutex;
use maple_tree::{IndexRange, NodeAlloc};

use super::Domain;
use crate::cpu::CurrentCpu;
use crate::error::FreeError;
use crate::events;
use crate::flush::Invalidate;
use crate::granule::Pfn;
use crate::range::IovaRange;

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// Frees a range that was allocated. Calls no allocator.
    ///
    /// With a flush queue it is used again when the IOTLB was flushed.
    ///
    /// # Errors
    ///
    /// [`FreeError`] if the range is seen not to be live; nothing is changed but the counter of it. With
    /// [`Checking::Exact`](crate::Checking::Exact) every such range is seen, wherever it is.
    #[inline(always)]
    pub fn free(&self, range: IovaRange) -> Result<(), FreeError> {
        if self.is_plain() && self.caches.push(self.cpu.current(), range) {
            return Ok(());
        }
        self.free_attached(range, None)
    }

    /// Like [`free`](Self::free), with a word that is [released](Invalidate::release) after the flush, such as a page
    /// table that the IOMMU may still walk. If the free is wrong it is not released.
    ///
    /// # Errors
    ///
    /// As for [`free`](Self::free), and [`FreeError::NoFlushQueue`] if the domain has none: nobody would release the word.
    /// Then the range is still live.
    pub fn free_with(&self, range: IovaRange, attachment: NonZeroUsize) -> Result<(), FreeError> {
        if self.queue.is_none() {
            return Err(self.wrongly_freed(FreeError::NoFlushQueue { iova: range.first() }));
        }
        self.free_attached(range, Some(attachment))
    }

    /// Like [`free`](Self::free), by its first iova and its size: for callers that keep numbers. Returns the range.
    ///
    /// The size is that of the range that was [returned](Self::allocate), which may be more than what was asked for: where
    /// Linux rounds the size in its free, here the caller keeps the one that it got. With
    /// [`Checking::Trust`](crate::Checking::Trust) numbers that no range has are believed as a range is.
    ///
    /// # Errors
    ///
    /// As for [`free`](Self::free).
    #[inline(always)]
    pub fn free_sized(&self, iova: u64, granules: u64) -> Result<IovaRange, FreeError> {
        if self.is_plain() {
            if let Some(range) = self.caches.push_sized(self.cpu.current(), iova, granules) {
                return Ok(range);
            }
        }
        self.free_sized_slowly(iova, granules)
    }

    /// Like [`free_sized`](Self::free_sized) without the quick way.
    #[inline(never)]
    fn free_sized_slowly(&self, iova: u64, granules: u64) -> Result<IovaRange, FreeError> {
        match self.range_of(iova, granules) {
            Some(range) => self.free_attached(range, None).map(|()| range),
            None => Err(self.wrong_free(iova, granules.into(), None)),
        }
    }

    #[inline(never)]
    fn free_attached(&self, range: IovaRange, attachment: Option<NonZeroUsize>) -> Result<(), FreeError> {
        let checked =
            range.is_of(self.aperture()) && self.ledger.as_ref().is_none_or(|ledger| ledger.remove(range));
        if checked {
            let cpu = self.cpu.current();
            if let Some(queue) = &self.queue {
                queue.queue(cpu, range, attachment, &self.caches);
                return Ok(());
            }
            if self.caches.free(cpu, range).is_ok() {
                return Ok(());
            }
        }
        Err(self.wrong_free(range.first(), range.granules(), Some(range)))
    }

    /// Why nothing was freed. Others may have changed it meanwhile; then it is what it is now.
    #[cold]
    fn wrong_free(&self, iova: u64, granules: u128, freed: Option<IovaRange>) -> FreeError {
        let found = self.space().lock().what_is_wrong_with(iova, Some(granules));
        let error = match found {
            // What is allocated below is live, or it was freed already. Without a set of what is live only the range that
            // was refused is known to have been.
            FreeError::NotFirst { iova, range } | FreeError::WrongSize { iova, range, .. }
                if self.ledger.as_ref().map_or(freed == Some(range), |ledger| !ledger.contains(range)) =>
            {
                FreeError::FreedAlready { iova, range }
            }
            error => error,
        };
        self.wrongly_freed(error)
    }

    #[cold]
    fn wrongly_freed(&self, error: FreeError) -> FreeError {
        self.failures.lock().freed_wrongly(&error);
        events::wrong_free(&error);
        error
    }

    /// So many granules from an iova on, if there are such.
    fn range_of(&self, iova: u64, granules: u64) -> Option<IovaRange> {
        let granule = self.granule();
        let first = granule.pfn_of(iova).get();
        let last = first.checked_add(granules.checked_sub(1)?)?;
        granule.last_of(Pfn::new(last))?;
        let pfns = IndexRange::new(first, last).filter(|_| granule.is_aligned(iova))?;
        Some(IovaRange::of_pfns(pfns, granule))
    }
}
