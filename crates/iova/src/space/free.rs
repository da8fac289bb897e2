//! Freeing: in place, without memory.

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use super::code::{Code, RangeKind};
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
    /// use iova::{Space, FreeError, Granule, Request};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, ..)?;
    /// let range = space.allocate(&Request::new(3))?;
    /// assert!(matches!(space.free(range.first() + 1), Err(FreeError::Misaligned { .. })));
    /// assert_eq!(space.free(range.first())?, range);
    /// assert!(matches!(space.free(range.first()), Err(FreeError::NotAllocated { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free(&mut self, iova: u64) -> Result<IovaRange, FreeError> {
        let Some(pfns) = self.erase_allocated(iova) else {
            self.counters.free_failed();
            return Err(self.what_is_wrong_with(iova));
        };
        let range = self.range(pfns);
        self.usage.allocated_ranges -= 1;
        self.usage.allocated_granules -= range.granules();
        self.counters.freed();
        Ok(range)
    }

    /// Takes the allocated range whose first iova this is out of the tree.
    fn erase_allocated(&mut self, iova: u64) -> Option<IndexRange> {
        if !self.granule.is_aligned(iova) {
            return None;
        }
        let pfn = self.granule.pfn_of(iova).get();
        let is_it = |pfns: IndexRange, code: &Code| {
            pfns.first() == pfn && RangeKind::of(*code) == RangeKind::Allocated
        };
        self.tree.erase_if(pfn, is_it).map(|(pfns, _)| pfns)
    }

    /// Why no allocated range begins at an iova.
    fn what_is_wrong_with(&self, iova: u64) -> FreeError {
        if !self.aperture().contains(iova) {
            return FreeError::OutsideAperture { iova, aperture: self.aperture() };
        }
        if !self.granule.is_aligned(iova) {
            return FreeError::Misaligned { iova, granule: self.granule };
        }
        match self.find(iova) {
            None => FreeError::NotAllocated { iova },
            Some((region, RangeKind::Reserved)) => FreeError::Reserved { iova, region },
            // It does not begin at this iova, else it would have been freed.
            Some((range, RangeKind::Allocated)) => FreeError::NotFirst { iova, range },
        }
    }
}
