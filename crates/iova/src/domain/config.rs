//! What a domain is made for.

use crate::cache::CacheConfig;
use crate::flush::FlushConfig;

/// How frees are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checking {
    /// Each free is checked against the set of all live ranges, so that a wrong one is an error and nothing else. Takes 22
    /// to 43 bytes per live range, and one of 16 locks per operation. An allocation fails if there is no memory to note it,
    /// as if there were none for a node.
    #[default]
    Exact,
    /// The caller is trusted: a range that is freed is live, has the size that was returned, and is freed once. What is
    /// seen to be wrong is reported or counted. But what is freed twice may be handed out twice, and so may what a caller
    /// makes up of [numbers](crate::Domain::free_sized): a piece of a live range, or a part of a reserved region. For
    /// callers that only free what they have, such as those that keep an [`Allocation`](crate::Allocation).
    Trust,
}

/// What a [`Domain`](crate::Domain) is made for. The defaults fit most.
///
/// ```
/// use iova::cache::CacheConfig;
/// use iova::{Checking, DomainConfig};
///
/// // For 8 CPUs, and callers that free nothing but what they have.
/// let config = DomainConfig::new(8).checking(Checking::Trust);
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
    /// are by default, and frees that are checked exactly.
    #[must_use]
    pub const fn new(cpus: usize) -> Self {
        Self { caches: CacheConfig::new(cpus), queue: FlushConfig::new(cpus), checking: Checking::Exact }
    }

    /// For as many CPUs as the program may use at a time.
    ///
    /// Where that is a quota, as in a container, the numbers of the CPUs that it runs on may be larger. These wrap around, so
    /// that two CPUs may share their caches and wait for each other: a machine's number of CPUs for [`new`](Self::new) is
    /// better then. Nothing else goes wrong.
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
