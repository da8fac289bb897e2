//! Reserving regions that are never handed out.
//!
//! A region may overlap what is reserved already, so only the pieces between are added. The tree finds them: an
//! insertion over everything that is left names the first entry in the way, and the piece before that is free.
//!
//! If there is an allocation in the way or memory ends after some pieces, these are erased again, which cannot
//! fail. They are known by their code, which no other entry has: it is the number of reserved pieces before, and
//! as pieces are never taken out again (but by undoing a reservation, in full) that number grows with each
//! reservation that adds one. So no list of what to undo is needed, for which there might be no memory either.

use core::ops::{Range, RangeBounds};

use maple_tree::{AllocMode, IndexRange, InsertErrorKind, NodeAlloc};

use super::code::{Code, RangeKind};
use super::{Space, Usage};
use crate::error::{BadRequest, OutOfNodeMemory, PlaceError};
use crate::range::touched_pfns;

impl<A: NodeAlloc> Space<A> {
    /// Sees to it that no iova of `range` is ever handed out, and returns how many granules that took.
    ///
    /// The range is in iovas. Granules that it has only in part are reserved whole. What is reserved already or
    /// lies outside of the aperture is not handed out anyway and is skipped; so a range that is covered changes
    /// nothing, and the result is 0.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits for each piece of the range that is reserved already and each that is not. Allocates
    /// as [`allocate`](Self::allocate) does, for each piece that is not.
    ///
    /// # Errors
    ///
    /// - [`PlaceError::Occupied`]: some of it is allocated; the first allocation in the way is named.
    /// - [`PlaceError::OutOfNodeMemory`]: some of it could not be recorded.
    /// - [`PlaceError::BadRequest`]: it is empty.
    ///
    /// Nothing of it is reserved then that was not before. If both an allocation is in the way and memory is short,
    /// it is either error.
    ///
    /// ```
    /// use iova::{AllocMode, Space, Granule};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// assert_eq!(space.reserve(0xfee0_0000..=0xfeef_ffff, AllocMode::Normal)?, 0x100);
    /// assert_eq!(space.reserve(0xfed0_0000..=0xfeef_ffff, AllocMode::Normal)?, 0x100);
    /// assert_eq!(space.reserve(0xfeda_0800..=0xfeda_0fff, AllocMode::Normal)?, 0);
    /// assert_eq!(space.reserved_regions().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        let before = self.usage.reserved_granules;
        let result = self.reserve_pieces(range, mode);
        if let Err(error) = &result {
            self.counters.placing_failed(error);
        }
        result.map(|()| self.usage.reserved_granules - before)
    }

    fn reserve_pieces(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<(), PlaceError> {
        let bytes = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        let touched = touched_pfns(bytes, self.granule).ok_or(BadRequest::EmptyRange)?;
        let Some(whole) = touched.intersection(self.tree.bounds()) else { return Ok(()) };
        let before = self.usage;
        let code = before.next_reserved_code();
        let mut next = Some(whole);
        while let Some(rest) = next {
            next = match self.reserve_some(rest, code, mode) {
                Ok(last) => last.checked_add(1).and_then(|first| IndexRange::new(first, whole.last())),
                Err(error) => {
                    self.undo(whole.first()..rest.first(), code, before);
                    return Err(error);
                }
            };
        }
        Ok(())
    }

    /// Sees to it that a first part of `rest` is reserved; returns its last pfn.
    fn reserve_some(&mut self, rest: IndexRange, code: Code, mode: AllocMode) -> Result<u64, PlaceError> {
        let Some(by) = self.reserve_piece(rest, code, mode)? else { return Ok(rest.last()) };
        if self.tree.get(by.first()).map(RangeKind::of) != Some(RangeKind::Reserved) {
            return Err(self.occupied_by(by));
        }
        let piece = by.first().checked_sub(1).and_then(|last| IndexRange::new(rest.first(), last));
        if let Some(piece) = piece {
            let in_the_way = self.reserve_piece(piece, code, mode)?;
            debug_assert_eq!(in_the_way, None, "the first entry in the way comes after");
        }
        Ok(by.last())
    }

    /// Reserves `piece`, or returns the first entry that is in the way.
    fn reserve_piece(
        &mut self,
        piece: IndexRange,
        code: Code,
        mode: AllocMode,
    ) -> Result<Option<IndexRange>, OutOfNodeMemory> {
        match self.tree.insert_with(piece, code, mode) {
            Ok(()) => {
                self.usage.reserved_pieces += 1;
                self.usage.reserved_granules += piece.count();
                Ok(None)
            }
            Err(error) => match error.kind {
                InsertErrorKind::Occupied { by } => Ok(Some(by)),
                _ => Err(OutOfNodeMemory { range: self.range(piece) }),
            },
        }
    }

    /// Takes out the pieces with this code. All of `covered` is reserved, by them or by others.
    fn undo(&mut self, covered: Range<u64>, code: Code, before: Usage) {
        let mut pfn = covered.start;
        while pfn < covered.end {
            let Some((entry, found)) = self.tree.get_entry(pfn) else { break };
            if found == code {
                self.tree.erase(pfn);
            }
            // The entry is followed by what failed, so it does not end with the index space.
            pfn = entry.last().saturating_add(1);
        }
        self.usage = before;
    }
}
