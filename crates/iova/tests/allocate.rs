//! Allocating: the highest fit, alignments, limits, fixed places, and what each error says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::{Alignment, AllocMode, AllocateError, BadRequest, Granule, PlaceError, RangeKind, Request, Space};

const PAGE: u64 = 4096;

/// So many pages from address 0.
fn pages(count: u64) -> Space {
    Space::new(Granule::FOUR_KIB, 0..count * PAGE).unwrap()
}

fn first(space: &mut Space, request: Request) -> u64 {
    let range = space.allocate(&request).unwrap();
    space.validate().unwrap();
    range.first() / PAGE
}

#[test]
fn ranges_go_from_the_top_down() {
    let mut space = pages(64);
    assert_eq!(first(&mut space, Request::new(1)), 63);
    assert_eq!(first(&mut space, Request::new(1)), 62);
    assert_eq!(first(&mut space, Request::new(4)), 56);
    // The space that the alignment left is used by what fits in it.
    assert_eq!(first(&mut space, Request::new(2)), 60);
    assert_eq!(first(&mut space, Request::new(1)), 55);
}

#[test]
fn natural_alignment_is_that_of_the_next_power_of_two() {
    for (granules, align) in [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (17, 32), (32, 32), (33, 64)] {
        let mut space = pages(256);
        space.allocate(&Request::new(1)).unwrap();
        let range = space.allocate(&Request::new(granules)).unwrap();
        assert_eq!(range.first() % (align * PAGE), 0, "{granules}");
        assert_eq!(range.granules(), u128::from(granules), "the size is not rounded");
        // It is the highest such place below the page at the top.
        assert!(range.first() + (align + granules) * PAGE > 255 * PAGE, "{granules}: {range}");
    }
}

#[test]
fn any_alignment_can_be_asked_for() {
    let mut space = pages(256);
    assert_eq!(first(&mut space, Request::new(3).align(1)), 253);
    assert_eq!(first(&mut space, Request::new(1).align(128)), 128);
    assert_eq!(first(&mut space, Request::new(1).align(128)), 0);
    let error = space.allocate(&Request::new(1).align(128)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    // 0 is a multiple of everything.
    let mut space = pages(256);
    assert_eq!(first(&mut space, Request::new(1).align(1 << 63)), 0);
}

#[test]
fn alignment_counts_from_address_0_and_not_from_the_aperture() {
    let mut space = Space::new(Granule::FOUR_KIB, 3 * PAGE..13 * PAGE).unwrap();
    assert_eq!(first(&mut space, Request::new(4)), 8);
    assert_eq!(first(&mut space, Request::new(4)), 4);
    assert!(space.allocate(&Request::new(4)).is_err());
}

#[test]
fn the_limit_is_the_last_byte() {
    let mut space = pages(16);
    assert_eq!(first(&mut space, Request::new(1).limit(8 * PAGE - 1)), 7);
    // One byte less, and the granule does not fit any more.
    assert_eq!(first(&mut space, Request::new(1).limit(7 * PAGE - 2)), 5);
    assert_eq!(first(&mut space, Request::new(1).limit(7 * PAGE)), 6);
    assert_eq!(first(&mut space, Request::new(1).limit(u64::MAX)), 15);
    let pfns = space.granule().last_of(iova::Pfn::new(4)).unwrap();
    assert_eq!(first(&mut space, Request::new(1).limit(pfns)), 4);
}

#[test]
fn a_limit_at_the_first_granule_or_below() {
    let mut space = Space::new(Granule::FOUR_KIB, 4 * PAGE..8 * PAGE).unwrap();
    assert_eq!(first(&mut space, Request::new(1).limit(5 * PAGE - 1)), 4);
    let full = space.allocate(&Request::new(1).limit(5 * PAGE - 1)).unwrap_err();
    assert!(matches!(full, AllocateError::OutOfAddressSpace(why) if why.free_granules == 3));
    for limit in [0, PAGE - 1, 4 * PAGE - 1, 4 * PAGE, 5 * PAGE - 2] {
        assert_eq!(
            space.allocate(&Request::new(1).limit(limit)),
            Err(AllocateError::BadRequest(BadRequest::LimitBelowAperture {
                limit,
                aperture: space.aperture()
            }))
        );
    }
}

#[test]
fn no_space_is_explained() {
    let mut space = pages(16);
    for page in [15, 11, 7, 3] {
        space.allocate_at(page * PAGE..(page + 1) * PAGE, AllocMode::Normal).unwrap();
    }
    let error = space.allocate(&Request::new(3).limit(8 * PAGE - 1).align(2)).unwrap();
    assert_eq!(error.first(), 4 * PAGE);
    let Err(AllocateError::OutOfAddressSpace(error)) =
        space.allocate(&Request::new(4).limit(8 * PAGE - 1).align(2))
    else {
        unreachable!("there are no four pages")
    };
    assert_eq!((error.window.first(), error.window.last()), (0, 8 * PAGE - 1));
    assert_eq!((error.granules, error.align_granules), (4, 2));
    assert_eq!((error.longest_free_granules, error.free_granules), (3, 9));
    assert_eq!(space.statistics().counters.failures.out_of_address_space, 1);
}

#[test]
fn a_size_beyond_the_aperture_is_no_space() {
    let mut space = pages(16);
    for granules in [17, 1 << 40, 1 << 63] {
        let error = space.allocate(&Request::new(granules)).unwrap_err();
        assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.longest_free_granules == 16));
    }
    let error = space.allocate(&Request::new(u64::MAX).align(1)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
}

