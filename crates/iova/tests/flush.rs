//! The flush queue behind a domain: flushes that overlap, that unwind, and that leave something to do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use iova::cache::CacheConfig;
use iova::cpu::Cpu;
use iova::flush::{FlushConfig, FlushPolicy, FlushQueue, Invalidate, POLL_RANGES, Reuse};
use iova::{Domain, DomainConfig, Granule, IovaRange, Request, Space};

const PAGE: u64 = 4096;

/// Counts what it is asked for, and does once during a flush what another CPU may do then.
#[derive(Default)]
struct Iommu {
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    flushes: Cell<u64>,
    range_flushes: Cell<u64>,
    released: Cell<u64>,
    armed: Cell<u64>,
}

#[derive(Clone, Default)]
struct Shared(Rc<Iommu>);

impl Shared {
    fn meanwhile(&self, what: impl FnOnce() + 'static) {
        *self.0.meanwhile.borrow_mut() = Some(Box::new(what));
    }

    fn flushes(&self) -> u64 {
        self.0.flushes.get()
    }
}

impl Invalidate for Shared {
    fn flush_all(&self) {
        self.0.flushes.set(self.flushes() + 1);
        let meanwhile = self.0.meanwhile.take();
        if let Some(what) = meanwhile {
            what();
        }
    }

    fn flush_range(&self, _: IovaRange) {
        self.0.range_flushes.set(self.0.range_flushes.get() + 1);
    }

    fn arm(&self) {
        self.0.armed.set(self.0.armed.get() + 1);
    }

    fn release(&self, _: NonZeroUsize) {
        self.0.released.set(self.0.released.get() + 1);
    }
}

type Subject = Domain<spin::Mutex<()>, fn() -> Cpu, Shared>;

/// Without caches, so that what is flushed is free. CPU 0 has its ring.
fn domain(pages: u64, queue: FlushConfig) -> (Rc<Subject>, Shared) {
    let space = Space::new(Granule::FOUR_KIB, 0..pages * PAGE).unwrap();
    let (cpu, iommu): (fn() -> Cpu, _) = (|| Cpu::new(0), Shared::default());
    let config = DomainConfig::new(1).caches(CacheConfig::new(1).classes(0)).queue(queue);
    let domain = Domain::with_flush_queue(space, cpu, iommu.clone(), config).unwrap();
    // The first free is strict; the next allocation makes the ring.
    domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    domain.flush();
    (Rc::new(domain), iommu)
}

/// While a flush is in progress another CPU frees, finds no space, and flushes. What it freed before that is
/// its space.
#[test]
fn a_flush_that_completes_within_another_releases_what_it_covers() {
    let (domain, iommu) = domain(2, FlushConfig::new(1));
    let [one, other] = [0; 2].map(|_| domain.allocate(&Request::new(1)).unwrap());
    domain.free(one).unwrap();
    let allocated = Rc::new(Cell::new(None));
    iommu.meanwhile({
        let (domain, allocated) = (domain.clone(), allocated.clone());
        move || {
            domain.free(other).unwrap();
            allocated.set(Some(domain.allocate(&Request::new(2)).is_ok()));
        }
    });
    domain.flush();
    assert_eq!(allocated.get(), Some(true), "no space though a flush that covers all of it has completed");
    domain.validate().unwrap();
}

/// A flush that unwinds has done nothing. The next one makes up for it, and is not behind for ever.
#[test]
fn a_flush_that_unwinds_delays_nothing() {
    let (domain, iommu) = domain(1, FlushConfig::new(1).entries(2));
    domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    iommu.meanwhile(|| resume_unwind(Box::new(())));
    assert!(catch_unwind(AssertUnwindSafe(|| domain.flush())).is_err());
    assert!(domain.queue().unwrap().waits());
    for _ in 0..10 {
        let range = domain.allocate(&Request::new(1)).unwrap();
        domain.free_with(range, NonZeroUsize::MIN).unwrap();
    }
    assert_eq!(domain.statistics().queue.strict, 1);
    let space = Rc::into_inner(domain).unwrap().into_space();
    assert_eq!((space.statistics().allocated_ranges, iommu.0.released.get()), (0, 10));
}

/// The same if the queue is dropped next.
#[test]
fn dropping_after_a_flush_that_unwound_releases_what_is_attached() {
    let (domain, iommu) = domain(1, FlushConfig::new(1));
    let range = domain.allocate(&Request::new(1)).unwrap();
    iommu.meanwhile(|| resume_unwind(Box::new(())));
    domain.free_with(range, NonZeroUsize::MIN).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| domain.flush())).is_err());
    drop(domain);
    assert_eq!(iommu.0.released.get(), 1);
}

