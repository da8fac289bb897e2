//! Freeing in batches: all that can be freed is, the rest is reported, and nothing asks for memory.

use iova::{AllocMode, FreeBatch, FreeError, Granule, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;

#[test]
fn each_wrong_one_is_reported_and_stops_no_other() {
    let mut space = Space::with_windows(Granule::FOUR_KIB, [0..32 * PAGE, 48 * PAGE..64 * PAGE]).unwrap();
    space.reserve(0..PAGE, AllocMode::Normal).unwrap();
    let ranges: Vec<_> = (0..8).map(|_| space.allocate(&Request::new(2)).unwrap()).collect();
    assert_eq!(ranges[7].first(), 48 * PAGE);
    let mut iovas: Vec<u64> = ranges.iter().map(|range| range.first()).collect();
    iovas.extend([ranges[3].first(), 0, 5, 8 * PAGE, 40 * PAGE, ranges[5].first() + PAGE, u64::MAX]);
    fastrand::Rng::with_seed(1).shuffle(&mut iovas);

    let mut wrong = Vec::new();
    let mut batch = FreeBatch::new(&mut iovas);
    assert_eq!((batch.len(), batch.is_empty()), (15, false));
    let freed = space.free_batch(&mut batch, usize::MAX, |error| wrong.push(error));
    assert_eq!((freed, batch.is_empty()), (8, true));
    assert_eq!(space.statistics().allocated_ranges, 0);
    // In order of address: the range around a wrong address in it is there until its own first iova has its turn, and
    // that was before.
    let between = space.find(40 * PAGE).unwrap().0;
    let aperture = space.aperture();
    let expected = [
        FreeError::Reserved { iova: 0, region: space.find(0).unwrap().0 },
        FreeError::Misaligned { iova: 5, granule: Granule::FOUR_KIB },
        FreeError::NotAllocated { iova: 8 * PAGE },
        FreeError::BetweenWindows { iova: 40 * PAGE, between },
        FreeError::NotAllocated { iova: ranges[5].first() + PAGE },
        FreeError::NotAllocated { iova: ranges[3].first() },
        FreeError::OutsideAperture { iova: u64::MAX, aperture },
    ];
    assert_eq!(wrong, expected);
    assert_eq!(space.statistics().counters.failures.wrong_frees.total(), 7);
    assert_eq!(space.free_batch(&mut batch, 5, |_| ()), 0);
    space.validate().unwrap();
}

#[test]
fn a_step_frees_as_many_as_are_asked_for_and_at_least_one() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..128 * PAGE).unwrap();
    let mut iovas: Vec<u64> = (0..100).map(|_| space.allocate(&Request::new(1)).unwrap().first()).collect();
    let mut batch = FreeBatch::new(&mut iovas);
    for (most, left) in [(0, 99), (1, 98), (32, 66), (66, 0), (7, 0)] {
        space.free_batch(&mut batch, most, |error| unreachable!("{error}"));
        assert_eq!((batch.len(), space.statistics().allocated_ranges), (left, left as u64));
        space.validate().unwrap();
    }
    let mut none = [];
    assert!(FreeBatch::new(&mut none).is_empty());
}

/// Everything on the free side, under each plan that refuses: no call is made at all.
#[test]
fn nothing_that_frees_asks_for_memory() {
    let plans = [Plan::After(0), Plan::Nth(1), Plan::Every(2), Plan::Random { probability: 0.5, seed: 3 }];
    for (seed, plan) in plans.into_iter().enumerate() {
        let mut rng = fastrand::Rng::with_seed(seed as u64);
        let alloc = FaultyAlloc::new(Plan::Never);
        let mut space = Space::new_in(Granule::FOUR_KIB, 0..1 << 32, &alloc).unwrap();
        for _ in 0..100 {
            let first = rng.u64(0..1 << 20) * PAGE;
            let _ = space.reserve(first..first + rng.u64(1..8) * PAGE, AllocMode::Normal);
        }
        let mut ranges: Vec<_> =
            (0..5000).map(|_| space.allocate(&Request::new(rng.u64(1..40))).unwrap()).collect();
        rng.shuffle(&mut ranges);
        let regions: Vec<_> = space.reserved_regions().collect();
        let calls = alloc.counts().calls;
        alloc.set_plan(plan);

        for range in ranges.drain(..1000) {
            assert_eq!(space.free(range.first()), Ok(range));
            assert!(space.free(range.first()).is_err());
        }
        for range in ranges.drain(..1000) {
            let granules = u64::try_from(range.granules()).unwrap();
            assert!(space.free_sized(range.first(), granules + 1).is_err());
            assert_eq!(space.free_sized(range.first(), granules), Ok(range));
        }
        let mut iovas: Vec<u64> = ranges.drain(..1000).map(|range| range.first()).collect();
        let mut batch = FreeBatch::new(&mut iovas);
        while !batch.is_empty() {
            space.free_batch(&mut batch, 127, |error| unreachable!("{error}"));
        }
        for region in regions.iter().take(50) {
            let freed = space.unreserve(region.first()..=region.last(), AllocMode::Atomic);
            assert_eq!(freed, Ok(region.granules()));
        }
        space.validate().unwrap();
        drop(space);
        assert_eq!((alloc.counts().calls, alloc.counts().live), (calls, 0));
    }
}