#[test]
fn bad_requests_are_told_apart() {
    let mut space = pages(16);
    let mut bad = |request: Request| match space.allocate(&request) {
        Err(AllocateError::BadRequest(bad)) => Some(bad),
        _ => None,
    };
    assert_eq!(bad(Request::new(0)), Some(BadRequest::NoGranules));
    assert_eq!(bad(Request::new(1).align(0)), Some(BadRequest::Alignment { granules: 0 }));
    assert_eq!(bad(Request::new(1).align(12)), Some(BadRequest::Alignment { granules: 12 }));
    let granules = (1 << 63) + 1;
    assert_eq!(bad(Request::new(granules)), Some(BadRequest::NaturalAlignment { granules }));
    assert_eq!(bad(Request::new(1).not_crossing(0)), Some(BadRequest::Boundary { granules: 0 }));
    assert_eq!(bad(Request::new(1).not_crossing(12)), Some(BadRequest::Boundary { granules: 12 }));
    let too_small = BadRequest::SizeAboveBoundary { granules: 5, boundary_granules: 4 };
    assert_eq!(bad(Request::new(5).not_crossing(4)), Some(too_small));
    assert_eq!(space.statistics().counters.failures.bad_requests, 7);
    assert_eq!(space.statistics().allocated_ranges, 0);
}

#[test]
fn a_boundary_is_not_crossed() {
    let mut space = pages(256);
    // Six pages fit into blocks of eight once each; without alignment at their upper end.
    for block in (0..32).rev() {
        assert_eq!(first(&mut space, Request::new(6).align(1).not_crossing(8)), block * 8 + 2);
    }
    // Two pages are left at the beginning of each block: three in a row are nowhere, also across a boundary.
    assert_eq!(space.statistics().longest_free_granules, 2);
    assert_eq!(first(&mut space, Request::new(2).align(1).not_crossing(2)), 248);
    // A boundary of the size is the natural alignment.
    let mut space = pages(64);
    space.allocate(&Request::new(3)).unwrap();
    assert_eq!(first(&mut space, Request::new(16).align(1).not_crossing(16)), 32);
    // One that is larger than the space is none.
    assert_eq!(first(&mut space, Request::new(30).align(1).not_crossing(1 << 63)), 2);
}

