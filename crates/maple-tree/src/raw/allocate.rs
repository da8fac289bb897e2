//! Allocating: a gap search, and an insertion that takes the way that the search has found.

use super::path::Path;
use super::{InsertFailure, RawTree};
use crate::alloc::{AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::gap::GapRequest;
use crate::node::TracksGaps;
use crate::range::IndexRange;

impl<L: TracksGaps, A: NodeAlloc> RawTree<L, A> {
    /// Stores `word` over the highest or lowest free range that satisfies a request, and returns that; nothing if there is
    /// none.
    pub(crate) fn allocate(
        &mut self,
        request: &GapRequest,
        word: Held,
        mode: AllocMode,
    ) -> Result<Option<IndexRange>, InsertFailure> {
        let mut path = Path::root();
        let Some(fit) = self.find_gap_noting(request, &mut path) else { return Ok(None) };
        // A range that lies in several slots, or in one of a branch, never goes in directly.
        let done = fit.slot.and_then(|slot| self.insert_along(&path, slot, fit.range, Some(word)));
        if done.is_none() {
            self.insert_planned(fit.range, Some(word), mode)?;
        }
        Ok(Some(fit.range))
    }
}
