//! Nothing on the side that frees calls the global allocator; and when it fails, everything goes on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::cell::Cell;
use std::num::NonZeroUsize;

use iova::cache::CacheConfig;
use iova::cpu::Cpu;
use iova::flush::{FlushConfig, Invalidate};
use iova::{AllocateError, Checking, Domain, DomainConfig, Granule, LockedSpace, RangeState, Request, Space};
use maple_faults::{FaultyGlobal, Plan, ThisThread};

const PAGE: u64 = 4096;

#[global_allocator]
static GLOBAL: FaultyGlobal = FaultyGlobal;

/// Runs something that must not call the allocator.
fn without_calls<T>(what: &str, run: impl FnOnce() -> T) -> T {
    ThisThread.start(Plan::Never);
    let result = ThisThread.within(run);
    assert_eq!(ThisThread.counts().calls, 0, "{what} called the allocator");
    result
}

/// Runs something while all allocations fail.
fn without_memory<T>(run: impl FnOnce() -> T) -> T {
    ThisThread.start(Plan::After(0));
    ThisThread.within(run)
}

struct Iommu;

impl Invalidate for Iommu {
    fn flush_all(&self) {}
}

type Lock = spin::Mutex<()>;
type Subject = Domain<Lock, fn() -> Cpu, Iommu>;

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

fn subject(checking: Checking) -> Subject {
    let space = Space::new(Granule::FOUR_KIB, 0..PAGE << 20).unwrap();
    let cpu: fn() -> Cpu = || Cpu::new(CPU.get());
    let config = DomainConfig::new(3)
        .caches(CacheConfig::new(3).depot_magazines(2))
        .queue(FlushConfig::new(3).entries(50))
        .checking(checking);
    Domain::with_flush_queue(space, cpu, Iommu, config).unwrap()
}

fn freeing_calls_no_allocator(checking: Checking) {
    let domain = subject(checking);
    let mut rng = fastrand::Rng::with_seed(3);
    let mut live = Vec::with_capacity(10_000);
    for wave in 0..60 {
        for _ in 0..rng.usize(1..2000) {
            CPU.set(rng.usize(0..3));
            let size = if rng.u8(0..8) == 0 { rng.u64(1..=40) } else { 1 };
            live.push(domain.allocate(&Request::new(size)).unwrap());
        }
        without_calls("freeing", || {
            // The fourth wave and each after leaves some.
            for _ in 0..live.len() - live.len() / 4 * usize::from(wave > 3) {
                CPU.set(rng.usize(0..2));
                let range = live.swap_remove(rng.usize(..live.len()));
                domain.free_with(range, NonZeroUsize::MIN).unwrap();
                if checking == Checking::Exact {
                    domain.free(range).unwrap_err();
                }
            }
        });
        without_calls("polling", || domain.poll(wave * 60_000_000));
        without_calls("statistics", || domain.statistics());
        if wave % 10 == 9 {
            without_calls("flushing", || domain.flush());
        }
    }
    let statistics = domain.statistics();
    assert!(statistics.caches.hits() > 1000 && statistics.queue.deferred > 1000, "{statistics:?}");
    assert!(statistics.caches.classes()[0].depot_hits > 0);
    without_calls("dropping", || drop(domain));
}

#[test]
fn freeing_calls_no_allocator_if_it_is_trusted() {
    freeing_calls_no_allocator(Checking::Trust);
}

#[test]
fn freeing_calls_no_allocator_if_it_is_checked() {
    freeing_calls_no_allocator(Checking::Exact);
}

#[test]
fn without_memory_for_caches_everything_goes_on() {
    let domain = subject(Checking::Trust);
    let mut live = Vec::with_capacity(1000);
    // With memory for nodes, but none for magazines and rings: wishes are granted by allocations only.
    for _ in 0..100 {
        live.push(domain.allocate(&Request::new(1)).unwrap());
    }
    without_memory(|| {
        for _ in 0..1000 {
            domain.free(live.swap_remove(0)).unwrap();
            // The leaf has room again, so no node is needed.
            live.push(domain.allocate(&Request::new(1)).unwrap());
        }
    });
    let statistics = domain.statistics();
    assert_eq!(
        (statistics.caches.magazines, statistics.caches.hits(), statistics.queue.strict),
        (0, 0, 1000)
    );
    // As soon as there is memory, it is used.
    for _ in 0..100 {
        domain.free(live.swap_remove(0)).unwrap();
        live.push(domain.allocate(&Request::new(1)).unwrap());
    }
    assert!(domain.statistics().queue.deferred > 50 && domain.statistics().caches.magazines > 0);
}

#[test]
fn without_memory_to_note_a_range_it_is_not_handed_out() {
    let domain = subject(Checking::Exact);
    let first = domain.allocate(&Request::new(1)).unwrap();
    let refused = without_memory(|| (0..1000).find_map(|_| domain.allocate(&Request::new(1)).err()));
    assert!(matches!(refused, Some(AllocateError::OutOfNodeMemory(_))));
    let mut live = 0;
    domain.for_each(|_, state| live += u64::from(state == RangeState::Live));
    let cached = domain.statistics().caches.cached_ranges();
    assert_eq!(domain.space().statistics().allocated_ranges, live + cached);
    domain.free(first).unwrap();
}

#[test]
fn a_domain_is_not_made_without_memory() {
    let space = || Space::new(Granule::FOUR_KIB, 0..PAGE << 20).unwrap();
    let make =
        |space: LockedSpace<Lock>| iova::cache::Caches::<Lock, _>::new(space, CacheConfig::new(3)).err();
    let space = space().into();
    assert_eq!(without_memory(|| make(space)), Some(iova::cache::OutOfMemory));
}
