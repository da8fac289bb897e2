//! What the caches hold, and what came of asking them.

use lock_api::RawMutex;

use super::magazine::{CAPACITY, Magazine};
use super::per_cpu::Shelf;
use super::{Caches, Classes};
use crate::backing::Backing;
use crate::sync::Ordering;

/// One class of a cache; part of [`CacheStatistics`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStatistics {
    /// Requests that were served from a magazine of their CPU.
    pub hits: u64,
    /// Requests that were served by means of the depot.
    pub depot_hits: u64,
    /// Requests that were not served at the first look, each once.
    pub misses: u64,
    /// Ranges in the magazines of all CPUs.
    pub cpu_ranges: u64,
    /// Full magazines in the depot.
    pub depot_magazines: usize,
}

impl ClassStatistics {
    /// How many ranges are cached, on all CPUs and in the depot.
    #[must_use]
    pub const fn cached_ranges(&self) -> u64 {
        self.cpu_ranges + (self.depot_magazines * CAPACITY) as u64
    }
}

/// What caches hold and what happened to them; made by [`Caches::statistics`].
///
/// What changes meanwhile may be counted twice or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStatistics {
    classes: [ClassStatistics; Classes::MOST],
    count: usize,
    /// Magazines, full, empty and in use, and their bytes.
    pub magazines: usize,
    /// The bytes of the magazines.
    pub magazine_bytes: usize,
    /// All bytes: magazines, and what there is for each CPU and class.
    pub bytes: usize,
    /// How often everything was flushed by the user, or what could help was for lack of space.
    pub flushes: u64,
    /// Ranges that the backing refused when they were given back: each was freed twice, or never allocated.
    pub refused: u64,
}

impl CacheStatistics {
    /// By class: ranges of 1, 2, 4, ... granules.
    #[must_use]
    pub fn classes(&self) -> &[ClassStatistics] {
        self.classes.get(..self.count).unwrap_or_default()
    }

    /// Requests that were served from the caches.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.classes.iter().map(|class| class.hits + class.depot_hits).sum()
    }

    /// Requests that fit a class but were not served from the caches at the first look.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.classes.iter().map(|class| class.misses).sum()
    }

    /// How many ranges are cached.
    #[must_use]
    pub fn cached_ranges(&self) -> u64 {
        self.classes.iter().map(ClassStatistics::cached_ranges).sum()
    }

    /// How many granules they have.
    #[must_use]
    pub fn cached_granules(&self) -> u128 {
        let granules = |(class, of): (usize, &ClassStatistics)| u128::from(of.cached_ranges()) << class;
        self.classes.iter().enumerate().map(granules).sum()
    }
}

impl<R: RawMutex, B: Backing> Caches<R, B> {
    /// What there is and what happened. Takes each lock once per class; allocates nothing.
    pub fn statistics(&self) -> CacheStatistics {
        let mut classes = [ClassStatistics::default(); Classes::MOST];
        for (depot, of) in self.depots.iter().zip(&mut classes) {
            let depot = depot.lock();
            (of.depot_hits, of.misses, of.depot_magazines) = (depot.hits, depot.misses, depot.count());
        }
        for slot in &self.slots {
            let slot = slot.lock();
            for (pair, of) in slot.shelf.iter().flat_map(Shelf::pairs).zip(&mut classes) {
                of.hits += pair.hits;
                of.cpu_ranges += pair.count() as u64;
            }
        }
        let (magazines, shelves) = {
            let spares = self.spares.lock();
            (spares.magazines(), spares.shelves())
        };
        let magazine_bytes = magazines * Magazine::BYTES;
        CacheStatistics {
            classes,
            count: self.classes.count(),
            magazines,
            magazine_bytes,
            bytes: size_of_val(self)
                + size_of_val(&*self.slots)
                + size_of_val(&*self.depots)
                + magazine_bytes
                + shelves * Shelf::bytes(self.classes.count()),
            flushes: self.flushes.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}
