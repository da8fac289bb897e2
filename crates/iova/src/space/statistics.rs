//! What a space has, and what happened to it.

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use crate::error::{AllocateError, FreeError, PlaceError};

/// What the tree holds, kept up to date by each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) allocated_ranges: u64,
    pub(super) allocated_granules: u128,
    pub(super) reserved_granules: u128,
    /// What lies between windows. It never changes.
    pub(super) excluded_granules: u128,
}

impl Usage {
    #[inline]
    pub(super) fn allocated(&mut self, pfns: IndexRange) {
        self.allocated_ranges += 1;
        self.allocated_granules += pfns.count();
    }

    #[inline]
    pub(super) fn freed(&mut self, pfns: IndexRange) {
        self.allocated_ranges -= 1;
        self.allocated_granules -= pfns.count();
    }

    pub(super) fn free_granules(&self, aperture: IndexRange) -> u128 {
        aperture.count() - self.allocated_granules - self.reserved_granules - self.excluded_granules
    }
}

/// What a space has at one moment; made by [`Space::statistics`].
///
/// Allocated, reserved, excluded and free granules together are the aperture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many ranges are allocated.
    pub allocated_ranges: u64,
    /// How many granules they have.
    pub allocated_granules: u128,
    /// How many granules of the aperture are reserved.
    pub reserved_granules: u128,
    /// How many granules lie between windows.
    pub excluded_granules: u128,
    /// How many granules are free.
    pub free_granules: u128,
    /// How many granules the longest free run has; [`Space::longest_free_run`] has it for any limit.
    pub longest_free_granules: u128,
    /// How many nodes the tree has.
    pub nodes: usize,
    /// How many bytes they take.
    pub node_bytes: usize,
    /// What happened since the space was made.
    pub counters: Counters,
}

impl Statistics {
    /// How fragmented the free space is, in thousandths: `1 - longest free run / free`, rounded down.
    ///
    /// 0 if all free space is in one run, or none is left; towards 1000 as it falls into many small ones. An
    /// integer, as kernels have no floating point.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x9000)?;
    /// assert_eq!(space.statistics().fragmentation_permille(), 0);
    /// space.allocate_at(0x6000..0x7000, AllocMode::Normal)?; // 6 free below, 2 above
    /// assert_eq!(space.statistics().fragmentation_permille(), 250);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fragmentation_permille(&self) -> u32 {
        let elsewhere = self.free_granules.saturating_sub(self.longest_free_granules);
        // At most 1000, and 2^64 * 1000 is far from the end of a u128.
        elsewhere.saturating_mul(1000).checked_div(self.free_granules).unwrap_or(0) as u32
    }
}

/// How often what happened, since the space was made. They wrap around at 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Allocations that succeeded, at a fixed place or not.
    pub allocations: u64,
    /// Those of them that found nothing below their preferred limit, and took what lies above.
    pub fallbacks: u64,
    /// Ranges freed.
    pub frees: u64,
    /// What failed.
    pub failures: Failures,
}

/// How often what failed, by cause. They wrap around at 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failures {
    /// Allocations that failed because no such range existed.
    pub out_of_address_space: u64,
    /// Allocations at a fixed place and reservations that failed because it was occupied.
    pub occupied: u64,
    /// Allocations and reservations, made or taken away, that failed for lack of node memory.
    pub out_of_node_memory: u64,
    /// Allocations and reservations, made or taken away, that made no sense.
    pub bad_requests: u64,
    /// Frees that failed.
    pub wrong_frees: WrongFrees,
}

/// How often a free failed, and why: one number for each [`FreeError`]. They wrap around at 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongFrees {
    /// The iova was outside of the aperture.
    pub outside_aperture: u64,
    /// It was between two windows.
    pub between_windows: u64,
    /// It was not the first of a granule.
    pub misaligned: u64,
    /// It was free: a double free.
    pub not_allocated: u64,
    /// It was cached or queued: a double free of a [`Domain`](crate::Domain).
    pub freed_already: u64,
    /// It had an attachment, and the domain has no flush queue.
    pub no_flush_queue: u64,
    /// It was in an allocated range, but not its first.
    pub not_first: u64,
    /// The range has another size.
    pub wrong_size: u64,
    /// It was in a reserved region.
    pub reserved: u64,
}

