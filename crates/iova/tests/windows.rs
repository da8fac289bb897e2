//! Spaces of several windows: what lies between them is never handed out, and is no reserved region.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use core::ops::RangeInclusive;

use iova::{
    AllocMode, AllocateError, FreeError, Granule, InvalidAperture, NodeAlloc, PlaceError, RangeKind, Request,
    Space, WindowsError,
};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const NORMAL: AllocMode = AllocMode::Normal;

/// Windows in pages, first and last.
fn space(windows: &[(u64, u64)]) -> Space {
    Space::with_windows(Granule::FOUR_KIB, windows.iter().copied().map(bytes)).unwrap()
}

fn bytes((first, last): (u64, u64)) -> RangeInclusive<u64> {
    first * PAGE..=last * PAGE + (PAGE - 1)
}

fn windows<A: NodeAlloc>(space: &Space<A>) -> Vec<(u64, u64)> {
    space.validate().unwrap();
    space.windows().map(|window| (window.first() / PAGE, window.last() / PAGE)).collect()
}

#[test]
fn windows_come_in_any_order_overlap_and_adjoin() {
    assert_eq!(windows(&space(&[(0, 9), (20, 29)])), [(0, 9), (20, 29)]);
    assert_eq!(windows(&space(&[(20, 29), (40, 40), (0, 9)])), [(0, 9), (20, 29), (40, 40)]);
    assert_eq!(windows(&space(&[(0, 9), (10, 19), (30, 30)])), [(0, 19), (30, 30)]);
    assert_eq!(windows(&space(&[(5, 15), (0, 9), (12, 13), (0, 9)])), [(0, 15)]);
    assert_eq!(windows(&space(&[(7, 7)])), [(7, 7)]);
    assert_eq!(windows(&Space::new(Granule::FOUR_KIB, 0..16 * PAGE).unwrap()), [(0, 15)]);
}

#[test]
fn one_window_is_a_space_without_nodes() {
    for list in [&[(3, 9)][..], &[(3, 5), (6, 9)], &[(8, 9), (3, 8)]] {
        let space = space(list);
        assert_eq!(space.statistics().nodes, 0);
        assert_eq!((space.aperture().first(), space.aperture().granules()), (3 * PAGE, 7));
    }
}

#[test]
fn windows_at_both_ends_of_everything() {
    let (low, high) = (0..=0, u64::MAX..=u64::MAX);
    let mut space = Space::with_windows(Granule::BYTE, [high, low]).unwrap();
    assert_eq!((space.aperture().granules(), space.statistics().free_granules), (1 << 64, 2));
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), u64::MAX);
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), 0);
    assert!(space.allocate(&Request::new(1)).is_err());
    assert_eq!(space.statistics().excluded_granules, (1 << 64) - 2);
    assert_eq!(space.find(1 << 40).unwrap().1, RangeKind::Excluded);
    space.validate().unwrap();
}

#[test]
fn windows_that_make_no_sense() {
    let granule = Granule::FOUR_KIB;
    let invalid =
        |windows: &[RangeInclusive<u64>]| match Space::with_windows(granule, windows.iter().cloned())
            .map(|_| ())
        {
            Err(WindowsError::Invalid(why)) => Some(why),
            _ => None,
        };
    assert_eq!(invalid(&[]), Some(InvalidAperture::Empty));
    assert_eq!(invalid(&[0..=0xfff, RangeInclusive::new(5, 4)]), Some(InvalidAperture::Empty));
    // The one that is wrong is named.
    for (first, last) in [(0x2000, 0x2ffe), (0x2001, 0x2fff), (0x2000, 0x2000)] {
        let expected = InvalidAperture::Misaligned { first, last, granule };
        assert_eq!(invalid(&[0..=0xfff, first..=last, 0x8000..=0x8fff]), Some(expected));
    }
    assert_eq!(invalid(&[0..=0xfff, 0x8000..=0x8fff]), None);
}

