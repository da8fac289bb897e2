//! Taking reservations away: whole regions without memory, parts of them wholly or not at all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::{AllocMode, BadRequest, Granule, NodeAlloc, PlaceError, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const NORMAL: AllocMode = AllocMode::Normal;

fn regions<A: NodeAlloc>(space: &Space<A>) -> Vec<(u64, u64)> {
    space.validate().unwrap();
    space.reserved_regions().map(|region| (region.first() / PAGE, region.last() / PAGE)).collect()
}

#[test]
fn a_part_splits_a_region() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    space.reserve(10 * PAGE..30 * PAGE, NORMAL).unwrap();
    assert_eq!(space.unreserve(15 * PAGE..20 * PAGE, NORMAL), Ok(5));
    assert_eq!(regions(&space), [(10, 14), (20, 29)]);
    // From both sides into it, the whole of one, and what is between two.
    assert_eq!(space.unreserve(0..11 * PAGE, NORMAL), Ok(1));
    assert_eq!(space.unreserve(28 * PAGE..40 * PAGE, NORMAL), Ok(2));
    assert_eq!(regions(&space), [(11, 14), (20, 27)]);
    assert_eq!(space.unreserve(14 * PAGE..21 * PAGE, NORMAL), Ok(2));
    assert_eq!(regions(&space), [(11, 13), (21, 27)]);
    assert_eq!(space.unreserve(11 * PAGE..14 * PAGE, NORMAL), Ok(3));
    assert_eq!(space.unreserve(11 * PAGE..14 * PAGE, NORMAL), Ok(0));
    assert_eq!(space.unreserve(.., NORMAL), Ok(7));
    assert_eq!((space.statistics().free_granules, space.statistics().nodes), (64, 0));
}

#[test]
fn what_is_unreserved_is_handed_out_at_once() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    space.reserve(.., NORMAL).unwrap();
    assert!(space.allocate(&Request::new(1)).is_err());
    space.unreserve(40 * PAGE..44 * PAGE, NORMAL).unwrap();
    assert_eq!(space.allocate(&Request::new(4)).unwrap().first(), 40 * PAGE);
    assert!(space.allocate(&Request::new(1)).is_err());
}

#[test]
fn allocations_are_left_alone() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    space.reserve(0..20 * PAGE, NORMAL).unwrap();
    let one = space.allocate_at(20 * PAGE..30 * PAGE, NORMAL).unwrap();
    space.reserve(30 * PAGE..40 * PAGE, NORMAL).unwrap();
    assert_eq!(space.unreserve(10 * PAGE..35 * PAGE, NORMAL), Ok(15));
    assert_eq!(regions(&space), [(0, 9), (35, 39)]);
    assert_eq!(space.unreserve(20 * PAGE..30 * PAGE, NORMAL), Ok(0));
    assert!(space.allocations().eq([one]));
}

#[test]
fn ranges_that_make_no_sense() {
    let mut space = Space::new(Granule::FOUR_KIB, 4 * PAGE..64 * PAGE).unwrap();
    space.reserve(.., NORMAL).unwrap();
    let empty = space.unreserve(5 * PAGE..5 * PAGE, NORMAL);
    assert_eq!(empty, Err(PlaceError::BadRequest(BadRequest::EmptyRange)));
    assert_eq!(space.statistics().counters.failures.bad_requests, 1);
    // Outside of the aperture there is nothing to do.
    assert_eq!(space.unreserve(0..4 * PAGE, NORMAL), Ok(0));
    assert_eq!(space.unreserve(64 * PAGE.., NORMAL), Ok(0));
    assert_eq!(space.unreserve(0..5 * PAGE, NORMAL), Ok(1));
    assert_eq!(regions(&space), [(5, 63)]);
}

/// Granules that a range has only in part are reserved whole, and unreserved whole.
#[test]
fn the_same_range_undoes_a_reservation() {
    let ends = [0, 1, PAGE - 1, PAGE, 5 * PAGE + 7, 9 * PAGE - 1, 64 * PAGE - 1, u64::MAX - 1, u64::MAX];
    for first in ends {
        for last in ends.into_iter().filter(|last| *last >= first) {
            let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
            let granules = space.reserve(first..=last, NORMAL).unwrap();
            assert_eq!(space.unreserve(first..=last, NORMAL), Ok(granules), "{first:#x}..={last:#x}");
            assert_eq!((regions(&space), space.statistics().free_granules), (vec![], 64));
        }
    }
    let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    space.reserve(3 * PAGE + 1..=3 * PAGE + 1, NORMAL).unwrap();
    assert_eq!(space.unreserve(2 * PAGE + 5..=4 * PAGE, NORMAL), Ok(1));
}