#[test]
fn only_the_boundary_is_in_the_way() {
    let mut space = pages(16);
    space.reserve(0..6 * PAGE, AllocMode::Normal).unwrap();
    space.reserve(10 * PAGE..16 * PAGE, AllocMode::Normal).unwrap();
    let request = Request::new(4).align(1);
    let Err(AllocateError::OutOfAddressSpace(error)) = space.allocate(&request.not_crossing(8)) else {
        unreachable!("pages 6 to 9 lie across page 8")
    };
    assert_eq!((error.longest_free_granules, error.boundary_granules), (4, Some(8)));
    assert_eq!(first(&mut space, request), 6);
}

#[test]
fn a_preferred_limit_comes_first() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 36).unwrap();
    let low = 8 * PAGE - 1;
    let request = Request::new(4).prefer_limit(low).limit((1 << 34) - 1);
    assert_eq!(first(&mut space, request), 4);
    assert_eq!(first(&mut space, request), 0);
    assert_eq!(first(&mut space, request), (1 << 22) - 4);
    assert_eq!(space.statistics().counters.fallbacks, 1);
    // Above its own limit it has no effect, and below the space neither.
    assert_eq!(first(&mut space, Request::new(4).prefer_limit(u64::MAX).limit(16 * PAGE - 1)), 12);
    assert_eq!(first(&mut space, Request::new(4).prefer_limit(PAGE - 2).limit(16 * PAGE - 1)), 8);
    assert_eq!(space.statistics().counters.fallbacks, 2);
    // What fails tells about both.
    let request = Request::new(16).prefer_limit(low).limit(16 * PAGE - 1);
    let Err(AllocateError::OutOfAddressSpace(error)) = space.allocate(&request) else {
        unreachable!("it is full")
    };
    assert_eq!((error.limit, error.window.last()), (16 * PAGE - 1, 16 * PAGE - 1));
    let preferred = error.preferred.unwrap();
    assert_eq!((preferred.limit, preferred.longest_free_granules), (low, 0));
    assert_eq!(space.statistics().counters.failures.out_of_address_space, 1);
}

#[test]
fn a_prepared_allocation_that_is_dropped_is_none() {
    let mut space = pages(16);
    let prepared = space.prepare(&Request::new(4)).unwrap();
    assert_eq!(prepared.range().first(), 12 * PAGE);
    drop(prepared);
    assert_eq!((space.statistics().nodes, space.statistics().counters.allocations), (0, 0));
    let error = space.prepare(&Request::new(17)).map(|_| ()).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    let range = space.prepare(&Request::new(4)).unwrap().commit();
    assert_eq!(range.first(), 12 * PAGE);
    assert_eq!(space.statistics().counters.allocations, 1);
    assert_eq!(space.free(range.first()), Ok(range));
    space.validate().unwrap();
}

#[test]
fn the_longest_run_below_each_limit() {
    let mut space = pages(64);
    for page in [10, 30, 31, 50] {
        space.allocate_at(page * PAGE..(page + 1) * PAGE, AllocMode::Normal).unwrap();
    }
    // Up to 9: pages 0 to 9, then 11 to 29, 32 to 49, 51 to 63.
    let longest = |pages: u64| {
        let run = space.longest_free_run((pages * PAGE).wrapping_sub(1));
        run.map(|run| (run.first() / PAGE, run.last() / PAGE))
    };
    assert_eq!((longest(1), longest(10), longest(11)), (Some((0, 0)), Some((0, 9)), Some((0, 9))));
    assert_eq!((longest(20), longest(22), longest(30)), (Some((0, 9)), Some((11, 21)), Some((11, 29))));
    assert_eq!((longest(50), longest(0)), (Some((11, 29)), Some((11, 29))));
    assert_eq!(space.longest_free_run(PAGE - 2), None);
}

