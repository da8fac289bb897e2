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
    /// If something is in the way that may be cached or queued, all of that is given back first, once.
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
        let placed = self.place(range, place).and_then(|range| Ok(self.note(self.cpu.current(), range)?));
        self.noted(placed)
    }

    /// Sees to it that no iova of `range` is handed out until it is [unreserved](Self::unreserve), and returns how many
    /// granules that took: as [`Space::reserve`](crate::Space::reserve).
    ///
    /// If something is in the way that may be cached or queued, all of that is given back first, once.
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

    /// Tries to place a range, and again with nothing cached or queued if it was an allocation that was in the way.
    fn place<T>(
        &self,
        range: impl RangeBounds<u64>,
        place: impl Fn(&LockedSpace<R, A>, IndexRange) -> Result<T, PlaceError>,
    ) -> Result<T, PlaceError> {
        let range = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        match place(self.space(), range) {
            Err(PlaceError::Occupied { kind: RangeKind::Allocated, .. }) => {
                self.flush();
                place(self.space(), range)
            }
            result => result,
        }
    }

    fn noted<T>(&self, result: Result<T, PlaceError>) -> Result<T, PlaceError> {
        if let Err(error) = &result {
            self.failures.lock().placing_failed(error);
            events::placing_failed(error);
        }
        result
    }
}
