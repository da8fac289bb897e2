//! The numbers of all layers.

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::{Domain, Ledger};
use crate::cache::CacheStatistics;
use crate::cpu::CurrentCpu;
use crate::flush::{FlushQueue, FlushStatistics, Invalidate};
use crate::space::{Failures, Statistics};

/// What a domain has and what happened to it; made by [`Domain::statistics`].
///
/// The layers are asked one after the other. What other threads move meanwhile may be counted twice or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DomainStatistics {
    /// The space below: what is allocated there is live, cached or queued. Its counters are of what it was asked for, which
    /// is more than once if space is short, and not at all for what the caches served.
    pub space: Statistics,
    /// The caches, with hits and misses by class.
    pub caches: CacheStatistics,
    /// The flush queue; zeros if there is none.
    pub queue: FlushStatistics,
    /// What failed, as users of the domain were told.
    pub failures: Failures,
    /// The bytes of the set of live ranges; 0 unless frees are checked exactly.
    pub ledger_bytes: usize,
}

impl DomainStatistics {
    /// How many ranges are live.
    #[must_use]
    pub fn live_ranges(&self) -> u64 {
        let freed = self.caches.cached_ranges() + self.queue.queued_ranges;
        self.space.allocated_ranges.saturating_sub(freed)
    }

    /// How many granules are live.
    #[must_use]
    pub fn live_granules(&self) -> u128 {
        let freed = self.cached_granules() + self.queued_granules();
        self.space.allocated_granules.saturating_sub(freed)
    }

    /// How many granules are cached.
    #[must_use]
    pub fn cached_granules(&self) -> u128 {
        self.caches.cached_granules()
    }

    /// How many granules wait for a flush of the IOTLB.
    #[must_use]
    pub fn queued_granules(&self) -> u128 {
        self.queue.queued_granules
    }

    /// All memory: nodes, caches, rings, and the set of live ranges.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.space.node_bytes + self.caches.bytes + self.queue.ring_bytes + self.ledger_bytes
    }
}

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// What there is and what happened. Takes each lock for a moment. Allocates nothing.
    pub fn statistics(&self) -> DomainStatistics {
        DomainStatistics {
            space: self.space().statistics(),
            caches: self.caches.statistics(),
            queue: self.queue.as_ref().map(FlushQueue::statistics).unwrap_or_default(),
            failures: *self.failures.lock(),
            ledger_bytes: self.ledger.as_ref().map_or(0, Ledger::bytes),
        }
    }
}
