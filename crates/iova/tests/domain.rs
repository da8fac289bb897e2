//! Many threads on one domain: nothing is handed out twice, nothing is lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::flush::{FlushConfig, FlushPolicy, Invalidate};
use iova::lock_api::RawMutex;
use iova::{
    AllocMode, AllocateError, Checking, Domain, DomainConfig, FreeError, Granule, IovaRange, PlaceError,
    RangeKind, RangeState, Request, Space,
};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const PAGES: usize = 4096;

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn domains_go_where_they_are_needed() {
    type Lock = parking_lot::RawMutex;
    is_send_and_sync::<Domain<Lock, fn() -> Cpu>>();
    is_send_and_sync::<Domain<spin::Mutex<()>, fn() -> Cpu, &Pages, &FaultyAlloc>>();
}

/// Pages that are live have an owner; pages that were unmapped have none but are known to the IOTLB until it is
/// flushed.
struct Pages(Vec<AtomicU64>);

const STALE: u64 = u64::MAX;

impl Pages {
    fn change(&self, range: IovaRange, from: u64, to: u64) {
        for page in range.first() / PAGE..=range.last() / PAGE {
            assert_eq!(self.0[page as usize].swap(to, Ordering::SeqCst), from, "{range}");
        }
    }
}

impl Invalidate for &Pages {
    fn flush_all(&self) {
        for page in &self.0 {
            let _ = page.compare_exchange(STALE, 0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }
}

/// A number for each thread, fewer than there are threads, so that some share a CPU.
#[derive(Clone, Copy)]
struct Numbered;

thread_local! {
    static NUMBER: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl CurrentCpu for Numbered {
    fn current(&self) -> Cpu {
        Cpu::new(NUMBER.get() % 3)
    }
}

/// A request for so many pages, now and then with more to it. All of them can be satisfied in an empty domain.
fn request(rng: &mut fastrand::Rng, size: u64) -> Request {
    let request = Request::new(size);
    match rng.u8(0..8) {
        0 => request.limit(rng.u64(PAGES as u64 / 2..PAGES as u64) * PAGE),
        1 => request.prefer_limit(rng.u64(..PAGES as u64) * PAGE),
        2 => request.align(1).not_crossing(64),
        _ => request,
    }
}

fn threads_do_not_overlap<R: RawMutex + Send + Sync>(plan: Plan, policy: FlushPolicy, checking: Checking) {
    let (alloc, pages) = (FaultyAlloc::new(plan), Pages((0..PAGES).map(|_| AtomicU64::new(0)).collect()));
    let space = Space::new_in(Granule::FOUR_KIB, 0..PAGES as u64 * PAGE, &alloc).unwrap();
    let caches = CacheConfig::new(3).depot_magazines(2).idle_after(5);
    let queue = FlushConfig::new(3).entries(40).age_after(3).policy(policy);
    let config = DomainConfig::new(3).caches(caches).queue(queue).checking(checking);
    let domain = Domain::<R, _, _, _>::with_flush_queue(space, Numbered, &pages, config).unwrap();
    let free = |range: IovaRange, number| {
        pages.change(range, number, STALE);
        domain.free(range).unwrap();
    };
    let work = |number: u64, phase: u64, mut mine: Vec<IovaRange>| {
        NUMBER.set(number as usize);
        let mut rng = fastrand::Rng::with_seed(number + 100 * phase);
        for round in 0..8_000 {
            // Each has its tide.
            if rng.u64(0..8) < 3 + 2 * (round / 1000 % 2) {
                let size = if rng.u8(0..4) == 0 { rng.u64(1..=40) } else { 1 };
                match domain.allocate(&request(&mut rng, size)) {
                    Ok(range) => {
                        pages.change(range, 0, number);
                        mine.push(range);
                    }
                    Err(error) => assert!(!matches!(error, AllocateError::BadRequest(_)), "{error}"),
                }
            } else if !mine.is_empty() {
                free(mine.swap_remove(rng.usize(..mine.len())), number);
            }
            if round % 500 == number {
                domain.poll(phase * 16 + round / 500);
            }
        }
        mine
    };
    let mut held = [const { Vec::new() }; 4];
    for phase in 0..4 {
        held = thread::scope(|scope| {
            let mut number = 0;
            let workers = held.map(|mine| {
                number += 1;
                scope.spawn(move || work(number, phase, mine))
            });
            workers.map(|worker| worker.join().unwrap())
        });
        // Nobody moves anything now: every granule is in one place, and those that are live are those that are held.
        domain.validate().unwrap();
        let ranges = held.iter().map(Vec::len).sum::<usize>() as u64;
        assert_eq!(domain.statistics().live_ranges(), ranges);
        if checking == Checking::Exact {
            let mut live = 0;
            domain.for_each(|_, state| live += u64::from(state == RangeState::Live));
            assert_eq!(live, ranges);
        }
    }
    for (mine, number) in held.into_iter().zip(1..) {
        mine.into_iter().for_each(|range| free(range, number));
    }
    domain.validate().unwrap();
    let statistics = domain.statistics();
    assert_eq!(statistics.caches.refused, 0);
    assert!(statistics.caches.hits() > 1000, "{statistics:?}");
    let space = domain.into_space();
    assert_eq!(space.statistics().free_granules, PAGES as u128);
    space.validate().unwrap();
    drop(space);
    assert_eq!(alloc.counts().live, 0);
}

#[test]
fn threads_do_not_overlap_with_a_blocking_lock() {
    threads_do_not_overlap::<parking_lot::RawMutex>(Plan::Never, FlushPolicy::Deferred, Checking::Exact);
}

#[test]
fn threads_do_not_overlap_with_a_spin_lock() {
    threads_do_not_overlap::<spin::Mutex<()>>(Plan::Never, FlushPolicy::Deferred, Checking::Trust);
}

#[test]
fn threads_do_not_overlap_when_memory_fails() {
    let plan = Plan::Random { probability: 0.5, seed: 5 };
    threads_do_not_overlap::<parking_lot::RawMutex>(plan, FlushPolicy::Deferred, Checking::Trust);
}

#[test]
fn threads_do_not_overlap_without_deferral() {
    threads_do_not_overlap::<parking_lot::RawMutex>(Plan::Never, FlushPolicy::Strict, Checking::Exact);
}

type Spin = spin::Mutex<()>;
type OneCpu = Domain<Spin, fn() -> Cpu>;

fn one_cpu(checking: Checking) -> OneCpu {
    let space = Space::new(Granule::FOUR_KIB, 0..PAGES as u64 * PAGE).unwrap();
    let cpu: fn() -> Cpu = || Cpu::new(0);
    Domain::new(space, cpu, DomainConfig::new(1).checking(checking)).unwrap()
}

#[test]
fn a_handle_frees_what_it_has_once() {
    let domain = one_cpu(Checking::Exact);
    let one = domain.allocation(&Request::new(1)).unwrap();
    let range = one.range();
    drop(one);
    domain.free(range).unwrap_err();
    let kept = domain.allocation(&Request::new(2)).unwrap().into_range();
    domain.free(kept).unwrap();
    let last = domain.allocation(&Request::new(40)).unwrap();
    assert!(last.free_with(std::num::NonZeroUsize::MIN).is_err());
    domain.for_each(|range, state| assert_ne!(state, RangeState::Live, "{range}"));
}

#[test]
fn what_is_freed_twice_is_not_handed_out_twice_if_it_is_checked() {
    let domain = one_cpu(Checking::Exact);
    let ranges: Vec<_> = (0..300).map(|_| domain.allocate(&Request::new(1)).unwrap()).collect();
    for range in &ranges {
        domain.free(*range).unwrap();
    }
    // Whether they are cached, or went back to the tree.
    for range in &ranges {
        domain.free(*range).unwrap_err();
    }
    domain.flush();
    for range in &ranges {
        domain.free(*range).unwrap_err();
    }
    let mut again: Vec<_> = (0..300).map(|_| domain.allocate(&Request::new(1)).unwrap().first()).collect();
    again.sort_unstable();
    assert!(again.is_sorted_by(|a, b| a < b));
}

#[test]
fn what_is_seen_to_be_wrong_is_refused_if_it_is_trusted() {
    let domain = one_cpu(Checking::Trust);
    // Larger than any class: the backing knows.
    let large = domain.allocate(&Request::new(100)).unwrap();
    domain.free(large).unwrap();
    domain.free(large).unwrap_err();
    // Twice in a row.
    for _ in 0..4 {
        let range = domain.allocate(&Request::new(1)).unwrap();
        domain.free(range).unwrap();
        domain.free(range).unwrap_err();
    }
    // Of another domain.
    let mut other = Space::new(Granule::BYTE, 0..16).unwrap();
    domain.free(other.allocate(&Request::new(1)).unwrap()).unwrap_err();
    let mut other = Space::new(Granule::FOUR_KIB, ..).unwrap();
    domain.free(other.allocate(&Request::new(1)).unwrap()).unwrap_err();
    // Never allocated: it is cached, and the backing does not take it.
    domain.free(other.allocate(&Request::new(1).limit(PAGE - 1)).unwrap()).unwrap();
    domain.flush();
    assert_eq!(domain.statistics().caches.refused, 1);
    assert_eq!(domain.space().statistics().allocated_ranges, 0);
}

#[test]
fn a_hole_that_is_too_small_for_the_class_is_used() {
    let space = Space::new(Granule::FOUR_KIB, 0..7 * PAGE).unwrap();
    let cpu: fn() -> Cpu = || Cpu::new(0);
    let domain = OneCpu::new(space, cpu, DomainConfig::new(1).checking(Checking::Exact)).unwrap();
    assert_eq!(domain.allocate(&Request::new(3)).unwrap().granules(), 4);
    assert_eq!(domain.allocate(&Request::new(3)).unwrap().granules(), 3);
    let error = domain.allocate(&Request::new(3)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
}

fn first(domain: &OneCpu, request: &Request) -> u64 {
    domain.allocate(request).unwrap().first() / PAGE
}

#[test]
fn a_preferred_limit_is_honoured_by_caches() {
    let space = Space::new(Granule::FOUR_KIB, 0..16 * PAGE).unwrap();
    let cpu: fn() -> Cpu = || Cpu::new(0);
    let domain = OneCpu::new(space, cpu, DomainConfig::new(1).checking(Checking::Exact)).unwrap();
    let request = Request::new(1).prefer_limit(2 * PAGE - 1);
    // The tree below, then the tree above.
    assert_eq!([0; 4].map(|_| first(&domain, &request)), [1, 0, 15, 14]);
    // Memory for the caches.
    for _ in 0..3 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    }
    let pages = |page| {
        domain.free_sized(page * PAGE, 1).unwrap();
    };
    // Cached below, though one above was freed later; then a cached one above; then the tree.
    [0, 15].into_iter().for_each(pages);
    assert_eq!(domain.space().statistics().allocated_ranges, 5);
    assert_eq!([0; 3].map(|_| first(&domain, &request)), [0, 15, 13]);
    assert_eq!(first(&domain, &request), 12);
    // The tree below comes before what is cached above.
    [0, 1].into_iter().for_each(pages);
    domain.flush();
    pages(14);
    assert_eq!([0; 3].map(|_| first(&domain, &request)), [1, 0, 14]);
    let statistics = domain.statistics();
    assert_eq!(statistics.failures, iova::Failures::default());
    assert_eq!(statistics.space.counters.failures, iova::Failures::default());
}

#[test]
fn a_boundary_is_honoured_by_caches() {
    let domain = one_cpu(Checking::Exact);
    for _ in 0..3 {
        domain.free(domain.allocate(&Request::new(4)).unwrap()).unwrap();
    }
    let hits = domain.statistics().caches.hits();
    for boundary in [4, 8, 1 << 20] {
        let range = domain.allocate(&Request::new(3).align(1).not_crossing(boundary)).unwrap();
        let pfns = (range.first_pfn().get(), range.last_pfn().get());
        assert_eq!(pfns.0 / boundary, pfns.1 / boundary);
        domain.free(range).unwrap();
    }
    assert_eq!(domain.statistics().caches.hits(), hits + 3, "what is aligned crosses nothing");
    for boundary in [0, 2, 3] {
        let error = domain.allocate(&Request::new(3).align(1).not_crossing(boundary)).unwrap_err();
        assert!(matches!(error, AllocateError::BadRequest(_)), "{error}");
    }
}

#[test]
fn what_is_cached_is_not_in_the_way() {
    let domain = one_cpu(Checking::Exact);
    let ranges: Vec<_> = (0..100).map(|_| domain.allocate(&Request::new(1)).unwrap()).collect();
    for range in &ranges[..90] {
        domain.free(*range).unwrap();
    }
    domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    assert!(domain.statistics().cached_granules() > 0);
    let (lowest, highest) = (ranges[89].first(), ranges[0].last());
    let placed = domain.allocate_at(lowest..=highest, AllocMode::Normal).unwrap();
    assert_eq!(placed.granules(), 90);
    // What is live is.
    let error = domain.reserve(ranges[99].first()..=highest, AllocMode::Normal).unwrap_err();
    assert_eq!(error, PlaceError::Occupied { by: ranges[99], kind: RangeKind::Allocated });
    domain.validate().unwrap();
    domain.free(placed).unwrap();
    assert_eq!(domain.free(placed), Err(FreeError::NotAllocated { iova: lowest }));
    assert_eq!(domain.reserve(lowest..=highest, AllocMode::Normal), Ok(90));
    assert!(matches!(domain.free(placed), Err(FreeError::Reserved { .. })));
    assert_eq!(domain.unreserve(lowest..=highest, AllocMode::Normal), Ok(90));
    assert_eq!(domain.longest_free_run(u64::MAX).unwrap().last(), ranges[99].first() - 1);
    domain.validate().unwrap();
}

#[test]
fn what_a_space_holds_already_is_live() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..16 * PAGE).unwrap();
    let old = space.allocate(&Request::new(4)).unwrap();
    let cpu: fn() -> Cpu = || Cpu::new(0);
    let domain = OneCpu::new(space, cpu, DomainConfig::new(1).checking(Checking::Exact)).unwrap();
    domain.validate().unwrap();
    domain.free(old).unwrap();
    domain.free(old).unwrap_err();
    assert_eq!(domain.into_space().statistics().free_granules, 16);
}
