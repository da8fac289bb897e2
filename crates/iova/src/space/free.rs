//! Freeing: in place, without memory.

use maple_tree::NodeAlloc;

use super::Space;
use super::kind::RangeKind;
use crate::error::FreeError;
use crate::range::IovaRange;

impl<A: NodeAlloc> Space<A> {
    /// Frees the allocated range whose first iova this is, and returns it.
    ///
    /// Never fails for an allocated range and never allocates. The range can be allocated again at once, joined
    /// with the free space at its sides.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits. May give nodes back.
    ///
    /// # Errors
    ///
    /// [`FreeError`] if no allocated range begins there; nothing is changed, apart from the counter of it.
    ///
    /// ```
    /// use iova::{FreeError, Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, ..)?;
    /// let range = space.allocate(&Request::new(3))?;
    /// assert!(matches!(space.free(range.first() + 1), Err(FreeError::Misaligned { .. })));
    /// assert_eq!(space.free(range.first())?, range);
    /// assert!(matches!(space.free(range.first()), Err(FreeError::NotAllocated { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn free(&mut self, iova: u64) -> Result<IovaRange, FreeError> {
        self.free_checked(iova, None)
    }

    /// Like [`free`](Self::free), if the allocated range has just so many granules: for callers that know the size and
    /// want to hear of it if that is not the allocator's.
    ///
    /// # Complexity
    ///
    /// As for [`free`](Self::free).
    ///
    /// # Errors
    ///
    /// As for [`free`](Self::free), and [`FreeError::WrongSize`].
    ///
    /// ```
    /// use iova::{FreeError, Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, ..)?;
    /// let range = space.allocate(&Request::new(3))?;
    /// let wrong = FreeError::WrongSize { iova: range.first(), granules: 4, range };
    /// assert_eq!(space.free_sized(range.first(), 4), Err(wrong));
    /// assert_eq!(space.free_sized(range.first(), 3)?, range);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free_sized(&mut self, iova: u64, granules: u64) -> Result<IovaRange, FreeError> {
        self.free_checked(iova, Some(granules.into()))
    }

    /// Frees exactly this range, if it is allocated.
    pub(crate) fn free_exactly(&mut self, range: IovaRange) -> Result<IovaRange, FreeError> {
        self.free_checked(range.first(), Some(range.granules()))
    }

    #[inline]
    fn free_checked(&mut self, iova: u64, granules: Option<u128>) -> Result<IovaRange, FreeError> {
        let pfn = self.granule.pfn_of(iova).get();
        let freed = if self.granule.is_aligned(iova) { self.ranges.free(pfn, granules) } else { None };
        let Some(pfns) = freed else { return Err(self.wrong_free(iova, granules)) };
        self.usage.freed(pfns);
        self.counters.freed();
        if self.usage.allocated_ranges == 0 {
            // An empty space has no nodes.
            self.ranges.take_out_vacated();
        }
        Ok(self.range(pfns))
    }

    #[cold]
    fn wrong_free(&mut self, iova: u64, granules: Option<u128>) -> FreeError {
        let error = self.what_is_wrong_with(iova, granules);
        self.counters.failures.freed_wrongly(&error);
        error
    }

    /// Why no allocated range, of so many granules if that is said, begins at an iova.
    pub(crate) fn what_is_wrong_with(&self, iova: u64, granules: Option<u128>) -> FreeError {
        if !self.aperture().contains(iova) {
            return FreeError::OutsideAperture { iova, aperture: self.aperture() };
        }
        if !self.granule.is_aligned(iova) {
            return FreeError::Misaligned { iova, granule: self.granule };
        }
        match (self.find(iova), granules) {
            (None, _) => FreeError::NotAllocated { iova },
            (Some((between, RangeKind::Excluded)), _) => FreeError::BetweenWindows { iova, between },
            (Some((region, RangeKind::Reserved)), _) => FreeError::Reserved { iova, region },
            (Some((range, RangeKind::Allocated)), Some(granules)) if range.first() == iova => {
                FreeError::WrongSize { iova, granules, range }
            }
            // If it began at this iova and no size was said it would have been freed.
            (Some((range, RangeKind::Allocated)), _) => FreeError::NotFirst { iova, range },
        }
    }
}
