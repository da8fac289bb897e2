//! A domain, an IOMMU that takes its time, and what is live.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::flush::{FlushConfig, FlushPolicy, Invalidate};
use iova::{AllocMode, Checking, Domain, DomainConfig, Granule, IovaRange, Request, Space};
use shuttle::thread;

use crate::lock::Lock;

const PAGE: u64 = 4096;
const CPUS: usize = 2;

/// What a domain is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Like {
    pub(crate) granules: u64,
    pub(crate) policy: FlushPolicy,
    pub(crate) checking: Checking,
}

shuttle::thread_local! {
    static NUMBER: std::cell::Cell<usize> = std::cell::Cell::new(0);
}

/// Each thread is on a CPU of its own, if there are enough.
#[derive(Clone, Copy, Debug)]
struct OfThread;

impl CurrentCpu for OfThread {
    fn current(&self) -> Cpu {
        Cpu::new(NUMBER.with(std::cell::Cell::get))
    }
}

/// What the device can still reach: ranges by their first iova, with the number of their unmapping.
#[derive(Default)]
struct Iotlb {
    stale: Mutex<BTreeMap<u64, (IovaRange, u64)>>,
    unmapped: AtomicU64,
}

/// Nobody is taken off while there is this lock: it is not one of shuttle's.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Iotlb {
    fn unmap(&self, range: IovaRange) {
        let number = self.unmapped.fetch_add(1, Relaxed);
        assert_eq!(locked(&self.stale).insert(range.first(), (range, number)), None);
    }

    /// Forgets what was unmapped when this began. Meanwhile others go on.
    fn forget(&self, which: impl Fn(IovaRange) -> bool) {
        let covered: Vec<_> =
            locked(&self.stale).values().copied().filter(|(range, _)| which(*range)).collect();
        thread::yield_now();
        let mut stale = locked(&self.stale);
        for (range, number) in covered {
            // Another flush may have been faster, and the range used again.
            if stale.get(&range.first()) == Some(&(range, number)) {
                stale.remove(&range.first());
            }
        }
    }

    fn knows(&self, range: IovaRange) -> bool {
        let stale = locked(&self.stale);
        stale.range(..=range.last()).next_back().is_some_and(|(_, (old, _))| old.last() >= range.first())
    }
}

#[derive(Clone)]
struct Iommu(Arc<Iotlb>);

impl Invalidate for Iommu {
    fn flush_all(&self) {
        self.0.forget(|_| true);
    }

    fn flush_range(&self, range: IovaRange) {
        self.0.forget(|stale| stale == range);
    }
}

/// A domain, and what is live in it.
pub(crate) struct Stand {
    domain: Domain<Lock, OfThread, Iommu>,
    iotlb: Arc<Iotlb>,
    live: Mutex<Vec<IovaRange>>,
    now: AtomicU64,
}

impl Stand {
    pub(crate) fn new(like: Like) -> Arc<Self> {
        let space = Space::new(Granule::FOUR_KIB, 0..like.granules * PAGE).expect("whole granules");
        let caches = CacheConfig::new(CPUS).classes(2).depot_magazines(2).idle_after(3000);
        let queue = FlushConfig::new(CPUS).entries(3).age_after(1000).policy(like.policy);
        let config = DomainConfig::new(CPUS).caches(caches).queue(queue).checking(like.checking);
        let iotlb = Arc::new(Iotlb::default());
        let domain = Domain::with_flush_queue(space, OfThread, Iommu(Arc::clone(&iotlb)), config);
        let (live, now) = (Mutex::default(), AtomicU64::new(0));
        Arc::new(Self { domain: domain.expect("there is memory"), iotlb, live, now })
    }

    /// What a thread does, one step after the other.
    pub(crate) fn run(&self, number: usize, rng: &mut Rng, steps: usize) {
        NUMBER.with(|own| own.set(number));
        for _ in 0..steps {
            match rng.u8(..20) {
                0..=8 => self.allocate(rng.u64(1..=3)),
                9..=16 => self.free(rng),
                17 => drop(self.domain.poll(self.now.fetch_add(700, Relaxed))),
                18 => drop(self.domain.trim(self.now.fetch_add(700, Relaxed))),
                _ => drop(self.domain.flush()),
            }
        }
    }

    fn allocate(&self, granules: u64) {
        // There may be no space: that is for tests with one thread to say.
        let Ok(range) = self.domain.allocate(&Request::new(granules).mode(AllocMode::Atomic)) else { return };
        assert!(!self.iotlb.knows(range), "{range} can still be reached");
        let mut live = locked(&self.live);
        let overlaps = |other: &IovaRange| other.first() <= range.last() && range.first() <= other.last();
        assert!(!live.iter().any(overlaps), "{range} is live: {live:?}");
        live.push(range);
    }

    /// Frees something, whoever has allocated it.
    fn free(&self, rng: &mut Rng) {
        let range = {
            let mut live = locked(&self.live);
            if live.is_empty() {
                return;
            }
            let nth = rng.usize(..live.len());
            live.swap_remove(nth)
        };
        self.iotlb.unmap(range);
        assert!(self.domain.free(range).is_ok());
    }

    /// When all threads have gone: everything is in one place, and all of it can be had again.
    pub(crate) fn end(&self) {
        assert_eq!(self.domain.validate(), Ok(()));
        let live = std::mem::take(&mut *locked(&self.live));
        assert_eq!(self.domain.statistics().live_ranges(), live.len() as u64);
        for range in live {
            self.iotlb.unmap(range);
            assert!(self.domain.free(range).is_ok());
        }
        self.domain.flush();
        assert_eq!(self.domain.validate(), Ok(()));
        assert_eq!(self.domain.statistics().caches.refused, 0);
        assert_eq!(self.domain.space().statistics().allocated_ranges, 0);
        assert!(locked(&self.iotlb.stale).is_empty(), "the IOMMU was not told");
    }
}
