//! Caches and the flush queue.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use iova::backing::{BATCH, Backing, NotLive};
use iova::cache::{CacheConfig, Caches};
use iova::cpu::Cpu;
use iova::flush::{FlushConfig, FlushQueue, Invalidate, POLL_RANGES};
use iova::lock_api::{GuardSend, RawMutex};
use iova::{AllocateError, Granule, IovaRange, LockedSpace, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const MAGAZINE: usize = 127;

/// A lock that must be free when it is taken, since there is one thread: what would be a deadlock is a panic.
struct Uncontended(AtomicBool);

// SAFETY: only one thread gets past the swap before `unlock`, the others panic.
unsafe impl RawMutex for Uncontended {
    const INIT: Self = Self(AtomicBool::new(false));
    type GuardMarker = GuardSend;

    fn lock(&self) {
        assert!(self.try_lock(), "the lock is held");
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}

type Locked = LockedSpace<Uncontended, Arc<FaultyAlloc>>;
type Cached<B> = Caches<Uncontended, B>;

fn space(pages: u64) -> (Locked, Arc<FaultyAlloc>) {
    let nodes = Arc::new(FaultyAlloc::new(Plan::Never));
    let domain = Space::new_in(Granule::FOUR_KIB, 0..pages * PAGE, nodes.clone()).unwrap();
    (LockedSpace::new(domain), nodes)
}

fn allocate_many<B: Backing>(caches: &Cached<B>, cpu: Cpu, count: usize) -> Vec<IovaRange> {
    (0..count).map(|_| caches.allocate(cpu, &Request::new(1)).unwrap()).collect()
}

/// Frees and allocates until the caches of `cpu` have the memory that they want.
fn warm<B: Backing>(caches: &Cached<B>, cpu: Cpu, magazines: usize) {
    for _ in 0..2 * magazines + 2 {
        let ranges = allocate_many(caches, cpu, magazines * MAGAZINE);
        ranges.into_iter().for_each(|range| caches.free(cpu, range).unwrap());
        // A miss, which makes a magazine if one was wished for.
        let other = caches.allocate(cpu, &Request::new(16)).unwrap();
        caches.backing().free(other).unwrap();
    }
}

/// In the kernel lack of memory for a node looks like lack of space, and empties the caches of all CPUs.
#[test]
fn w05_flush_amplification() {
    let (space, nodes) = space(1 << 20);
    let caches: Cached<_> = Caches::new(space, CacheConfig::new(4)).unwrap();
    for cpu in 0..4 {
        warm(&caches, Cpu::new(cpu), 2);
    }
    let cached = caches.statistics().cached_ranges();
    assert!(cached >= 4 * 127);
    // Fill the leaf where large ranges go, so that the next one needs a node.
    nodes.set_plan(Plan::After(0));
    let refused = (0..100).find_map(|_| caches.allocate(Cpu::new(0), &Request::new(64)).err()).unwrap();
    assert!(matches!(refused, AllocateError::OutOfNodeMemory(_)));
    let refused = (0..100).find_map(|_| caches.allocate(Cpu::new(0), &Request::new(32)).err()).unwrap();
    assert!(matches!(refused, AllocateError::OutOfNodeMemory(_)));
    let statistics = caches.statistics();
    assert_eq!((statistics.cached_ranges(), statistics.flushes), (cached, 0));
    // Locked is another matter: then all of it is given back, and found.
    nodes.set_plan(Plan::Never);
    let error = caches.allocate(Cpu::new(0), &Request::new(1 << 20)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    assert_eq!((caches.statistics().cached_ranges(), caches.statistics().flushes), (0, 1));
}

/// A backing that looks at what it is given back, and uses the caches meanwhile as another CPU would.
struct Watched {
    below: Locked,
    caches: RefCell<Weak<Cached<Watched>>>,
    batches: Cell<u64>,
    calls: Cell<u64>,
}

impl Watched {
    fn caches(space: Locked, config: CacheConfig) -> Rc<Cached<Self>> {
        let (caches, batches, calls) = (RefCell::default(), Cell::new(0), Cell::new(0));
        let caches = Rc::new(Caches::new(Self { below: space, caches, batches, calls }, config).unwrap());
        *caches.backing().caches.borrow_mut() = Rc::downgrade(&caches);
        caches
    }
}

impl Backing for Watched {
    fn granule(&self) -> Granule {
        self.below.granule()
    }

    fn aperture(&self) -> IovaRange {
        self.below.aperture()
    }

    fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        self.calls.set(self.calls.get() + 1);
        self.below.allocate(request)
    }

    fn free(&self, range: IovaRange) -> Result<(), NotLive> {
        Backing::free(&self.below, range)
    }

    fn free_batch(&self, ranges: &[IovaRange]) -> usize {
        assert!(ranges.len() <= BATCH && !ranges.is_empty());
        assert!(ranges.is_sorted_by_key(|range| range.first()));
        self.batches.set(self.batches.get() + 1);
        // Takes each lock there is: none may be held.
        if let Some(caches) = self.caches.borrow().upgrade() {
            caches.statistics();
        }
        self.below.free_batch(ranges)
    }
}

/// In the kernel a whole magazine goes back under one hold of the tree's lock, and a whole depot under one of
/// the depot's.
#[test]
fn w06_long_lock_holds() {
    let (space, _) = space(1 << 20);
    let caches = Watched::caches(space, CacheConfig::new(2).depot_magazines(8));
    let cpu = Cpu::new(0);
    warm(&caches, cpu, 12);
    let cached = caches.statistics().cached_ranges();
    assert!(cached > 8 * 127, "{cached}");
    assert_eq!(caches.statistics().classes()[0].depot_magazines, 8);
    caches.backing().batches.set(0);
    assert_eq!(caches.flush(), cached);
    let batches = caches.backing().batches.get();
    assert!(batches >= cached.div_ceil(BATCH as u64), "{batches}");
    assert!(batches <= cached.div_ceil(BATCH as u64) + 10, "{batches}");
    assert_eq!(caches.backing().below.statistics().allocated_ranges, 0);

    // A CPU that only frees gives back a few at a time, too, once there is no room any more.
    let ranges = allocate_many(&caches, cpu, 5000);
    caches.backing().batches.set(0);
    for range in ranges {
        let before = caches.backing().batches.get();
        caches.free(cpu, range).unwrap();
        assert!(caches.backing().batches.get() <= before + 1);
    }
    assert!(caches.backing().batches.get() > 100);
}

/// The kernel makes two magazines per CPU and class when a domain is made: 12 KiB per CPU that may ever come.
#[test]
fn eager_magazines() {
    let (space, _) = space(1 << 20);
    let caches: Cached<_> = Caches::new(space, CacheConfig::new(448)).unwrap();
    let statistics = caches.statistics();
    assert_eq!(statistics.magazines, 0);
    assert!(statistics.bytes <= (448 + 16) * 128, "{}", statistics.bytes);
    // A million ranges that are allocated and not freed take none either.
    let ranges = allocate_many(&caches, Cpu::new(0), 10_000);
    assert_eq!(caches.statistics().magazines, 0);
    let before = caches.statistics().bytes;
    ranges.into_iter().for_each(|range| caches.free(Cpu::new(0), range).unwrap());
    assert_eq!(caches.statistics().bytes, before, "freeing made something");
    // One CPU and one class: nothing for the others.
    for _ in 0..10 {
        let range = caches.allocate(Cpu::new(7), &Request::new(4)).unwrap();
        caches.free(Cpu::new(7), range).unwrap();
    }
    let statistics = caches.statistics();
    assert_eq!(statistics.classes()[2].cached_ranges(), 1);
    assert!(statistics.magazines <= 2 && statistics.bytes <= before + 2 * (1024 + 6 * 64));
}

/// The kernel's depot has no bound, and gives back one magazine per 100 ms while it holds more than one per
/// CPU.
#[test]
fn unbounded_depot() {
    let (space, _) = space(1 << 20);
    let config = CacheConfig::new(2).depot_magazines(5).idle_after(100);
    let caches: Cached<_> = Caches::new(space, config).unwrap();
    // One CPU allocates, the other one frees, in larger and larger waves.
    for wave in 1..40 {
        let ranges = allocate_many(&caches, Cpu::new(0), wave * MAGAZINE);
        for range in ranges {
            caches.free(Cpu::new(1), range).unwrap();
            assert!(caches.statistics().classes()[0].depot_magazines <= 5);
        }
    }
    let statistics = caches.statistics();
    assert_eq!(statistics.classes()[0].depot_magazines, 5);
    assert!(statistics.magazines <= 5 + 5 + 4);
    assert!(statistics.classes()[0].depot_hits > 0);
    // Unused for one interval, all of it goes.
    assert_eq!(caches.trim(0), 0);
    caches.trim(100);
    caches.trim(200);
    caches.trim(300);
    assert_eq!((caches.statistics().cached_ranges(), caches.statistics().magazines), (0, 0));
    assert_eq!(caches.backing().statistics().allocated_ranges, 0);
}

/// In the kernel a loaded magazine without anything below the limit hides the previous one and the depot.
#[test]
fn magazine_that_hides() {
    let (space, _) = space(1 << 20);
    let caches = Watched::caches(space, CacheConfig::new(2).depot_magazines(4));
    let cpu = Cpu::new(0);
    warm(&caches, cpu, 6);
    // Empty the magazines and keep them.
    for range in allocate_many(&caches, cpu, 6 * MAGAZINE) {
        caches.backing().free(range).unwrap();
    }
    assert_eq!(caches.statistics().cached_ranges(), 0);
    // Low ranges first, so that high ones lie on top of them everywhere: one low range among 127 of each
    // magazine.
    let limit = 1000 * PAGE - 1;
    let low = Request::new(1).limit(limit);
    let lows: Vec<_> = (0..6).map(|_| caches.allocate(cpu, &low).unwrap()).collect();
    let highs = allocate_many(&caches, cpu, 6 * 126);
    for (low, highs) in lows.iter().zip(highs.chunks(126)) {
        caches.free(cpu, *low).unwrap();
        highs.iter().for_each(|range| caches.free(cpu, *range).unwrap());
    }
    assert_eq!(caches.statistics().cached_ranges(), 6 * 127);
    assert_eq!(caches.statistics().classes()[0].depot_magazines, 4);
    let calls = caches.backing().calls.get();
    let mut found: Vec<_> = (0..6).map(|_| caches.allocate(cpu, &low).unwrap()).collect();
    found.sort_by_key(|range| range.first());
    assert!(found.iter().rev().eq(&lows));
    assert_eq!(caches.backing().calls.get(), calls, "a cached range was hidden");
    // The seventh is not among them, and comes from below.
    assert!(caches.allocate(cpu, &low).unwrap().last() <= limit);
    assert_eq!(caches.backing().calls.get(), calls + 1);
}

/// A device whose queue is used while it is being flushed.
struct Busy(OnceCell<Weak<FlushQueue<Uncontended, Busy>>>);

impl Invalidate for Busy {
    fn flush_all(&self) {
        // Takes each lock there is: none may be held.
        if let Some(queue) = self.0.get().and_then(Weak::upgrade) {
            queue.statistics();
        }
    }
}

/// In the kernel the timer of one CPU empties the rings of all, each under its lock, into the tree: 31 s were
/// seen on 448 CPUs. Here it is a few at a time, with no lock held while they go on.
#[test]
fn flush_queue_convoy() {
    let (space, _) = space(1 << 20);
    let caches = Watched::caches(space, CacheConfig::new(64));
    let queue = Rc::new(FlushQueue::new(Busy(OnceCell::new()), FlushConfig::new(64)).unwrap());
    assert!(queue.invalidate().0.set(Rc::downgrade(&queue)).is_ok());
    let mut ranges = allocate_many(&caches, Cpu::new(0), 64 * 257);
    for cpu in 0..64 {
        queue.queue(Cpu::new(cpu), ranges.pop().unwrap(), None, &*caches);
        queue.prepare();
    }
    for (number, range) in ranges.into_iter().enumerate() {
        queue.queue(Cpu::new(number), range, None, &*caches);
    }
    let statistics = queue.statistics();
    assert_eq!((statistics.queued_ranges, statistics.strict, statistics.flushes_full), (64 * 256, 64, 0));
    assert_eq!(queue.poll(Cpu::new(3), 5, &*caches), Some(10_000_005));
    assert_eq!(queue.poll(Cpu::new(3), 10_000_004, &*caches), Some(10_000_005));
    // A part at a time: it wants to be called again at once until there is nothing left.
    for part in 1..=64 * 256 / POLL_RANGES {
        assert_eq!(queue.poll(Cpu::new(3), 10_000_005, &*caches), Some(10_000_005));
        assert_eq!(queue.statistics().queued_ranges, (64 * 256 - part * POLL_RANGES) as u64);
    }
    assert_eq!(queue.poll(Cpu::new(3), 10_000_005, &*caches), None);
    let statistics = queue.statistics();
    assert_eq!((statistics.queued_ranges, statistics.flushes_age), (0, 1));
    caches.flush();
    assert_eq!(caches.backing().below.statistics().allocated_ranges, 0);
}
