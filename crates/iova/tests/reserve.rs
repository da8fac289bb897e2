//! Reserving: overlaps merge, allocations are in the way, and it is all or nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::{AllocMode, AllocateError, BadRequest, Granule, NodeAlloc, PlaceError, RangeKind, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const NORMAL: AllocMode = AllocMode::Normal;

fn pages(count: u64) -> Space {
    Space::new(Granule::FOUR_KIB, 0..count * PAGE).unwrap()
}

/// The reserved regions in pages: first and last.
fn regions<A: NodeAlloc>(space: &Space<A>) -> Vec<(u64, u64)> {
    space.validate().unwrap();
    space.reserved_regions().map(|region| (region.first() / PAGE, region.last() / PAGE)).collect()
}

#[test]
fn overlapping_reservations_merge() {
    let mut space = pages(64);
    assert_eq!(space.reserve(10 * PAGE..20 * PAGE, NORMAL), Ok(10));
    assert_eq!(space.reserve(15 * PAGE..25 * PAGE, NORMAL), Ok(5));
    assert_eq!(space.reserve(5 * PAGE..12 * PAGE, NORMAL), Ok(5));
    assert_eq!(space.reserve(40 * PAGE..41 * PAGE, NORMAL), Ok(1));
    assert_eq!(space.reserve(42 * PAGE..43 * PAGE, NORMAL), Ok(1));
    assert_eq!(regions(&space), [(5, 24), (40, 40), (42, 42)]);
    assert_eq!(space.reserve(.., NORMAL), Ok(64 - 22));
    assert_eq!(regions(&space), [(0, 63)]);
    assert_eq!(space.statistics().free_granules, 0);
}

#[test]
fn a_covered_reservation_changes_nothing() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..64 * PAGE, &alloc).unwrap();
    space.reserve(10 * PAGE..20 * PAGE, NORMAL).unwrap();
    space.reserve(20 * PAGE..30 * PAGE, NORMAL).unwrap();
    let before = space.statistics();
    alloc.set_plan(Plan::After(0));
    for (first, last) in [(10, 30), (10, 11), (29, 30), (15, 25), (20, 21)] {
        assert_eq!(space.reserve(first * PAGE..last * PAGE, AllocMode::Atomic), Ok(0));
    }
    assert_eq!(space.statistics(), before);
}

#[test]
fn parts_of_granules_are_reserved_whole() {
    let mut space = pages(16);
    assert_eq!(space.reserve(3 * PAGE + 5..=3 * PAGE + 5, NORMAL), Ok(1));
    assert_eq!(space.reserve(7 * PAGE - 1..=7 * PAGE, NORMAL), Ok(2));
    assert_eq!(regions(&space), [(3, 3), (6, 7)]);
}

#[test]
fn what_lies_outside_of_the_aperture_is_skipped() {
    let mut space = Space::new(Granule::FOUR_KIB, 4 * PAGE..8 * PAGE).unwrap();
    assert_eq!(space.reserve(0..4 * PAGE, NORMAL), Ok(0));
    assert_eq!(space.reserve(8 * PAGE.., NORMAL), Ok(0));
    assert_eq!(space.reserve(0..5 * PAGE, NORMAL), Ok(1));
    assert_eq!(space.reserve(7 * PAGE..=u64::MAX, NORMAL), Ok(1));
    assert_eq!(regions(&space), [(4, 4), (7, 7)]);
}

#[test]
fn nothing_is_handed_out_of_a_reserved_region() {
    let mut space = pages(64);
    space.reserve(32 * PAGE..48 * PAGE, NORMAL).unwrap();
    let mut taken = 0;
    while let Ok(range) = space.allocate(&Request::new(1)) {
        assert!(range.first() < 32 * PAGE || range.first() >= 48 * PAGE);
        taken += 1;
    }
    assert_eq!(taken, 48);
    let error = space.allocate(&Request::new(1)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.free_granules == 0));
}

