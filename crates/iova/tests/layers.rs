//! What the layers of a domain do together: wrong frees, and requests that find nothing at first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use iova::cpu::Cpu;
use iova::flush::Invalidate;
use iova::{AllocMode, AllocateError, Domain, DomainConfig, FreeError, Granule, Request, Space};

const PAGE: u64 = 4096;

type Subject<I = ()> = Domain<spin::Mutex<()>, fn() -> Cpu, I>;

const FIRST_CPU: fn() -> Cpu = || Cpu::new(0);

fn domain(pages: u64, config: DomainConfig) -> Subject {
    Domain::new(Space::new(Granule::FOUR_KIB, 0..pages * PAGE).unwrap(), FIRST_CPU, config).unwrap()
}

#[test]
fn by_default_no_number_that_is_made_up_is_handed_out() {
    let domain = domain(64, DomainConfig::new(1));
    domain.reserve(60 * PAGE..64 * PAGE, AllocMode::Normal).unwrap();
    // The caches get their memory.
    for _ in 0..4 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    }
    let live = domain.allocate(&Request::new(4)).unwrap();
    assert!(matches!(domain.free_sized(62 * PAGE, 1), Err(FreeError::Reserved { .. })));
    assert!(matches!(domain.free_sized(live.first() + PAGE, 1), Err(FreeError::NotFirst { .. })));
    assert!(matches!(domain.free_sized(live.first(), 2), Err(FreeError::WrongSize { .. })));
    while let Ok(range) = domain.allocate(&Request::new(1)) {
        assert!(range.last() < live.first() || range.first() > live.last(), "{range}");
        assert!(range.first() < 60 * PAGE, "{range}");
    }
    domain.validate().unwrap();
}

/// Says where the device's page tables may be used again.
#[derive(Default)]
struct Iommu {
    flushes: AtomicU64,
}

impl Invalidate for &Iommu {
    fn flush_all(&self) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
    }
}

/// All pages live, then those from `from` on cached.
fn cached_from<I: Invalidate>(domain: &Subject<I>, from: u64) {
    let ranges: Vec<_> = std::iter::from_fn(|| domain.allocate(&Request::new(1)).ok()).collect();
    for _ in 0..3 {
        let (high, _): (Vec<_>, Vec<_>) = ranges.iter().partition(|range| range.first() >= from * PAGE);
        high.iter().for_each(|range| domain.free(*range).unwrap());
        domain.queue().iter().for_each(|queue| queue.flush(Cpu::new(0), domain.caches()));
        if domain.statistics().caches.cached_ranges() == high.len() as u64 {
            return;
        }
        high.iter().for_each(|range| {
            assert!(domain.allocate_at(range.first()..=range.last(), AllocMode::Normal).is_ok());
        });
        // What was wished for is made.
        domain.allocate(&Request::new(1)).unwrap_err();
    }
    assert!(domain.statistics().caches.cached_ranges() > 0);
}

#[test]
fn a_failure_is_explained_once() {
    let domain = domain(64, DomainConfig::new(1));
    cached_from(&domain, 64);
    let before = domain.statistics().space.counters.failures.out_of_address_space;
    let error = domain.allocate(&Request::new(3).prefer_limit(20 * PAGE).limit(40 * PAGE)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.granules == 3), "{error}");
    // Each explanation by the space is counted there.
    assert_eq!(domain.statistics().space.counters.failures.out_of_address_space, before + 1);
}

#[test]
fn what_cannot_help_is_not_flushed() {
    let iommu = Iommu::default();
    let space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    let domain = Subject::with_flush_queue(space, FIRST_CPU, &iommu, DomainConfig::new(1)).unwrap();
    cached_from(&domain, 32);
    let high = domain.allocate(&Request::new(1)).unwrap();
    domain.free(high).unwrap();
    let statistics = domain.statistics();
    let (cached, flushes) = (statistics.caches.cached_ranges(), iommu.flushes.load(Ordering::Relaxed));
    assert!(cached > 0 && statistics.queued_granules() == 1, "{statistics:?}");
    // All below is live: neither the caches nor the IOTLB can help.
    domain.allocate(&Request::new(1).limit(32 * PAGE - 1)).unwrap_err();
    // A live range is in the way.
    domain.allocate_at(31 * PAGE..33 * PAGE, AllocMode::Normal).unwrap_err();
    domain.reserve(0..=u64::MAX, AllocMode::Normal).unwrap_err();
    assert_eq!(iommu.flushes.load(Ordering::Relaxed), flushes);
    assert_eq!(domain.statistics().caches.cached_ranges(), cached);
    // One that reaches the lowest cached one needs it.
    domain.allocate(&Request::new(1).limit(33 * PAGE - 1)).unwrap();
    domain.validate().unwrap();
}

#[test]
fn what_is_cached_or_queued_is_given_back_where_it_is_needed() {
    let iommu = Iommu::default();
    let space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    let domain = Subject::with_flush_queue(space, FIRST_CPU, &iommu, DomainConfig::new(1)).unwrap();
    cached_from(&domain, 32);
    let queued = domain.allocate(&Request::new(1)).unwrap();
    domain.free(queued).unwrap();
    let placed = domain.allocate_at(32 * PAGE..64 * PAGE, AllocMode::Normal).unwrap();
    assert_eq!(placed.granules(), 32);
    domain.validate().unwrap();
}

#[test]
fn a_hole_below_the_preferred_limit_counts_though_it_is_too_small_for_the_class() {
    let domain = domain(64, DomainConfig::new(1));
    domain.reserve(3 * PAGE..8 * PAGE, AllocMode::Normal).unwrap();
    let request = Request::new(3).prefer_limit(8 * PAGE - 1);
    let first = domain.allocate(&request).unwrap();
    assert_eq!((first.first(), first.granules()), (0, 3));
    // Each request is counted once.
    domain.allocate(&request).unwrap();
    let caches = domain.statistics().caches;
    assert_eq!((caches.hits(), caches.misses()), (0, 2));
}

#[test]
fn what_is_live_is_not_handed_out_again_though_it_is_cached() {
    let domain = domain(64, DomainConfig::new(1));
    for _ in 0..4 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    }
    let live = domain.allocate(&Request::new(1)).unwrap();
    // Behind the domain's back.
    domain.caches().free(Cpu::new(0), live).unwrap();
    assert_eq!(domain.statistics().caches.cached_ranges(), 1);
    let other = domain.allocate(&Request::new(1)).unwrap();
    assert_ne!(other, live);
    domain.validate().unwrap();
}

#[test]
fn an_attachment_that_nobody_would_release_is_an_error() {
    let domain = domain(64, DomainConfig::new(1));
    let range = domain.allocate(&Request::new(1)).unwrap();
    let error = FreeError::NoFlushQueue { iova: range.first() };
    assert_eq!(domain.free_with(range, NonZeroUsize::MIN), Err(error));
    assert_eq!(domain.statistics().failures.wrong_frees.no_flush_queue, 1);
    // It is live as before.
    domain.free(range).unwrap();
    let handle = domain.allocation(&Request::new(2)).unwrap();
    drop(handle.free_with(NonZeroUsize::MIN).unwrap_err());
    assert_eq!(domain.statistics().live_ranges(), 0);
    domain.validate().unwrap();
}