/// A space without a gap, of regions of six pages and allocations of one, in an order that leaves hardly any room in its
/// nodes; and no node is to be had.
fn packed<'a>(alloc: &'a FaultyAlloc, order: &[u64]) -> Space<&'a FaultyAlloc> {
    alloc.set_plan(Plan::Never);
    let mut space = with_regions(alloc);
    for page in order {
        space.allocate_at(page * PAGE..(page + 1) * PAGE, NORMAL).unwrap();
    }
    assert_eq!(space.statistics().free_granules, 0);
    alloc.set_plan(Plan::After(0));
    space
}

fn with_regions(alloc: &FaultyAlloc) -> Space<&FaultyAlloc> {
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..900 * PAGE, alloc).unwrap();
    for first in (0..900).step_by(9) {
        space.reserve(first * PAGE..(first + 6) * PAGE, NORMAL).unwrap();
    }
    space
}

/// The pages between the regions, in an order in which a new node is only made when no page can do without.
fn packing_order() -> Vec<u64> {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = with_regions(&alloc);
    let (mut order, mut pages) = (Vec::new(), (0..900).filter(|page| page % 9 >= 6).collect::<Vec<u64>>());
    while !pages.is_empty() {
        alloc.set_plan(Plan::After(0));
        let before = order.len();
        pages.retain(|page| {
            let taken = space.allocate_at(page * PAGE..(page + 1) * PAGE, AllocMode::Atomic).is_ok();
            order.extend(taken.then_some(*page));
            !taken
        });
        if order.len() == before {
            alloc.set_plan(Plan::Never);
            let page = pages.remove(pages.len() / 2);
            space.allocate_at(page * PAGE..(page + 1) * PAGE, NORMAL).unwrap();
            order.push(page);
        }
    }
    order
}

#[test]
fn whole_regions_need_no_memory() {
    let (alloc, order) = (FaultyAlloc::new(Plan::Never), packing_order());
    let mut space = packed(&alloc, &order);
    let calls = alloc.counts().calls;
    let mut rng = fastrand::Rng::with_seed(1);
    let mut shuffled: Vec<u64> = (0..100).collect();
    rng.shuffle(&mut shuffled);
    for (number, region) in shuffled.into_iter().enumerate() {
        // Exactly, or with the allocations beside it.
        let (first, last) = (region * 9, region * 9 + 6 + rng.u64(0..4));
        assert_eq!(space.unreserve(first * PAGE..last * PAGE, AllocMode::Atomic), Ok(6));
        assert_eq!(space.statistics().free_granules, (number as u128 + 1) * 6);
    }
    space.validate().unwrap();
    assert_eq!(space.statistics().allocated_ranges, 300);
    assert_eq!(alloc.counts().calls, calls);
}

/// A range that cuts two regions may need a node for each. If the second is missing, the first region is whole again.
#[test]
fn if_memory_is_missing_nothing_is_unreserved() {
    let (alloc, order) = (FaultyAlloc::new(Plan::Never), packing_order());
    let (mut none, mut second, mut both) = (0, 0, 0);
    for first in (0..900_u64).filter(|first| first % 9 == 1) {
        for last in (first + 1..900).filter(|last| last % 9 == 4) {
            for failing in [1, 2] {
                let mut space = packed(&alloc, &order);
                let (before, was) = (space.statistics(), regions(&space));
                alloc.set_plan(Plan::Nth(failing));
                match space.unreserve(first * PAGE..=last * PAGE + (PAGE - 1), AllocMode::Atomic) {
                    Ok(granules) => {
                        let reserved = (first..=last).filter(|page| page % 9 < 6).count();
                        assert_eq!(granules, reserved as u128);
                        both += 1;
                    }
                    Err(PlaceError::OutOfNodeMemory(error)) => {
                        assert_eq!(regions(&space), was);
                        let mut after = space.statistics();
                        assert_eq!(
                            after.counters.failures.out_of_node_memory,
                            before.counters.failures.out_of_node_memory + 1
                        );
                        (after.counters, after.nodes, after.node_bytes) =
                            (before.counters, before.nodes, before.node_bytes);
                        assert_eq!(after, before);
                        let cut_left = error.range.first() == first * PAGE;
                        none += u32::from(cut_left);
                        second += u32::from(!cut_left);
                    }
                    Err(error) => unreachable!("{error}"),
                }
                space.validate().unwrap();
                drop(space);
                assert_eq!(alloc.counts().live, 0);
            }
        }
    }
    assert!(none > 100 && second > 20 && both > 1000, "{none}, {second}, {both}");
}
