//! How freed ranges are invalidated.

/// When a freed range is invalidated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FlushPolicy {
    /// Together with others, later. Until then the device can still reach what was unmapped.
    #[default]
    Deferred,
    /// At once and by itself: the device cannot reach what was unmapped.
    Strict,
}

/// What a flush queue is made for.
///
/// ```
/// use iova::flush::{FlushConfig, FlushPolicy};
///
/// let config = FlushConfig::new(64).entries(1024).age_after(1_000_000);
/// assert_ne!(config, config.policy(FlushPolicy::Strict));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushConfig {
    pub(super) cpus: usize,
    pub(super) entries: usize,
    pub(super) age_ns: u64,
    pub(super) policy: FlushPolicy,
}

impl FlushConfig {
    /// For so many CPUs (at least one): deferred, rings of 256 entries, flushed after 10 ms.
    #[must_use]
    pub const fn new(cpus: usize) -> Self {
        let cpus = if cpus == 0 { 1 } else { cpus };
        Self { cpus, entries: 256, age_ns: 10_000_000, policy: FlushPolicy::Deferred }
    }

    /// How many ranges wait on a CPU at most: 40 bytes each. With 0 nothing waits, as if it were
    /// [strict](FlushPolicy::Strict).
    #[must_use]
    pub const fn entries(self, entries: usize) -> Self {
        Self { entries, ..self }
    }

    /// How many nanoseconds a range waits before [`poll`](super::FlushQueue::poll) flushes.
    #[must_use]
    pub const fn age_after(self, nanoseconds: u64) -> Self {
        Self { age_ns: nanoseconds, ..self }
    }

    /// Deferred or strict.
    #[must_use]
    pub const fn policy(self, policy: FlushPolicy) -> Self {
        Self { policy, ..self }
    }
}