#[test]
fn nothing_is_handed_out_between_windows() {
    let mut space = space(&[(0, 9), (16, 31), (40, 63)]);
    let mut pages = Vec::new();
    while let Ok(range) = space.allocate(&Request::new(1)) {
        pages.push(range.first() / PAGE);
    }
    let expected = (40..64).rev().chain((16..32).rev()).chain((0..10).rev());
    assert!(pages.into_iter().eq(expected));
    let error = space.allocate(&Request::new(1)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.free_granules == 0));
    let statistics = space.statistics();
    assert_eq!((statistics.excluded_granules, statistics.reserved_granules), (14, 0));
}

#[test]
fn no_range_lies_across_two_windows() {
    let mut space = space(&[(0, 15), (17, 32)]);
    assert_eq!(space.allocate(&Request::new(16).align(1)).unwrap().first(), 17 * PAGE);
    assert_eq!(space.allocate(&Request::new(16)).unwrap().first(), 0);
    let error = space.allocate_at(bytes((15, 17)), NORMAL).unwrap_err();
    assert!(matches!(error, PlaceError::Occupied { kind: RangeKind::Allocated, .. }));
    space.free(0).unwrap();
    let Err(PlaceError::Occupied { by, kind }) = space.allocate_at(bytes((15, 17)), NORMAL) else {
        unreachable!("there is no page 16")
    };
    assert_eq!((by.first(), by.granules(), kind), (16 * PAGE, 1, RangeKind::Excluded));
}

#[test]
fn a_limit_between_windows_leaves_what_is_below() {
    let mut space = space(&[(4, 9), (20, 29)]);
    assert_eq!(space.allocate(&Request::new(1).limit(15 * PAGE)).unwrap().first(), 9 * PAGE);
    assert_eq!(space.longest_free_run(15 * PAGE).unwrap().granules(), 5);
    let request = Request::new(6).align(1).prefer_limit(15 * PAGE);
    assert_eq!(space.allocate(&request).unwrap().first(), 24 * PAGE);
}

#[test]
fn what_lies_between_is_told_apart_from_reserved_regions() {
    let mut space = space(&[(0, 9), (20, 29), (40, 49)]);
    // What adjoins, overlaps and spans it takes what is in the windows only.
    assert_eq!(space.reserve(bytes((5, 14)), NORMAL), Ok(5));
    assert_eq!(space.reserve(bytes((10, 19)), NORMAL), Ok(0));
    assert_eq!(space.reserve(bytes((9, 41)), NORMAL), Ok(12));
    let regions: Vec<_> =
        space.reserved_regions().map(|region| (region.first() / PAGE, region.last() / PAGE)).collect();
    assert_eq!(regions, [(5, 9), (20, 29), (40, 41)]);
    assert_eq!(windows(&space), [(0, 9), (20, 29), (40, 49)]);
    for (page, kind) in [(5, RangeKind::Reserved), (10, RangeKind::Excluded), (39, RangeKind::Excluded)] {
        assert_eq!(space.find(page * PAGE).unwrap().1, kind);
    }
    let (between, _) = space.find(12 * PAGE).unwrap();
    assert_eq!((between.first() / PAGE, between.granules()), (10, 10));
    let iova = 12 * PAGE;
    assert_eq!(space.free(iova), Err(FreeError::BetweenWindows { iova, between }));
    assert_eq!(space.statistics().counters.failures.wrong_frees.between_windows, 1);
    // And unreserving everything gives back just what was reserved.
    assert_eq!(space.unreserve(.., NORMAL), Ok(17));
    assert_eq!(windows(&space), [(0, 9), (20, 29), (40, 49)]);
    assert_eq!(space.statistics().free_granules, 30);
}

/// The windows are there or there is no space, whichever node fails; none is lost.
#[test]
fn lack_of_node_memory_is_an_error() {
    let list: Vec<_> = (0..200).map(|i| (i * 4, i * 4 + 1)).collect();
    for nth in 1.. {
        let alloc = FaultyAlloc::new(Plan::Nth(nth));
        let windows = list.iter().rev().copied().map(bytes);
        match Space::with_windows_in(Granule::FOUR_KIB, windows, AllocMode::Atomic, &alloc) {
            Ok(space) => {
                assert_eq!(self::windows(&space), list);
                assert!(nth > 10, "only {nth} nodes were needed");
                return;
            }
            Err(error) => assert!(matches!(error, WindowsError::OutOfNodeMemory(_)), "{error}"),
        }
        assert_eq!(alloc.counts().live, 0);
    }
}