impl WrongFrees {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self {
            outside_aperture,
            between_windows,
            misaligned,
            not_allocated,
            freed_already,
            no_flush_queue,
            not_first,
            wrong_size,
            reserved,
        } = *self;
        let causes = [
            outside_aperture,
            between_windows,
            misaligned,
            not_allocated,
            freed_already,
            no_flush_queue,
            not_first,
            wrong_size,
            reserved,
        ];
        causes.into_iter().fold(0, u64::wrapping_add)
    }
}

impl Counters {
    pub(super) fn allocated(&mut self, fallback: bool) {
        count(&mut self.allocations);
        if fallback {
            count(&mut self.fallbacks);
        }
    }

    pub(super) fn freed(&mut self) {
        count(&mut self.frees);
    }
}

impl Failures {
    pub(crate) fn freed_wrongly(&mut self, error: &FreeError) {
        let wrong = &mut self.wrong_frees;
        count(match error {
            FreeError::OutsideAperture { .. } => &mut wrong.outside_aperture,
            FreeError::BetweenWindows { .. } => &mut wrong.between_windows,
            FreeError::Misaligned { .. } => &mut wrong.misaligned,
            FreeError::NotAllocated { .. } => &mut wrong.not_allocated,
            FreeError::FreedAlready { .. } => &mut wrong.freed_already,
            FreeError::NoFlushQueue { .. } => &mut wrong.no_flush_queue,
            FreeError::NotFirst { .. } => &mut wrong.not_first,
            FreeError::WrongSize { .. } => &mut wrong.wrong_size,
            FreeError::Reserved { .. } => &mut wrong.reserved,
        });
    }

    pub(crate) fn allocation_failed(&mut self, error: &AllocateError) {
        count(match error {
            AllocateError::OutOfAddressSpace(_) => &mut self.out_of_address_space,
            AllocateError::OutOfNodeMemory(_) => &mut self.out_of_node_memory,
            AllocateError::BadRequest(_) => &mut self.bad_requests,
        });
    }

    pub(crate) fn placing_failed(&mut self, error: &PlaceError) {
        count(match error {
            PlaceError::Occupied { .. } => &mut self.occupied,
            PlaceError::OutOfNodeMemory(_) => &mut self.out_of_node_memory,
            PlaceError::BadRequest(_) => &mut self.bad_requests,
        });
    }
}

fn count(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

impl<A: NodeAlloc> Space<A> {
    /// What the space has and what happened to it. Allocates nothing.
    ///
    /// # Complexity
    ///
    /// All numbers are kept up to date and cost nothing, but for the longest free run, which takes one gap search
    /// of O(log n) node visits.
    ///
    /// ```
    /// use iova::{Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// space.allocate(&Request::new(4))?;
    /// let statistics = space.statistics();
    /// assert_eq!((statistics.allocated_ranges, statistics.allocated_granules), (1, 4));
    /// assert_eq!((statistics.free_granules, statistics.nodes), (12, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn statistics(&self) -> Statistics {
        let longest = self.ranges.longest_gap(self.bounds());
        let nodes = self.ranges.tree().stats();
        Statistics {
            allocated_ranges: self.usage.allocated_ranges,
            allocated_granules: self.usage.allocated_granules,
            reserved_granules: self.usage.reserved_granules,
            excluded_granules: self.usage.excluded_granules,
            free_granules: self.free_granules(),
            longest_free_granules: longest.map_or(0, IndexRange::count),
            nodes: nodes.leaves + nodes.branches,
            node_bytes: nodes.node_bytes,
            counters: self.counters,
        }
    }
}
