//! The edges of the address space, and arguments that nobody should pass.

use core::ops::Bound;

use iova::{
    AllocMode, AllocateError, BadRequest, FreeBatch, Granule, InvalidAperture, PlaceError, RangeKind,
    Request, Space,
};

const NORMAL: AllocMode = AllocMode::Normal;

#[test]
fn address_0_can_be_allocated_and_freed() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..0x1000).unwrap();
    let range = space.allocate(&Request::new(1)).unwrap();
    assert_eq!((range.first(), range.last()), (0, 0xfff));
    assert!(space.allocate(&Request::new(1)).is_err());
    assert_eq!(space.find(0), Some((range, RangeKind::Allocated)));
    assert_eq!(space.free(0), Ok(range));
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), 0);
    space.validate().unwrap();
}

#[test]
fn the_last_address_can_be_allocated_and_freed() {
    for granule in [Granule::BYTE, Granule::FOUR_KIB, Granule::new(1 << 63).unwrap()] {
        let mut space = Space::new(granule, ..).unwrap();
        let range = space.allocate(&Request::new(1)).unwrap();
        assert_eq!(range.last(), u64::MAX);
        assert_eq!(space.find(u64::MAX), Some((range, RangeKind::Allocated)));
        assert_eq!(space.free(range.first()), Ok(range));
        space.validate().unwrap();
    }
}

#[test]
fn an_aperture_of_one_granule() {
    for granule in [Granule::BYTE, Granule::FOUR_KIB, Granule::new(1 << 63).unwrap()] {
        for pfn in [0, 1, u64::MAX >> granule.shift()] {
            let pfn = iova::Pfn::new(pfn);
            let (first, last) = (granule.first_of(pfn).unwrap(), granule.last_of(pfn).unwrap());
            let mut space = Space::new(granule, first..=last).unwrap();
            let range = space.allocate(&Request::new(1).limit(last)).unwrap();
            assert_eq!((range.first(), range.last()), (first, last));
            assert_eq!((range.first_pfn(), range.last_pfn()), (pfn, pfn));
            assert_eq!(space.statistics().free_granules, 0);
            assert!(space.allocate(&Request::new(1)).is_err());
            assert!(space.allocate(&Request::new(2)).is_err());
            space.free(first).unwrap();
            space.reserve(.., NORMAL).unwrap();
            assert!(space.allocate(&Request::new(1)).is_err());
            space.validate().unwrap();
        }
    }
}

#[test]
fn the_whole_space_in_bytes_has_2_to_the_64_granules() {
    let mut space = Space::new(Granule::BYTE, ..).unwrap();
    assert_eq!(space.aperture().granules(), 1 << 64);
    assert_eq!(space.statistics().free_granules, 1 << 64);
    assert_eq!(space.statistics().longest_free_granules, 1 << 64);

    let most = space.allocate(&Request::new(u64::MAX).align(1)).unwrap();
    assert_eq!((most.first(), most.last()), (1, u64::MAX));
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), 0);
    assert_eq!(space.statistics().free_granules, 0);
    space.validate().unwrap();
    space.free(1).unwrap();
    space.free(0).unwrap();

    let half = space.allocate(&Request::new(1 << 63)).unwrap();
    assert_eq!((half.first(), half.last()), (1 << 63, u64::MAX));
    assert_eq!(space.allocate(&Request::new(1 << 63)).unwrap().first(), 0);
    space.free(0).unwrap();
    space.free(1 << 63).unwrap();

    let all = space.allocate_at(.., NORMAL).unwrap();
    assert_eq!(all.granules(), 1 << 64);
    assert_eq!(space.statistics().allocated_granules, 1 << 64);
    space.validate().unwrap();
    let error = space.allocate(&Request::new(1)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.longest_free_granules == 0));
    space.free(0).unwrap();

    assert_eq!(space.reserve(.., NORMAL), Ok(1 << 64));
    assert_eq!(space.reserve(.., NORMAL), Ok(0));
    space.validate().unwrap();
}

#[test]
fn the_whole_space_reserved_around_one_byte() {
    let mut space = Space::new(Granule::BYTE, ..).unwrap();
    let middle = space.allocate_at(1 << 40..=1 << 40, NORMAL).unwrap();
    let occupied = space.reserve(.., NORMAL);
    assert_eq!(occupied, Err(PlaceError::Occupied { by: middle, kind: RangeKind::Allocated }));
    assert_eq!(space.reserve(..1 << 40, NORMAL), Ok(1 << 40));
    let after = (Bound::Excluded(1 << 40), Bound::Unbounded);
    assert_eq!(space.reserve(after, NORMAL), Ok((1 << 64) - (1 << 40) - 1));
    assert_eq!(space.statistics().free_granules, 0);
    space.free(1 << 40).unwrap();
    assert_eq!(space.reserve(.., NORMAL), Ok(1));
    assert_eq!(space.reserved_regions().map(|region| region.granules()).collect::<Vec<_>>(), [1 << 64]);
    let (region, kind) = space.find(5).unwrap();
    assert_eq!((region.granules(), kind), (1 << 64, RangeKind::Reserved));
    space.validate().unwrap();
}

