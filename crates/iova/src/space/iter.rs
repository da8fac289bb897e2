//! Going over what is allocated and what is reserved.

use core::fmt;
use core::iter::FusedIterator;

use maple_tree::{Gaps, IndexRange, Iter, NodeAlloc};

use super::Space;
use super::kind::{Code, RangeKind};
use crate::granule::Granule;
use crate::range::IovaRange;

impl<A: NodeAlloc> Space<A> {
    /// The allocated ranges in order of address, from either end. O(n) in all. Allocates nothing.
    ///
    /// ```
    /// use iova::{Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// let one = space.allocate(&Request::new(1))?;
    /// let two = space.allocate(&Request::new(2))?;
    /// assert!(space.allocations().eq([two, one]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocations(&self) -> Allocations<'_, A> {
        let (entries, vacated) = (self.ranges.tree().iter(), self.ranges.vacated());
        Allocations { entries, vacated, granule: self.granule }
    }

    /// The reserved regions in order of address, from either end; adjacent reservations are one region. O(n) in all.
    /// Allocates nothing.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// space.reserve(0..0x2000, AllocMode::Normal)?;
    /// space.reserve(0x2000..0x3000, AllocMode::Normal)?;
    /// let regions: Vec<_> = space.reserved_regions().map(|region| region.to_string()).collect();
    /// assert_eq!(regions, ["0x0..=0x2fff"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserved_regions(&self) -> ReservedRegions<'_, A> {
        ReservedRegions { entries: self.ranges.tree().iter(), granule: self.granule }
    }
}

/// The allocated ranges of a space in order; made by [`Space::allocations`].
pub struct Allocations<'a, A: NodeAlloc> {
    entries: Iter<'a, Code, Gaps, A>,
    /// What is in the tree as an allocation but is free.
    vacated: Option<IndexRange>,
    granule: Granule,
}

impl<A: NodeAlloc> Iterator for Allocations<'_, A> {
    type Item = IovaRange;

    fn next(&mut self) -> Option<IovaRange> {
        let allocated = self.entries.by_ref().filter_map(of_kind(RangeKind::Allocated));
        let pfns = { allocated }.find(|pfns| self.vacated != Some(*pfns))?;
        Some(IovaRange::of_pfns(pfns, self.granule))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.entries.len()))
    }
}

impl<A: NodeAlloc> DoubleEndedIterator for Allocations<'_, A> {
    fn next_back(&mut self) -> Option<IovaRange> {
        let allocated = self.entries.by_ref().rev().filter_map(of_kind(RangeKind::Allocated));
        let pfns = { allocated }.find(|pfns| self.vacated != Some(*pfns))?;
        Some(IovaRange::of_pfns(pfns, self.granule))
    }
}

impl<A: NodeAlloc> FusedIterator for Allocations<'_, A> {}

impl<A: NodeAlloc> fmt::Debug for Allocations<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allocations").finish_non_exhaustive()
    }
}

/// The reserved regions of a space in order; made by [`Space::reserved_regions`].
pub struct ReservedRegions<'a, A: NodeAlloc> {
    entries: Iter<'a, Code, Gaps, A>,
    granule: Granule,
}

impl<A: NodeAlloc> Iterator for ReservedRegions<'_, A> {
    type Item = IovaRange;

    fn next(&mut self) -> Option<IovaRange> {
        let pfns = self.entries.find_map(of_kind(RangeKind::Reserved))?;
        Some(IovaRange::of_pfns(pfns, self.granule))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.entries.len()))
    }
}

impl<A: NodeAlloc> DoubleEndedIterator for ReservedRegions<'_, A> {
    fn next_back(&mut self) -> Option<IovaRange> {
        let pfns = self.entries.by_ref().rev().find_map(of_kind(RangeKind::Reserved))?;
        Some(IovaRange::of_pfns(pfns, self.granule))
    }
}

impl<A: NodeAlloc> FusedIterator for ReservedRegions<'_, A> {}

impl<A: NodeAlloc> fmt::Debug for ReservedRegions<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReservedRegions").finish_non_exhaustive()
    }
}

/// Picks the entries of one kind.
fn of_kind(kind: RangeKind) -> impl FnMut((IndexRange, Code)) -> Option<IndexRange> {
    move |(pfns, code)| (RangeKind::of(code) == kind).then_some(pfns)
}
