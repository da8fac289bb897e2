//! What a replay came to, as numbers.

use iova::{NodeAlloc, Space};
use maple_faults::Counts;
use serde::Serialize;

/// What the replay of one capture came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Operations replayed.
    pub(crate) operations: u64,
    pub(crate) allocations: u64,
    pub(crate) frees: u64,
    /// Allocations that failed for lack of address space, of node memory, or because of the request.
    pub(crate) no_address_space: u64,
    pub(crate) no_node_memory: u64,
    pub(crate) bad_requests: u64,
    /// Allocations that overlap a live range, pass their limit, or have the wrong size or alignment.
    pub(crate) misplaced: u64,
    pub(crate) failed_frees: u64,
    /// Frees of ranges whose allocation had failed in the replay.
    pub(crate) skipped_frees: u64,
    /// Requests that failed in the kernel. They are replayed and, since nobody frees them, freed at once.
    pub(crate) failed_in_kernel: u64,
    /// Of these, how many succeeded here.
    pub(crate) failed_in_kernel_only: u64,
    /// Node allocations made while a range was freed.
    pub(crate) erase_allocations: u64,
    pub(crate) nodes: Counts,
    /// The most ranges live at once, in all domains together.
    pub(crate) peak_live_ranges: u64,
    pub(crate) domains: Vec<DomainOutcome>,
}

impl Outcome {
    pub(super) fn count_allocation(&mut self) {
        self.allocations += 1;
        let live = self.allocations - self.frees - self.failed_frees;
        self.peak_live_ranges = self.peak_live_ranges.max(live);
    }
}

/// What became of one domain. Sizes are in granules of 4 KiB.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DomainOutcome {
    pub(crate) name: String,
    pub(crate) live_ranges: u64,
    pub(crate) live_granules: u128,
    pub(crate) peak_live_ranges: u64,
    pub(crate) peak_live_granules: u128,
    /// When it held the most granules in the capture; here it may have had fewer then, if allocations failed.
    pub(crate) at_peak: Occupancy,
    pub(crate) at_end: Occupancy,
    /// Granules that are neither free nor owned by a live range; negative if some are owned and free.
    pub(crate) leaked_granules: i128,
    /// Why the tree is not valid, if it is not.
    pub(crate) violation: Option<String>,
    pub(crate) node_bytes: u64,
    /// The most after any operation.
    pub(crate) peak_node_bytes: u64,
}

/// How much of the address space is in use, and how well.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Occupancy {
    /// From the lowest to the highest address in use.
    pub(crate) span_granules: u128,
    /// Free granules between these two.
    pub(crate) hole_granules: u128,
    /// The longest free run in the whole domain.
    pub(crate) longest_free_granules: u128,
    /// Free space outside of the longest free run, in thousandths of all free space.
    pub(crate) fragmentation_permille: u32,
}

impl Occupancy {
    pub(super) fn of<A: NodeAlloc>(space: &Space<A>) -> Self {
        let statistics = space.statistics();
        let mut ranges = space.allocations();
        let lowest = ranges.next();
        let highest = ranges.next_back().or(lowest);
        let span = lowest.zip(highest).map_or(0, |(lowest, highest)| {
            u128::from(highest.last_pfn().get()) - u128::from(lowest.first_pfn().get()) + 1
        });
        Self {
            span_granules: span,
            hole_granules: span.saturating_sub(statistics.allocated_granules),
            longest_free_granules: statistics.longest_free_granules,
            fragmentation_permille: statistics.fragmentation_permille(),
        }
    }
}
