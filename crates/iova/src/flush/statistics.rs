//! What waits, and why it was flushed.

use core::fmt;

use lock_api::RawMutex;

use super::{FlushQueue, Invalidate};

/// Why everything was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlushCause {
    /// A ring was full.
    Full,
    /// Something had waited for long.
    Age,
    /// Somebody asked for it, or needed address space.
    Demand,
}

impl fmt::Display for FlushCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "a ring was full",
            Self::Age => "something had waited for long",
            Self::Demand => "on demand",
        })
    }
}

/// How often each cause occurred.
#[derive(Clone, Copy, Default)]
pub(super) struct Causes {
    full: u64,
    age: u64,
    demand: u64,
}

impl Causes {
    pub(super) fn count(&mut self, cause: FlushCause) {
        match cause {
            FlushCause::Full => self.full += 1,
            FlushCause::Age => self.age += 1,
            FlushCause::Demand => self.demand += 1,
        }
    }
}

/// What one CPU did.
#[derive(Clone, Copy, Default)]
pub(super) struct QueueCounters {
    pub(super) queued: u64,
    pub(super) strict: u64,
}

/// What waits and what happened; made by [`FlushQueue::statistics`].
///
/// What changes meanwhile may be counted twice or not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushStatistics {
    /// Ranges that wait now.
    pub queued_ranges: u64,
    /// How many granules they have.
    pub queued_granules: u128,
    /// Ranges that were queued.
    pub deferred: u64,
    /// Ranges that were invalidated by themselves: by policy, or as there was no ring.
    pub strict: u64,
    /// Flushes because a ring was full.
    pub flushes_full: u64,
    /// Flushes because something had waited for long.
    pub flushes_age: u64,
    /// Flushes on demand.
    pub flushes_demand: u64,
    /// The bytes of the rings.
    pub ring_bytes: usize,
}

impl<R: RawMutex, I: Invalidate> FlushQueue<R, I> {
    /// What waits and what happened. Takes each lock once, for a moment. Allocates nothing.
    pub fn statistics(&self) -> FlushStatistics {
        let flushes = self.clock.lock().flushes;
        let mut sum = FlushStatistics {
            flushes_full: flushes.full,
            flushes_age: flushes.age,
            flushes_demand: flushes.demand,
            ..FlushStatistics::default()
        };
        for slot in &self.slots {
            let slot = slot.lock();
            sum.deferred += slot.counters.queued;
            sum.strict += slot.counters.strict;
            if let Some(ring) = &slot.ring {
                sum.queued_ranges += ring.len() as u64;
                sum.queued_granules += ring.granules();
                sum.ring_bytes += ring.bytes();
            }
        }
        sum
    }
}
