//! Looking up what is where.

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use super::kind::RangeKind;
use crate::error::PlaceError;
use crate::range::IovaRange;

impl<A: NodeAlloc> Space<A> {
    /// The allocated range, the reserved region, or what lies between two windows, that `iova` (any byte of it) is
    /// in; `None` if it is free or outside of the aperture.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits. Allocates nothing.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, RangeKind, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// space.reserve(0..0x1000, AllocMode::Normal)?;
    /// let range = space.allocate(&Request::new(2))?;
    /// assert_eq!(space.find(range.last()), Some((range, RangeKind::Allocated)));
    /// assert_eq!(space.find(0x10).map(|(_, kind)| kind), Some(RangeKind::Reserved));
    /// assert_eq!(space.find(0x1000), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(&self, iova: u64) -> Option<(IovaRange, RangeKind)> {
        let (pfns, code) = self.ranges.entry(self.granule.pfn_of(iova).get())?;
        Some((self.range(pfns), RangeKind::of(code)))
    }

    /// The longest free run at or below `limit` (an iova, inclusive), the highest if there are several: what the
    /// largest request with that limit and alignment 1 would get. `None` if nothing is free there.
    ///
    /// # Complexity
    ///
    /// One gap search of O(log n) node visits, or up to 65 of them if the limit cuts the longest run. Allocates
    /// nothing.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 40)?;
    /// space.allocate_at(0x8000_0000..0x1_0000_0000, AllocMode::Normal)?;
    /// let longest = |limit| space.longest_free_run(limit).map(|run| run.to_string());
    /// assert_eq!(longest(u64::MAX).as_deref(), Some("0x100000000..=0xffffffffff"));
    /// assert_eq!(longest(0xffff_ffff).as_deref(), Some("0x0..=0x7fffffff"));
    /// assert_eq!(longest(0xffe), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn longest_free_run(&self, limit: u64) -> Option<IovaRange> {
        let last = self.granule.last_whole_pfn(limit)?;
        let window = IndexRange::new(0, last)?;
        self.ranges.longest_gap(window).map(|pfns| self.range(pfns))
    }

    /// The error of a range that cannot be had because of the entry `by`.
    pub(super) fn occupied_by(&self, by: IndexRange) -> PlaceError {
        let kind = self.ranges.tree().get(by.first()).map_or(RangeKind::Allocated, RangeKind::of);
        PlaceError::Occupied { by: self.range(by), kind }
    }
}
