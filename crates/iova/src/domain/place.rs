//! Ranges of the caller's choice: allocating them, and taking them out of what is handed out.

use core::ops::RangeBounds;

use lock_api::RawMutex;
use maple_tree::{AllocMode, IndexRange, NodeAlloc};

use super::Domain;
use crate::cpu::CurrentCpu;
use crate::error::{BadRequest, PlaceError};
use crate::events;
use crate::flush::Invalidate;
use crate::locked::LockedSpace;
use crate::range::IovaRange;
use crate::space::RangeKind;

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// Allocates a range of the caller's choice: whole granules, given in iovas.
    ///
    /// If what is in the way may be cached or queued, what is so there is given back first, once. It is known to be live if
    /// frees are checked exactly; then nothing is given back.
    ///
    /// # Errors
    ///
    /// As [`Space::allocate_at`](crate::Space::allocate_at). What other threads move meanwhile may be in the way.
    pub fn allocate_at(
        &self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<IovaRange, PlaceError> {
        let place = |space: &LockedSpace<R, A>, range| space.allocate_at(range, mode);
        let placed = self.place(range, place).and_then(|range| {
            if self.note(self.cpu.current(), range)? {
                return Ok(range);
            }
            Err(PlaceError::Occupied { by: range, kind: RangeKind::Allocated })
        });
        self.noted(placed)
    }

    /// Sees to it that no iova of `range` is handed out until it is [unreserved](Self::unreserve), and returns how many
    /// granules that took: as [`Space::reserve`](crate::Space::reserve).
    ///
    /// If what is in the way may be cached or queued, what is so there is given back first, once. It is known to be live if
    /// frees are checked exactly; then nothing is given back.
    ///
    /// # Errors
    ///
    /// As there. What other threads move meanwhile may be in the way.
    pub fn reserve(&self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        self.noted(self.place(range, |space, range| space.reserve(range, mode)))
    }

    /// Takes the reservation away from all of `range`, and returns how many granules became free: as
    /// [`Space::unreserve`](crate::Space::unreserve).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unreserve(&self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        self.noted(self.space().unreserve(range, mode))
    }

    /// Tries to place a range, and again with nothing cached or queued there if it was an allocation that was in the way,
    /// unless that is known to be live.
    fn place<T>(
        &self,
        range: impl RangeBounds<u64>,
        place: impl Fn(&LockedSpace<R, A>, IndexRange) -> Result<T, PlaceError>,
    ) -> Result<T, PlaceError> {
        let range = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        match place(self.space(), range) {
            Err(PlaceError::Occupied { by, kind: RangeKind::Allocated })
                if !self.ledger.as_ref().is_some_and(|ledger| ledger.contains(by)) =>
            {
                self.flush_touching(range);
                place(self.space(), range)
            }
            result => result,
        }
    }

    /// Gives back what is queued or cached and touches these iovas.
    fn flush_touching(&self, iovas: IndexRange) {
        let (first, last) = (iovas.first(), iovas.last());
        if self.is_queued(|range| range.first() <= last && range.last() >= first) {
            self.flush_queue(self.cpu.current());
        }
        self.caches.flush_touching(first, last);
    }

    fn noted<T>(&self, result: Result<T, PlaceError>) -> Result<T, PlaceError> {
        if let Err(error) = &result {
            self.failures.lock().placing_failed(error);
            events::placing_failed(error);
        }
        result
    }
}