#[test]
fn an_allocation_in_the_way_is_named_and_nothing_is_reserved() {
    let mut space = pages(64);
    let range = space.allocate_at(30 * PAGE..32 * PAGE, NORMAL).unwrap();
    space.reserve(5 * PAGE..6 * PAGE, NORMAL).unwrap();
    space.reserve(10 * PAGE..11 * PAGE, NORMAL).unwrap();
    space.reserve(20 * PAGE..30 * PAGE, NORMAL).unwrap();
    space.reserve(32 * PAGE..34 * PAGE, NORMAL).unwrap();
    let mut before = space.statistics();
    // From the start, from the middle of what is reserved, from the allocation, from its middle.
    for (number, first) in [0, 5, 7, 25, 30, 31].into_iter().enumerate() {
        assert_eq!(
            space.reserve(first * PAGE..40 * PAGE, NORMAL),
            Err(PlaceError::Occupied { by: range, kind: RangeKind::Allocated })
        );
        assert_eq!(regions(&space), [(5, 5), (10, 10), (20, 29), (32, 33)]);
        before.counters.failures.occupied = number as u64 + 1;
        assert_eq!(space.statistics(), before);
    }
    space.free(range.first()).unwrap();
    assert_eq!(space.reserve(0..40 * PAGE, NORMAL), Ok(40 - 14));
    assert_eq!(regions(&space), [(0, 39)]);
}

#[test]
fn an_empty_reservation_is_an_error() {
    let mut space = pages(16);
    for (first, end) in [(5, 5), (0, 0), (9, 3)] {
        let empty = space.reserve(first * PAGE..end * PAGE, NORMAL);
        assert_eq!(empty, Err(PlaceError::BadRequest(BadRequest::EmptyRange)));
    }
    assert_eq!(space.statistics().counters.failures.bad_requests, 3);
}

/// A space in which every fourth page is reserved (1, 5, 9 and so on), and pages between them until hardly a leaf
/// has room for more.
fn combed(alloc: &FaultyAlloc) -> Space<&FaultyAlloc> {
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..1024 * PAGE, alloc).unwrap();
    for page in (1..1024).step_by(4) {
        space.reserve(page * PAGE..(page + 1) * PAGE, NORMAL).unwrap();
    }
    alloc.set_plan(Plan::After(0));
    for page in (3..1020).step_by(4) {
        let _ = space.reserve(page * PAGE..(page + 1) * PAGE, NORMAL);
    }
    space
}

/// Pieces that fill whole gaps need no node; the last one cuts a gap and needs a slot more, for which the leaf may
/// have no room. What was added until then must be taken out again.
#[test]
fn if_a_later_piece_finds_no_memory_none_is_reserved() {
    let mut undone = 0;
    for first in [1, 2, 401, 900] {
        for last in ((first + 10) | 3..1024).step_by(4) {
            let alloc = FaultyAlloc::new(Plan::Never);
            let mut space = combed(&alloc);
            let (before, was) = (space.statistics(), regions(&space));
            let result = space.reserve(first * PAGE..last * PAGE, AllocMode::Atomic);
            let covered = |page: &u64| was.iter().any(|(first, last)| (first..=last).contains(&page));
            let missing_before = |end: u64| (first..end).filter(|page| !covered(page)).count() as u128;
            let missing = missing_before(last);
            if let Err(PlaceError::OutOfNodeMemory(error)) = result {
                undone += u32::from(missing_before(error.range.first() / PAGE) > 0);
                assert_eq!(regions(&space), was);
                let mut after = space.statistics();
                assert_eq!(
                    after.counters.failures.out_of_node_memory,
                    before.counters.failures.out_of_node_memory + 1
                );
                after.counters = before.counters;
                assert_eq!(after, before);
                alloc.set_plan(Plan::Never);
                assert_eq!(space.reserve(first * PAGE..last * PAGE, NORMAL), Ok(missing));
            } else {
                assert_eq!(result, Ok(missing));
            }
            let whole = space.find((first + 1) * PAGE).unwrap().0;
            assert!(whole.contains(last * PAGE - 1), "{whole}");
            drop(space);
            assert_eq!(alloc.counts().live, 0);
        }
    }
    assert!(undone > 100, "only {undone} reservations were undone");
}

/// What is undone is what this reservation added, whatever was reserved before, and in how many steps.
#[test]
fn undoing_spares_older_reservations() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        let mut space = pages(256);
        let allocated = space.allocate_at(200 * PAGE..201 * PAGE, NORMAL).unwrap();
        for _ in 0..rng.u32(0..30) {
            let first = rng.u64(0..190);
            let last = (first + rng.u64(1..30)).min(200);
            space.reserve(first * PAGE..last * PAGE, NORMAL).unwrap();
            let was = regions(&space);
            let first = rng.u64(0..=200);
            let occupied = space.reserve(first * PAGE..210 * PAGE, NORMAL);
            assert_eq!(occupied, Err(PlaceError::Occupied { by: allocated, kind: RangeKind::Allocated }));
            assert_eq!(regions(&space), was);
        }
    }
}
