//! Freeing: in place, without memory.

use maple_tree::NodeAlloc;

use super::Domain;
use super::code::RangeKind;
use crate::error::FreeError;
use crate::range::IovaRange;

impl<A: NodeAlloc> Domain<A> {
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
    /// use iova::{Domain, FreeError, Granule, Request};
    ///
    /// let mut domain = Domain::new(Granule::FOUR_KIB, ..)?;
    /// let range = domain.allocate(&Request::new(3))?;
    /// assert!(matches!(domain.free(range.first() + 1), Err(FreeError::Misaligned { .. })));
    /// assert_eq!(domain.free(range.first())?, range);
    /// assert!(matches!(domain.free(range.first()), Err(FreeError::NotAllocated { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free(&mut self, iova: u64) -> Result<IovaRange, FreeError> {
        match self.allocated_range(iova) {
            Ok(range) => {
                let erased = self.tree.erase(range.first_pfn().get());
                debug_assert!(erased.is_some(), "it was just found");
                self.usage.allocated_ranges -= 1;
                self.usage.allocated_granules -= range.granules();
                self.counters.freed();
                Ok(range)
            }
            Err(error) => {
                self.counters.free_failed();
                Err(error)
            }
        }
    }

    /// The allocated range whose first iova this is, or what is wrong with it.
    fn allocated_range(&self, iova: u64) -> Result<IovaRange, FreeError> {
        if !self.aperture().contains(iova) {
            return Err(FreeError::OutsideAperture { iova, aperture: self.aperture() });
        }
        if !self.granule.is_aligned(iova) {
            return Err(FreeError::Misaligned { iova, granule: self.granule });
        }
        match self.find(iova) {
            None => Err(FreeError::NotAllocated { iova }),
            Some((region, RangeKind::Reserved)) => Err(FreeError::Reserved { iova, region }),
            Some((range, RangeKind::Allocated)) if range.first() != iova => {
                Err(FreeError::NotFirst { iova, range })
            }
            Some((range, RangeKind::Allocated)) => Ok(range),
        }
    }
}
