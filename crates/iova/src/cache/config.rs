//! How large caches may become.

/// What caches are made for, and how large they may become.
///
/// ```
/// use iova::cache::CacheConfig;
///
/// // 64 CPUs; up to 512 granules (2 MiB in pages of 4 KiB) are cached; half a second unused is idle.
/// let config = CacheConfig::new(64).classes(10).idle_after(500_000_000);
/// # let _ = config;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    pub(super) cpus: usize,
    pub(super) classes: usize,
    pub(super) depot_magazines: usize,
    pub(super) magazines: usize,
    pub(super) idle_ns: u64,
}

impl CacheConfig {
    /// For so many CPUs (at least one): six classes (1 to 32 granules), a full magazine per CPU in each depot,
    /// no other limit on magazines, and idle is what was not used for 100 ms.
    #[must_use]
    pub const fn new(cpus: usize) -> Self {
        let cpus = if cpus == 0 { 1 } else { cpus };
        Self { cpus, classes: 6, depot_magazines: cpus, magazines: usize::MAX, idle_ns: 100_000_000 }
    }

    /// How many classes there are: ranges of up to 2^(n - 1) granules are cached. 0 for none, at most 32.
    #[must_use]
    pub const fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// How many full magazines the depot of a class holds at most, at any moment. That many empty ones are
    /// kept, too, for all classes together, but at least one.
    #[must_use]
    pub const fn depot_magazines(self, magazines: usize) -> Self {
        Self { depot_magazines: magazines, ..self }
    }

    /// How many magazines there are at most, at any moment, each of 1 KiB.
    #[must_use]
    pub const fn magazines(self, magazines: usize) -> Self {
        Self { magazines, ..self }
    }

    /// After how many nanoseconds without use something is idle, for [`trim`](super::Caches::trim).
    #[must_use]
    pub const fn idle_after(self, nanoseconds: u64) -> Self {
        Self { idle_ns: nanoseconds, ..self }
    }
}
