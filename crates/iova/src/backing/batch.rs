//! Ranges on their way back.

use maple_tree::IndexRange;

use super::{BATCH, Backing};
use crate::granule::Granule;
use crate::range::IovaRange;

/// Up to [`BATCH`] ranges that go back to a backing in one call. Lives on the stack.
pub(crate) struct Batch {
    ranges: [IovaRange; BATCH],
    len: usize,
}

impl Batch {
    /// No ranges.
    pub(crate) fn new(granule: Granule) -> Self {
        Self { ranges: [IovaRange::of_pfns(IndexRange::single(0), granule); BATCH], len: 0 }
    }

    /// Adds a range; `false` if there is no room.
    pub(crate) fn push(&mut self, range: IovaRange) -> bool {
        let Some(slot) = self.ranges.get_mut(self.len) else { return false };
        *slot = range;
        self.len += 1;
        true
    }

    /// Gives the ranges back in order of address and is empty then. Returns how many were refused.
    pub(crate) fn give_back(&mut self, backing: &impl Backing) -> u64 {
        let ranges = self.ranges.get_mut(..self.len).unwrap_or_default();
        self.len = 0;
        if ranges.is_empty() {
            return 0;
        }
        ranges.sort_unstable_by_key(|range| range.first());
        backing.free_batch(ranges) as u64
    }
}
