//! Writing where a gap search finds room.

use lock_api::RawMutex;

use super::WriteGuard;
use crate::alloc::{AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{AllocateError, AllocateErrorKind};
use crate::gap::GapRequest;
use crate::map::words::{keep, take_back};
use crate::map::{Cyclic, Placed};
use crate::node::TracksGaps;
use crate::range::IndexRange;
use crate::raw::InsertFailure;
use crate::reclaim::Reclaim;

impl<T: Entry, R: RawMutex, G: Reclaim, L: TracksGaps, A: NodeAlloc> WriteGuard<'_, T, R, G, L, A> {
    /// As [`MapleTree::allocate`](crate::MapleTree::allocate).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate(&mut self, request: &GapRequest, value: T) -> Result<IndexRange, AllocateError<T>> {
        self.allocate_with(request, value, AllocMode::Normal)
    }

    /// As [`MapleTree::allocate_with`](crate::MapleTree::allocate_with).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate_with(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        match self.find_gap(request) {
            Some(range) => self.insert_free(range, value, mode),
            None => Err(AllocateError { value, kind: AllocateErrorKind::NoGap }),
        }
    }

    /// As [`MapleTree::allocate_cyclic`](crate::MapleTree::allocate_cyclic).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Result<Placed, AllocateError<T>> {
        let Some(placed) = self.find_cyclic(request, cyclic) else {
            return Err(AllocateError { value, kind: AllocateErrorKind::NoGap });
        };
        self.insert_free(placed.range, value, mode)?;
        *cyclic = Cyclic::after(placed.range);
        Ok(placed)
    }

    /// Inserts where a search found room.
    fn insert_free(
        &mut self,
        range: IndexRange,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        let mut writer = self.writer();
        let word = keep(value);
        match writer.insert(range, Some(word), mode) {
            Ok(()) => Ok(range),
            Err(failure) => {
                let kind = match failure {
                    InsertFailure::NoMemory(error) => AllocateErrorKind::NodeMemory(error),
                    InsertFailure::Occupied(_) => AllocateErrorKind::NoGap,
                };
                debug_assert_ne!(kind, AllocateErrorKind::NoGap, "a search found what is not free");
                Err(AllocateError { value: take_back(word), kind })
            }
        }
    }
}