#[test]
fn apertures_that_make_no_sense() {
    let granule = Granule::FOUR_KIB;
    for empty in [(5, 5), (0, 0), (0x3000, 0x1000)] {
        let error = Space::new(granule, empty.0..empty.1).unwrap_err();
        assert_eq!(error, InvalidAperture::Empty);
    }
    let nothing = (Bound::Excluded(u64::MAX), Bound::Unbounded);
    assert_eq!(Space::new(granule, nothing).unwrap_err(), InvalidAperture::Empty);
    for (first, last) in [(0, 0), (1, 0xfff), (0, 0x1000), (0x800, 0x17ff), (0x1000, u64::MAX - 1)] {
        let error = Space::new(granule, first..=last).unwrap_err();
        assert_eq!(error, InvalidAperture::Misaligned { first, last, granule });
    }
    assert!(Space::new(granule, 0x1000..=u64::MAX).is_ok());
}

#[test]
fn limits_at_both_ends_of_the_aperture() {
    let (first, last) = (0x1_0000, 0x1_ffff);
    let mut space = Space::new(Granule::FOUR_KIB, first..=last).unwrap();
    for limit in [0, first - 1, first, first + 0xffe] {
        let error = space.allocate(&Request::new(1).limit(limit)).unwrap_err();
        let expected = BadRequest::LimitBelowAperture { limit, aperture: space.aperture() };
        assert_eq!(error, AllocateError::BadRequest(expected));
    }
    assert_eq!(space.allocate(&Request::new(1).limit(first + 0xfff)).unwrap().first(), first);
    for limit in [last, last + 1, u64::MAX] {
        assert!(space.allocate(&Request::new(1).limit(limit)).unwrap().first() > first + 0xc000);
    }
}

/// Passes every combination of hostile numbers to everything; nothing may panic or corrupt the space.
#[test]
fn no_argument_panics() {
    let edges =
        [0, 1, 2, 0xfff, 0x1000, 0x1001, 0xffff, 1 << 32, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX];
    let granules = [Granule::BYTE, Granule::FOUR_KIB, Granule::new(1 << 63).unwrap()];
    for granule in granules {
        for aperture in [0..=u64::MAX, 0..=(granule.bytes() - 1), granule.bytes()..=u64::MAX] {
            let Ok(mut space) = Space::new(granule, aperture) else { continue };
            for a in edges {
                for b in edges {
                    let _ = space.allocate(&Request::new(a).limit(b));
                    let _ = space.allocate(&Request::new(a).align(b).mode(AllocMode::Atomic));
                    let _ = space.allocate(&Request::new(1).align(a).limit(b));
                    let _ = space.allocate_at(a..b, NORMAL);
                    let _ = space.allocate_at(a..=b, NORMAL);
                    let _ = space.allocate_at((Bound::Excluded(a), Bound::Excluded(b)), NORMAL);
                    let _ = space.find(a);
                    let _ = space.free(a);
                    let _ = space.free_sized(a, b);
                    let _ = space.allocate(&Request::new(a).align(1).not_crossing(b));
                    let _ = space.allocate(&Request::new(1).prefer_limit(a).limit(b));
                    let _ = space.prepare(&Request::new(a).prefer_limit(b)).map(|_| ());
                    let _ = space.longest_free_run(a);
                    let _ = space.free_batch(&mut FreeBatch::new(&mut [a, b, a]), 9, |_| ());
                    let _ = space.statistics().fragmentation_permille();
                    space.validate().unwrap();
                }
            }
            for a in edges {
                for b in edges {
                    let _ = space.reserve((Bound::Excluded(a), Bound::Included(b)), NORMAL);
                    let _ = space.reserve(a..b, AllocMode::Atomic);
                    let _ = space.allocate(&Request::new(1));
                    let _ = space.find(b);
                    let _ = space.free(b);
                    let _ = space.unreserve((Bound::Excluded(b), Bound::Included(a)), AllocMode::Atomic);
                    let _ = space.unreserve(b..=a, NORMAL);
                    space.validate().unwrap();
                }
            }
            let allocated: Vec<_> = space.allocations().collect();
            for range in allocated {
                assert_eq!(space.free(range.first()), Ok(range));
            }
            assert_eq!(space.statistics().allocated_granules, 0);
        }
    }
    for (granule, a, b) in granules.iter().flat_map(|granule| edges.map(|a| (*granule, a, 0x1000))) {
        for c in edges {
            if let Ok(space) = Space::with_windows(granule, [a..=b, c..=u64::MAX, 0..=0]) {
                space.validate().unwrap();
                assert!(space.windows().count() > 0);
            }
        }
    }
    for shift in 0..64 {
        let granule = Granule::new(1 << shift).unwrap();
        for a in edges {
            let _ = (granule.count_of(a), granule.pfn_of(a), granule.align_down(a), granule.is_aligned(a));
            let _ = (granule.first_of(iova::Pfn::new(a)), granule.last_of(iova::Pfn::new(a)));
        }
    }
}
