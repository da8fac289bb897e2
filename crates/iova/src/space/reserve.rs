//! Reserving regions that are not handed out.
//!
//! A region may overlap what is reserved already or lie across windows, so pieces are added between what is there.
//! Until all of them are, they have a code of their own: if memory ends they are known by it and erased again, which
//! cannot fail. Then they are joined with one another and with the regions that they overlap or adjoin. That needs
//! no memory, since a store over whole entries takes over the slot of one of them.

use core::ops::{Range, RangeBounds};

use maple_tree::{AllocMode, IndexRange, InsertErrorKind, NodeAlloc};

use super::Space;
use super::kind::{ADDED, ALLOCATED, EXCLUDED, RESERVED};
use crate::error::{BadRequest, OutOfNodeMemory, PlaceError};
use crate::range::touched_pfns;

impl<A: NodeAlloc> Space<A> {
    /// Sees to it that no iova of `range` is handed out until it is [unreserved](Self::unreserve), and returns how many
    /// granules that took.
    ///
    /// The range is in iovas. Granules that it has only in part are reserved whole. What is reserved already or
    /// lies outside of the windows is not handed out anyway and is skipped; so a range that is covered changes
    /// nothing, and the result is 0. Regions that overlap or adjoin become one.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits for each region in the range and each piece between them. Allocates as
    /// [`allocate`](Self::allocate) does, for each piece that does not fill a gap.
    ///
    /// # Errors
    ///
    /// - [`PlaceError::Occupied`]: some of it is allocated; the first allocation in the way is named.
    /// - [`PlaceError::OutOfNodeMemory`]: some of it could not be recorded.
    /// - [`PlaceError::BadRequest`]: it is empty.
    ///
    /// Nothing of it is reserved then that was not before.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// assert_eq!(space.reserve(0xfee0_0000..=0xfeef_ffff, AllocMode::Normal)?, 0x100);
    /// assert_eq!(space.reserve(0xfed0_0000..=0xfeef_ffff, AllocMode::Normal)?, 0x100);
    /// assert_eq!(space.reserve(0xfeda_0800..=0xfeda_0fff, AllocMode::Normal)?, 0);
    /// assert_eq!(space.reserved_regions().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        let result = self.reserve_touched(range, mode);
        match &result {
            Ok(granules) => self.usage.reserved_granules += granules,
            Err(error) => self.counters.failures.placing_failed(error),
        }
        result
    }

    fn reserve_touched(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        let bytes = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        let touched = touched_pfns(bytes, self.granule).ok_or(BadRequest::EmptyRange)?;
        let Some(whole) = touched.intersection(self.bounds()) else { return Ok(0) };
        let allocated = self.ranges.tree_mut().range(whole).find(|(_, code)| *code == ALLOCATED);
        if let Some((by, _)) = allocated {
            return Err(self.occupied_by(by));
        }
        let granules = self.add_pieces(whole, mode)?;
        if granules > 0 {
            self.join_pieces(whole);
        }
        Ok(granules)
    }

    /// Fills all gaps in `whole`, or none; returns how many granules they had.
    fn add_pieces(&mut self, whole: IndexRange, mode: AllocMode) -> Result<u128, OutOfNodeMemory> {
        let mut added = 0;
        let mut next = Some(whole);
        while let Some(rest) = next {
            match self.add_piece(rest, mode) {
                Ok((granules, last)) => {
                    added += granules;
                    next = last.checked_add(1).and_then(|first| IndexRange::new(first, whole.last()));
                }
                Err(piece) => {
                    self.take_out_pieces(whole.first()..piece.first());
                    return Err(OutOfNodeMemory { range: self.range(piece) });
                }
            }
        }
        Ok(added)
    }

    /// Fills the gap at the beginning of `rest`, if there is one. Returns how many granules it has, and the last pfn of
    /// it or of what comes after it; or the gap, for which there is no memory.
    fn add_piece(&mut self, rest: IndexRange, mode: AllocMode) -> Result<(u128, u64), IndexRange> {
        let by = match self.ranges.tree_mut().insert_with(rest, ADDED, mode) {
            Ok(()) => return Ok((rest.count(), rest.last())),
            Err(error) => match error.kind {
                InsertErrorKind::Occupied { by } => by,
                _ => return Err(rest),
            },
        };
        let piece = by.first().checked_sub(1).and_then(|last| IndexRange::new(rest.first(), last));
        let Some(piece) = piece else { return Ok((0, by.last())) };
        self.ranges.tree_mut().insert_with(piece, ADDED, mode).map_err(|_| piece)?;
        Ok((piece.count(), by.last()))
    }

    /// Makes the added pieces in `whole`, all of which is taken, parts of regions.
    fn join_pieces(&mut self, whole: IndexRange) {
        let mut next = Some(whole.first());
        while let Some((entry, code)) = next.and_then(|pfn| self.ranges.tree().get_entry(pfn)) {
            let done = if code == EXCLUDED { entry } else { self.region_around(entry) };
            if code != EXCLUDED {
                let joined = self.ranges.tree_mut().store_with(done, RESERVED, AllocMode::Atomic, |_, _| ());
                debug_assert!(joined.is_ok(), "a whole entry lends its slot");
            }
            next = done.last().checked_add(1).filter(|pfn| *pfn <= whole.last());
        }
    }

    /// A piece together with the regions and pieces that adjoin it.
    fn region_around(&self, piece: IndexRange) -> IndexRange {
        let reserved_at = |pfn| {
            let (entry, code) = self.ranges.tree().get_entry(pfn)?;
            (code == RESERVED || code == ADDED).then_some(entry)
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

    /// Takes the added pieces out of `covered`, all of which is taken.
    fn take_out_pieces(&mut self, covered: Range<u64>) {
        let mut pfn = covered.start;
        while pfn < covered.end {
            let Some((entry, code)) = self.ranges.tree().get_entry(pfn) else { break };
            if code == ADDED {
                self.ranges.tree_mut().erase(pfn);
            }
            // The entry is followed by what failed, so it does not end with the index space.
            pfn = entry.last().saturating_add(1);
        }
    }
}
