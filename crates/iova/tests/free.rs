//! Freeing, and looking up what is where.

use iova::{AllocMode, FreeError, Granule, RangeKind, Request, Space};

const PAGE: u64 = 4096;

#[test]
fn a_failed_free_says_why_and_changes_nothing() {
    let mut space = Space::new(Granule::FOUR_KIB, 2 * PAGE..16 * PAGE).unwrap();
    let range = space.allocate_at(4 * PAGE..8 * PAGE, AllocMode::Normal).unwrap();
    space.reserve(10 * PAGE..12 * PAGE, AllocMode::Normal).unwrap();
    space.reserve(12 * PAGE..13 * PAGE, AllocMode::Normal).unwrap();
    let (aperture, granule) = (space.aperture(), space.granule());
    let before = space.statistics();

    for iova in [0, 2 * PAGE - 1, 16 * PAGE, u64::MAX] {
        assert_eq!(space.free(iova), Err(FreeError::OutsideAperture { iova, aperture }));
    }
    for iova in [4 * PAGE + 1, 5 * PAGE - 1, 2 * PAGE + 8, 10 * PAGE + 1] {
        assert_eq!(space.free(iova), Err(FreeError::Misaligned { iova, granule }));
    }
    for iova in [2 * PAGE, 3 * PAGE, 8 * PAGE, 15 * PAGE] {
        assert_eq!(space.free(iova), Err(FreeError::NotAllocated { iova }));
    }
    for iova in [5 * PAGE, 7 * PAGE] {
        assert_eq!(space.free(iova), Err(FreeError::NotFirst { iova, range }));
    }
    let region = space.reserved_regions().next().unwrap();
    assert_eq!((region.first(), region.last()), (10 * PAGE, 13 * PAGE - 1));
    for iova in [10 * PAGE, 11 * PAGE, 12 * PAGE] {
        assert_eq!(space.free(iova), Err(FreeError::Reserved { iova, region }));
    }

    let mut after = space.statistics();
    let wrong = &mut after.counters.failures.wrong_frees;
    assert_eq!((wrong.outside_aperture, wrong.misaligned, wrong.not_allocated), (4, 4, 4));
    assert_eq!((wrong.not_first, wrong.reserved, wrong.total()), (2, 3, 17));
    *wrong = before.counters.failures.wrong_frees;
    assert_eq!(after, before);
    assert!(space.allocations().eq([range]));
    space.validate().unwrap();
    assert_eq!(space.free(4 * PAGE), Ok(range));
}

#[test]
fn a_double_free_is_an_error_even_beside_other_ranges() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
    let ranges: Vec<_> = (0..64).map(|_| space.allocate(&Request::new(1)).unwrap()).collect();
    for range in &ranges {
        assert_eq!(space.free(range.first()), Ok(*range));
        assert_eq!(space.free(range.first()), Err(FreeError::NotAllocated { iova: range.first() }));
        space.validate().unwrap();
    }
    assert_eq!(space.statistics().free_granules, 64);
    assert_eq!(space.statistics().nodes, 0);
}

#[test]
fn freed_space_is_joined_with_its_neighbours_at_once() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..512 * PAGE).unwrap();
    for _ in 0..512 {
        space.allocate(&Request::new(1)).unwrap();
    }
    // Every other one, then the others: never is there less than what was freed in one piece.
    for page in (128..256).step_by(2) {
        space.free(page * PAGE).unwrap();
    }
    assert_eq!(space.statistics().longest_free_granules, 1);
    for page in (129..256).step_by(2) {
        space.free(page * PAGE).unwrap();
        let expected = if page == 255 { 128 } else { page - 128 + 2 };
        assert_eq!(space.statistics().longest_free_granules, u128::from(expected));
        space.validate().unwrap();
    }
    assert_eq!(space.allocate(&Request::new(128)).unwrap().first(), 128 * PAGE);
}

#[test]
fn any_byte_of_a_range_finds_it() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..16 * PAGE).unwrap();
    let range = space.allocate_at(4 * PAGE..6 * PAGE, AllocMode::Normal).unwrap();
    for iova in [4 * PAGE, 4 * PAGE + 1, 5 * PAGE, 6 * PAGE - 1] {
        assert_eq!(space.find(iova), Some((range, RangeKind::Allocated)));
    }
    for iova in [0, 4 * PAGE - 1, 6 * PAGE, 16 * PAGE, u64::MAX] {
        assert_eq!(space.find(iova), None);
    }
    assert!(range.contains(5 * PAGE) && !range.contains(6 * PAGE));
}
