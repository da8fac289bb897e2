//! Looking up what is where.

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use super::code::RangeKind;
use crate::error::PlaceError;
use crate::range::IovaRange;

impl<A: NodeAlloc> Space<A> {
    /// The allocated range or the reserved region that `iova` (any byte of it) lies in; `None` if it is free or
    /// outside of the aperture.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits; in a reserved region, that for each of the pieces it was made of.
    ///
    /// ```
    /// use iova::{AllocMode, Space, Granule, RangeKind, Request};
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
        let (pfns, code) = self.tree.get_entry(self.granule.pfn_of(iova).get())?;
        Some(self.describe(pfns, RangeKind::of(code)))
    }

    /// The error of a range that cannot be had because of the entry `by`.
    pub(super) fn occupied_by(&self, by: IndexRange) -> PlaceError {
        let kind = self.tree.get(by.first()).map_or(RangeKind::Allocated, RangeKind::of);
        let (by, kind) = self.describe(by, kind);
        PlaceError::Occupied { by, kind }
    }

    /// The whole range that an entry is part of.
    pub(super) fn describe(&self, entry: IndexRange, kind: RangeKind) -> (IovaRange, RangeKind) {
        let pfns = match kind {
            RangeKind::Allocated => entry,
            RangeKind::Reserved => self.region_around(entry),
        };
        (self.range(pfns), kind)
    }

    /// A reserved piece together with the reserved pieces that adjoin it.
    fn region_around(&self, piece: IndexRange) -> IndexRange {
        let reserved_at = |pfn| {
            let (entry, code) = self.tree.get_entry(pfn)?;
            (RangeKind::of(code) == RangeKind::Reserved).then_some(entry)
        };
        let (mut first, mut last) = (piece.first(), piece.last());
        while let Some(before) = first.checked_sub(1).and_then(reserved_at) {
            first = before.first();
        }
        while let Some(after) = last.checked_add(1).and_then(reserved_at) {
            last = after.last();
        }
        IndexRange::new(first, last).unwrap_or(piece)
    }
}
