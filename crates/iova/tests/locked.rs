//! The locked space, with two kinds of locks and many threads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use iova::lock_api::RawMutex;
use iova::{AllocMode, AllocateError, Granule, LockedSpace, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn domains_go_where_they_are_needed() {
    is_send_and_sync::<LockedSpace<parking_lot::RawMutex>>();
    is_send_and_sync::<LockedSpace<spin::Mutex<()>>>();
    is_send_and_sync::<LockedSpace<parking_lot::RawMutex, &FaultyAlloc>>();
    is_send_and_sync::<Space>();
}

/// Threads allocate and free. Each writes its number into the pages that it got and finds them empty before.
fn threads_do_not_overlap<R: RawMutex + Send + Sync>(plan: Plan) {
    let alloc = FaultyAlloc::new(plan);
    let space = Space::new_in(Granule::FOUR_KIB, 0..512 * PAGE, &alloc).unwrap();
    let shared: LockedSpace<R, _> = LockedSpace::new(space);
    let owners: Vec<_> = (0..512).map(|_| AtomicU64::new(0)).collect();
    let work = |number: u64| {
        let mut rng = fastrand::Rng::with_seed(number);
        let mut mine = Vec::new();
        let pages_of = |range: iova::IovaRange| range.first() / PAGE..=range.last() / PAGE;
        for _ in 0..20_000 {
            if rng.bool() {
                let request = Request::new(rng.u64(1..=16)).mode(AllocMode::Atomic);
                match shared.allocate(&request) {
                    Ok(range) => {
                        for page in pages_of(range) {
                            assert_eq!(owners[page as usize].swap(number, Ordering::SeqCst), 0);
                        }
                        mine.push(range);
                    }
                    Err(error) => assert!(!matches!(error, AllocateError::BadRequest(_))),
                }
            } else if !mine.is_empty() {
                let range = mine.swap_remove(rng.usize(..mine.len()));
                for page in pages_of(range) {
                    assert_eq!(owners[page as usize].swap(0, Ordering::SeqCst), number);
                }
                assert_eq!(shared.free(range.first()), Ok(range));
            }
        }
        for range in mine {
            for page in pages_of(range) {
                assert_eq!(owners[page as usize].swap(0, Ordering::SeqCst), number);
            }
            assert_eq!(shared.free(range.first()), Ok(range));
        }
    };
    thread::scope(|scope| {
        for number in 1..=4 {
            scope.spawn(move || work(number));
        }
    });
    let statistics = shared.statistics();
    assert_eq!((statistics.free_granules, statistics.nodes), (512, 0));
    assert_eq!(statistics.counters.allocations, statistics.counters.frees);
    assert!(statistics.counters.allocations > 1000);
    assert!(statistics.counters.failures.out_of_address_space > 0, "there was always room");
    shared.validate().unwrap();
    drop(shared);
    assert_eq!(alloc.counts().live, 0);
}

#[test]
fn threads_do_not_overlap_with_a_blocking_lock() {
    threads_do_not_overlap::<parking_lot::RawMutex>(Plan::Never);
}

#[test]
fn threads_do_not_overlap_with_a_spin_lock() {
    threads_do_not_overlap::<spin::Mutex<()>>(Plan::Never);
}

#[test]
fn threads_do_not_overlap_when_memory_fails() {
    threads_do_not_overlap::<parking_lot::RawMutex>(Plan::Random { probability: 0.5, seed: 5 });
}

#[test]
fn all_operations_are_there() {
    let space = Space::new(Granule::FOUR_KIB, 0..16 * PAGE).unwrap();
    let shared: LockedSpace<spin::Mutex<()>> = space.into();
    assert_eq!((shared.granule(), shared.aperture().granules()), (Granule::FOUR_KIB, 16));
    assert_eq!(shared.reserve(0..PAGE, AllocMode::Atomic), Ok(1));
    let fixed = shared.allocate_at(4 * PAGE..8 * PAGE, AllocMode::Atomic).unwrap();
    let highest = shared.allocate(&Request::new(1)).unwrap();
    assert_eq!(shared.find(highest.first()).unwrap().0, highest);
    assert!(shared.lock().allocations().eq([fixed, highest]));
    assert_eq!(shared.statistics().allocated_granules, 5);
    assert_eq!(shared.free(fixed.first()), Ok(fixed));
    assert!(shared.free(fixed.first()).is_err());
    shared.validate().unwrap();
    let space = shared.into_inner();
    assert!(space.allocations().eq([highest]));
    assert_eq!(space.reserved_regions().count(), 1);
}
