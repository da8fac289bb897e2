//! The flush queue behind a domain: flushes that overlap, that unwind, and that leave something to do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use iova::cache::CacheConfig;
use iova::cpu::Cpu;
use iova::flush::{FlushConfig, Invalidate};
use iova::{Domain, DomainConfig, Granule, Request, Space};

const PAGE: u64 = 4096;

/// Counts what it is asked for, and does once during a flush what another CPU may do then.
#[derive(Default)]
struct Iommu {
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
    flushes: Cell<u64>,
    released: Cell<u64>,
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

/// While a flush is in progress another CPU frees, finds no space, and flushes. What it freed before that is its space.
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
