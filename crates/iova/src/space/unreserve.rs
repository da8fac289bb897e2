//! Taking reserved regions away again, whole or in part.
//!
//! Whole regions are erased, and that cannot fail. So what may need memory comes first: a region that reaches into
//! the range from one side, or one from each. If there is none for the second, the first gets back what it lost; that
//! needs none, since what is left of it lends its slot.

use core::ops::RangeBounds;

use maple_tree::{AllocMode, IndexRange, NodeAlloc};

use super::Space;
use super::kind::RESERVED;
use crate::error::{BadRequest, OutOfNodeMemory, PlaceError};
use crate::range::touched_pfns;

impl<A: NodeAlloc> Space<A> {
    /// Takes the reservation away from all of `range`, and returns how many granules became free.
    ///
    /// The range is in iovas. Granules that it has only in part are taken whole, as [`reserve`](Self::reserve) does, so
    /// that the same range undoes that. What is not reserved, or lies outside of the windows, is skipped.
    /// A region that sticks out keeps what lies outside; one that sticks out on both sides becomes two.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits for each region and each allocation in the range. Needs no memory and cannot fail for want
    /// of it if no region sticks out, and mostly not if it has a gap beside it; else it allocates as
    /// [`allocate`](Self::allocate) does, for each end of the range at most once.
    ///
    /// # Errors
    ///
    /// - [`PlaceError::OutOfNodeMemory`]: a region that sticks out could not be cut; the part that was to become free
    ///   is named. All is reserved that was.
    /// - [`PlaceError::BadRequest`]: the range is empty.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// space.reserve(0x1000_0000..0x2000_0000, AllocMode::Normal)?;
    /// assert_eq!(space.unreserve(0x1800_0000..0x1900_0000, AllocMode::Normal)?, 0x1000);
    /// let regions: Vec<_> = space.reserved_regions().map(|region| region.to_string()).collect();
    /// assert_eq!(regions, ["0x10000000..=0x17ffffff", "0x19000000..=0x1fffffff"]);
    /// assert_eq!(space.unreserve(.., AllocMode::Normal)?, 0xf000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unreserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        let result = self.unreserve_touched(range, mode);
        match &result {
            Ok(granules) => self.usage.reserved_granules -= granules,
            Err(error) => self.counters.failures.placing_failed(error),
        }
        result
    }

    fn unreserve_touched(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<u128, PlaceError> {
        let bytes = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        let touched = touched_pfns(bytes, self.granule).ok_or(BadRequest::EmptyRange)?;
        let Some(whole) = touched.intersection(self.bounds()) else { return Ok(0) };

        let left = self.region_sticking_out(whole.first(), whole);
        let mut freed = left.map_or(Ok(0), |region| self.cut(region, whole, mode))?;
        // If that was one region with `left` it does not reach so far any more.
        let right = self.region_sticking_out(whole.last(), whole);
        match right.map_or(Ok(0), |region| self.cut(region, whole, mode)) {
            Ok(granules) => freed += granules,
            Err(error) => {
                if let Some(region) = left {
                    let restored =
                        self.ranges.tree_mut().store_with(region, RESERVED, AllocMode::Atomic, |_, _| ());
                    debug_assert!(restored.is_ok(), "what is left of it lends its slot");
                }
                return Err(error.into());
            }
        }
        Ok(freed + self.erase_regions(whole))
    }

    /// The region at `pfn`, unless it lies wholly in `whole`.
    fn region_sticking_out(&self, pfn: u64, whole: IndexRange) -> Option<IndexRange> {
        let (region, code) = self.ranges.tree().get_entry(pfn)?;
        (code == RESERVED && !whole.contains_range(region)).then_some(region)
    }

    /// Frees the part of a region that lies in `whole`; returns how many granules it has.
    fn cut(
        &mut self,
        region: IndexRange,
        whole: IndexRange,
        mode: AllocMode,
    ) -> Result<u128, OutOfNodeMemory> {
        let Some(part) = region.intersection(whole) else { return Ok(0) };
        match self.ranges.tree_mut().clear_range_with(part, mode, |_, _| ()) {
            Ok(()) => Ok(part.count()),
            Err(_) => Err(OutOfNodeMemory { range: self.range(part) }),
        }
    }

    /// Frees the regions in `whole`, all of which lie wholly in it; returns how many granules they had.
    fn erase_regions(&mut self, whole: IndexRange) -> u128 {
        let mut freed = 0;
        let mut rest = Some(whole);
        while let Some((entry, code)) = rest.and_then(|rest| self.ranges.tree().range(rest).next()) {
            if code == RESERVED {
                self.ranges.tree_mut().erase(entry.first());
                freed += entry.count();
            }
            rest = entry.last().checked_add(1).and_then(|first| IndexRange::new(first, whole.last()));
        }
        freed
    }
}