#[test]
fn a_request_says_what_it_is() {
    let request = Request::new(7).limit(99).align(4).mode(AllocMode::Atomic);
    assert_eq!((request.granules(), request.limit_iova()), (7, 99));
    assert_eq!((request.alignment(), request.alloc_mode()), (Alignment::Granules(4), AllocMode::Atomic));
    let default = Request::new(7);
    assert_eq!((default.alignment(), default.limit_iova()), (Alignment::Natural, u64::MAX));
    assert_eq!(default.alloc_mode(), AllocMode::Normal);
    assert_eq!((default.preferred_limit(), default.boundary_granules()), (None, None));
    let request = request.prefer_limit(9).not_crossing(16);
    assert_eq!((request.preferred_limit(), request.boundary_granules()), (Some(9), Some(16)));
}

#[test]
fn a_fixed_place_is_taken_exactly() {
    let mut space = pages(16);
    let range = space.allocate_at(5 * PAGE..8 * PAGE, AllocMode::Normal).unwrap();
    assert_eq!((range.first(), range.last()), (5 * PAGE, 8 * PAGE - 1));
    let whole = space.allocate_at(8 * PAGE..=16 * PAGE - 1, AllocMode::Normal).unwrap();
    assert_eq!(whole.granules(), 8);
    assert_eq!(first(&mut space, Request::new(1)), 4);
    assert_eq!(space.free(range.first()), Ok(range));
}

#[test]
fn a_fixed_place_that_is_occupied() {
    let mut space = pages(16);
    let range = space.allocate_at(4 * PAGE..6 * PAGE, AllocMode::Normal).unwrap();
    space.reserve(8 * PAGE..9 * PAGE, AllocMode::Normal).unwrap();
    space.reserve(9 * PAGE..10 * PAGE, AllocMode::Normal).unwrap();
    let occupied = |space: &mut Space, from: u64, to: u64| match space
        .allocate_at(from * PAGE..to * PAGE, AllocMode::Normal)
    {
        Err(PlaceError::Occupied { by, kind }) => Some((by.first() / PAGE, by.granules(), kind)),
        _ => None,
    };
    for (from, to) in [(4, 6), (3, 5), (5, 7), (0, 16), (4, 5)] {
        assert_eq!(occupied(&mut space, from, to), Some((4, 2, RangeKind::Allocated)));
    }
    // A reserved region is named whole, though it was made in two steps.
    assert_eq!(occupied(&mut space, 6, 16), Some((8, 2, RangeKind::Reserved)));
    assert_eq!(occupied(&mut space, 9, 16), Some((8, 2, RangeKind::Reserved)));
    assert_eq!(space.statistics().counters.failures.occupied, 7);
    assert!(space.allocations().eq([range]));
    space.validate().unwrap();
}

#[test]
fn a_fixed_place_that_makes_no_sense() {
    let mut space = Space::new(Granule::FOUR_KIB, PAGE..16 * PAGE).unwrap();
    let aperture = space.aperture();
    let mut bad = |first: u64, last: u64| match space.allocate_at(first..=last, AllocMode::Normal) {
        Err(PlaceError::BadRequest(bad)) => Some(bad),
        _ => None,
    };
    assert_eq!(bad(5, 4), Some(BadRequest::EmptyRange));
    for (first, last) in [(PAGE + 1, 2 * PAGE - 1), (PAGE, 2 * PAGE), (PAGE, PAGE), (0, u64::MAX - 1)] {
        let granule = Granule::FOUR_KIB;
        assert_eq!(bad(first, last), Some(BadRequest::Misaligned { first, last, granule }));
    }
    for (first, last) in [(0, PAGE - 1), (0, 2 * PAGE - 1), (15 * PAGE, 17 * PAGE - 1), (0, u64::MAX)] {
        assert_eq!(bad(first, last), Some(BadRequest::OutsideAperture { first, last, aperture }));
    }
    assert_eq!(space.statistics().counters.failures.bad_requests, 9);
}
