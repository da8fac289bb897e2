//! What a domain is made for.

use crate::cache::CacheConfig;
use crate::flush::FlushConfig;

/// How frees are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checking {
    /// The caller is trusted: a range that is freed is live, and is freed once. What is seen to be wrong is
    /// reported or counted, but a range that is freed twice may be handed out twice. An
    /// [`Allocation`](crate::Allocation) cannot be freed twice.
    #[default]
    Trust,
    /// Each free is checked against the set of all live ranges: for debugging, and for callers that are not
    /// trusted. Takes 22 to 43 bytes per live range, and one of 16 locks per operation. An allocation fails if
    /// there is no memory to note it, as if there were none for a node.
    Exact,
}

/// What a [`Domain`](crate::Domain) is made for. The defaults fit most.
///
/// ```
/// use iova::cache::CacheConfig;
/// use iova::{Checking, DomainConfig};
///
/// // For 8 CPUs, with every free checked.
/// let config = DomainConfig::new(8).checking(Checking::Exact);
/// // The same with caches for ranges of up to 512 granules.
/// let config = config.caches(CacheConfig::new(8).classes(10));
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainConfig {
    pub(super) caches: CacheConfig,
    pub(super) queue: FlushConfig,
    pub(super) checking: Checking,
}

impl DomainConfig {
    /// For so many CPUs (at least one), with [caches](CacheConfig::new) and a [flush queue](FlushConfig::new) as these
    /// are by default, and frees that are trusted.
    #[must_use]
    pub const fn new(cpus: usize) -> Self {
        Self { caches: CacheConfig::new(cpus), queue: FlushConfig::new(cpus), checking: Checking::Trust }
    }

    /// For as many CPUs as the program may use.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn for_this_machine() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, Into::into))
    }

    /// How large caches may become.
    #[must_use]
    pub const fn caches(self, caches: CacheConfig) -> Self {
        Self { caches, ..self }
    }

    /// When the IOTLB is flushed. Without effect on a domain without a flush queue.
    #[must_use]
    pub const fn queue(self, queue: FlushConfig) -> Self {
        Self { queue, ..self }
    }

    /// How frees are checked.
    #[must_use]
    pub const fn checking(self, checking: Checking) -> Self {
        Self { checking, ..self }
    }
}
