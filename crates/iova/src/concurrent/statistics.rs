//! The numbers of all layers.

use lock_api::RawMutex;

use super::{ConcurrentDomain, Ledger};
use crate::backing::Backing;
use crate::cache::CacheStatistics;
use crate::cpu::CurrentCpu;
use crate::flush::{FlushQueue, FlushStatistics, Invalidate};

/// What a domain holds beyond what its backing knows; made by [`ConcurrentDomain::statistics`].
///
/// What the backing says is allocated is live, cached or queued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConcurrentStatistics {
    /// The caches.
    pub caches: CacheStatistics,
    /// The flush queue; zeros if there is none.
    pub queue: FlushStatistics,
    /// The bytes of the set of live ranges; 0 unless frees are checked exactly.
    pub ledger_bytes: usize,
}

impl<R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> ConcurrentDomain<R, B, C, I> {
    /// What there is and what happened. Takes each lock for a moment; allocates nothing.
    pub fn statistics(&self) -> ConcurrentStatistics {
        ConcurrentStatistics {
            caches: self.caches.statistics(),
            queue: self.queue.as_ref().map(FlushQueue::statistics).unwrap_or_default(),
            ledger_bytes: self.ledger.as_ref().map_or(0, Ledger::bytes),
        }
    }
}