/// What is queued while `poll` flushes is not forgotten: that flush does not cover it.
#[test]
fn poll_says_when_to_look_again_after_a_flush() {
    let (domain, iommu) = domain(16, FlushConfig::new(1).age_after(100));
    let [one, other] = [0; 2].map(|_| domain.allocate(&Request::new(1)).unwrap());
    domain.free(one).unwrap();
    assert_eq!(domain.poll(0), Some(100));
    iommu.meanwhile({
        let domain = domain.clone();
        move || domain.free(other).unwrap()
    });
    assert_eq!(domain.poll(100), Some(200));
    assert_eq!(domain.statistics().queued_granules(), 1);
    assert_eq!(domain.poll(199), Some(200));
    assert_eq!(domain.poll(200), None);
    assert_eq!(domain.statistics().queued_granules(), 0);
}

/// A timer that `arm` sets is enough: it is called when something is queued where nothing was, and only then.
#[test]
fn the_first_range_that_is_queued_arms() {
    let (domain, iommu) = domain(16, FlushConfig::new(1));
    let before = iommu.0.armed.get();
    for round in 1..=3 {
        let ranges = [0; 4].map(|_| domain.allocate(&Request::new(1)).unwrap());
        assert_eq!(domain.poll(0), None);
        for range in ranges {
            domain.free(range).unwrap();
            assert_eq!(iommu.0.armed.get(), before + round);
        }
        domain.flush();
    }
}

/// However much was flushed, one call of `poll` hands on a bounded number of ranges.
#[test]
fn poll_does_a_bounded_amount_of_work() {
    let most = POLL_RANGES as u64;
    let (domain, _) = domain(3 * most, FlushConfig::new(1).entries(2 * POLL_RANGES + 1).age_after(100));
    let ranges: Vec<_> = (0..=2 * most).map(|_| domain.allocate(&Request::new(1)).unwrap()).collect();
    ranges.into_iter().for_each(|range| domain.free(range).unwrap());
    assert_eq!(domain.poll(0), Some(100));
    for (waiting, next) in [(most + 1, Some(100)), (1, Some(100)), (0, None)] {
        assert_eq!(domain.poll(100), next);
        assert_eq!(domain.statistics().queue.queued_ranges, waiting);
    }
    assert_eq!(domain.statistics().queue.flushes_age, 1);
}

/// A page table that is attached is still reached after an invalidation of the translations alone.
#[test]
fn a_strict_free_with_an_attachment_flushes_everything() {
    let (domain, iommu) = domain(4, FlushConfig::new(1).policy(FlushPolicy::Strict));
    let [one, other] = [0; 2].map(|_| domain.allocate(&Request::new(1)).unwrap());
    let (flushes, ranges) = (iommu.flushes(), iommu.0.range_flushes.get());
    domain.free(one).unwrap();
    assert_eq!((iommu.flushes(), iommu.0.range_flushes.get()), (flushes, ranges + 1));
    domain.free_with(other, NonZeroUsize::MIN).unwrap();
    assert_eq!((iommu.flushes(), iommu.0.range_flushes.get()), (flushes + 1, ranges + 1));
    assert_eq!(iommu.0.released.get(), 1);
}

/// Rings without room are no rings.
#[test]
fn rings_of_no_entries_are_strict() {
    let (domain, iommu) = domain(4, FlushConfig::new(1).entries(0));
    let before = iommu.0.range_flushes.get();
    for _ in 0..10 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    }
    assert_eq!((iommu.flushes(), iommu.0.range_flushes.get()), (0, before + 10));
}

#[test]
fn rings_that_cannot_be_are_refused() {
    type Queue = FlushQueue<spin::Mutex<()>, ()>;
    assert!(Queue::new((), FlushConfig::new(1).entries(usize::MAX)).is_err());
    // This one could be, but there is no such memory. It is asked for once per free that is strict.
    let queue = Queue::new((), FlushConfig::new(1).entries(isize::MAX as usize / 64)).unwrap();
    let mut space = Space::new(Granule::FOUR_KIB, 0..PAGE).unwrap();
    let range = space.allocate(&Request::new(1)).unwrap();
    for _ in 0..3 {
        queue.queue(Cpu::new(0), range, None, &Nowhere);
        queue.prepare();
    }
    assert_eq!((queue.statistics().strict, queue.statistics().ring_bytes), (3, 0));
}

struct Nowhere;

impl Reuse for Nowhere {
    fn reuse(&self, _: Cpu, _: IovaRange) {}
}
