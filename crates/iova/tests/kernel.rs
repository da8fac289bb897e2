//! What the kernel's allocator (`drivers/iommu/iova.c`) does wrong, as named tests that this one does not; and what
//! its unit tests check, done here as well.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::{AllocMode, AllocateError, FreeError, Granule, IovaRange, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const BITS_32: u64 = 0xffff_ffff;

fn pages(count: u64) -> Space {
    Space::new(Granule::FOUR_KIB, 0..count * PAGE).unwrap()
}

/// Padded alignment: the kernel asks its search for size + alignment - 1 granules, so a hole of exactly one aligned
/// block is not found, and a packed space fails with half of it free. Here each such hole is used.
#[test]
fn padded_alignment_every_hole_of_an_aligned_block_is_used() {
    for size in [1, 2, 4, 8, 16, 32, 64] {
        let blocks = 256;
        let mut space = pages(size * blocks);
        for block in (0..blocks).rev() {
            assert_eq!(space.allocate(&Request::new(size)).unwrap().first(), block * size * PAGE);
        }
        for block in (0..blocks).step_by(2) {
            space.free(block * size * PAGE).unwrap();
        }
        assert_eq!(space.statistics().longest_free_granules, u128::from(size));
        for block in (0..blocks).rev().filter(|block| block % 2 == 0) {
            assert_eq!(space.allocate(&Request::new(size)).unwrap().first(), block * size * PAGE);
        }
        assert_eq!(space.statistics().free_granules, 0);
        space.validate().unwrap();
    }
}

/// The same with sizes that are no powers of two: 3 pages aligned to 4 leave holes that a padded search, which
/// wants 6, never sees.
#[test]
fn padded_alignment_odd_sizes_fit_into_their_own_holes() {
    for size in [3, 5, 6, 7, 11, 24, 31] {
        let align = u64::next_power_of_two(size);
        let mut space = pages(align * 64);
        while space.allocate(&Request::new(size)).is_ok() {}
        assert_eq!(space.statistics().allocated_ranges, 64);
        for block in [0, 1, 17, 40, 63] {
            let range = space.free(block * align * PAGE).unwrap();
            assert_eq!(space.allocate(&Request::new(size)), Ok(range));
        }
    }
}

/// The remembered failure: the kernel notes the size of a failed search and then fails without searching. Here a
/// failure leaves nothing behind, be it for space or for memory.
#[test]
fn remembered_failure_the_next_request_is_searched_for() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..1 << 40, &alloc).unwrap();
    space.reserve(0..=BITS_32 - 8 * PAGE, AllocMode::Normal).unwrap();
    let small = space.allocate(&Request::new(4).limit(BITS_32)).unwrap();
    let error = space.allocate(&Request::new(8).limit(BITS_32)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    // Fewer granules than what failed, and as many as what failed but with a higher limit.
    let two = space.allocate(&Request::new(2).limit(BITS_32)).unwrap();
    assert!(space.allocate(&Request::new(8)).is_ok());
    // What failed for lack of space succeeds after a free, also if that was above 32 bits or of another size.
    space.free(two.first()).unwrap();
    assert_eq!(space.allocate(&Request::new(2).limit(BITS_32)), Ok(two));
    space.free(two.first()).unwrap();
    space.free(small.first()).unwrap();

    // What failed for lack of memory succeeds when there is some, without any free in between.
    let mut taken = Vec::new();
    let mut failed = None;
    for round in 0..64 {
        alloc.set_plan(Plan::After(0));
        let request = Request::new(1 << (round % 3)).limit(!0 >> (24 + round % 8));
        match space.allocate(&request) {
            Ok(range) => taken.push(range),
            Err(error) => {
                assert!(matches!(error, AllocateError::OutOfNodeMemory(_)));
                alloc.set_plan(Plan::Never);
                taken.push(space.allocate(&request).unwrap());
                failed = Some(round);
            }
        }
    }
    assert!(failed.is_some(), "no node was needed");
    for range in taken {
        assert_eq!(space.free(range.first()), Ok(range));
    }
}

/// One error for two things: in the kernel no memory and no space are the same null pointer, and both flush all
/// caches. Here they are two errors, and each says what it is about.
#[test]
fn two_errors_no_memory_and_no_space_are_told_apart() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..16 * PAGE, &alloc).unwrap();
    let error = space.allocate(&Request::new(16)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfNodeMemory(why) if why.range == space.aperture()));
    // Both are wrong: there is no space, so memory is not even asked for.
    let calls = alloc.counts().calls;
    let error = space.allocate(&Request::new(17)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.longest_free_granules == 16));
    assert_eq!(alloc.counts().calls, calls);
    alloc.set_plan(Plan::Never);
    assert_eq!(space.allocate(&Request::new(16)), Ok(space.aperture()));
}

/// Space that stays taken: in the kernel's version with deferred erase a freed range still keeps its neighbours
/// apart until it is swept. Here it is part of the gap at once, with no memory for anything.
#[test]
fn fragmentation_a_freed_range_joins_the_gap_at_once() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..1024 * PAGE, &alloc).unwrap();
    while space.allocate(&Request::new(1)).is_ok() {}
    alloc.set_plan(Plan::After(0));
    for size in [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        // The blocks of this size, each by its last free: before that it is not there, after it it is.
        let block = 1024 - size;
        for page in (block..1024).rev() {
            if space.find(page * PAGE).is_some() {
                assert!(space.statistics().longest_free_granules < u128::from(size));
                space.free(page * PAGE).unwrap();
            }
        }
        let statistics = space.statistics();
        assert_eq!(statistics.longest_free_granules, u128::from(size));
        assert_eq!(statistics.fragmentation_permille(), 0);
        alloc.set_plan(Plan::Never);
        let range = space.allocate(&Request::new(size)).unwrap();
        assert_eq!(range.first(), block * PAGE);
        space.free(range.first()).unwrap();
        alloc.set_plan(Plan::After(0));
    }
    assert_eq!(alloc.counts().live, 0);
}

/// Sentinels: in the kernel address 0 means failure and cannot be used. Here it is the last page of many.
#[test]
fn sentinels_address_0_is_an_address() {
    let mut space = pages(64);
    let firsts: Vec<_> = (0..64).map(|_| space.allocate(&Request::new(1)).unwrap().first()).collect();
    assert_eq!(firsts.last(), Some(&0));
    assert_eq!(space.free(0).map(IovaRange::first), Ok(0));
    assert_eq!(space.free(0), Err(FreeError::NotAllocated { iova: 0 }));
    assert_eq!(space.allocate(&Request::new(1).limit(PAGE - 1)).unwrap().first(), 0);
}

/// A corrupting free: in the kernel a double free or a wrong address is silent or a warning. Here it is an error.
#[test]
fn wrong_frees_are_errors() {
    let mut space = pages(64);
    let range = space.allocate(&Request::new(8)).unwrap();
    assert!(matches!(space.free(range.first() + PAGE), Err(FreeError::NotFirst { .. })));
    assert!(space.free(range.first()).is_ok());
    assert!(matches!(space.free(range.first()), Err(FreeError::NotAllocated { .. })));
}

#[test]
fn size_aligned() {
    let mut space = Space::new(Granule::FOUR_KIB, PAGE..1 << 36).unwrap();
    for round in 0..200 {
        let size = 1 + round * 7 % 96;
        let range = space.allocate(&Request::new(size).limit(BITS_32)).unwrap();
        assert_eq!(range.first_pfn().get() % size.next_power_of_two(), 0);
        assert!(range.last() <= BITS_32);
    }
    space.validate().unwrap();
}

#[test]
fn top_down_preference() {
    let mut space = pages(1 << 20);
    let ranges: Vec<_> = (0..1000).map(|_| space.allocate(&Request::new(1)).unwrap()).collect();
    assert!(ranges.windows(2).all(|pair| pair[0].first() == pair[1].last() + 1));
    assert_eq!(ranges[0].last(), BITS_32);
    // A hole near the top is preferred to all the space below.
    space.free(ranges[3].first()).unwrap();
    space.free(ranges[700].first()).unwrap();
    assert_eq!(space.allocate(&Request::new(1)).unwrap(), ranges[3]);
    assert_eq!(space.allocate(&Request::new(1)).unwrap(), ranges[700]);
}

#[test]
fn a_32_bit_window_in_a_64_bit_space() {
    let mut space = Space::new(Granule::FOUR_KIB, PAGE..).unwrap();
    for size in [1, 32, 256, 1 << 10] {
        assert!(space.allocate(&Request::new(size)).unwrap().first() > BITS_32);
        assert!(space.allocate(&Request::new(size).limit(BITS_32)).unwrap().last() <= BITS_32);
    }
    // The window is full, the space is not.
    while space.allocate(&Request::new(1 << 10).limit(BITS_32)).is_ok() {}
    assert!(space.allocate(&Request::new(1 << 10)).is_ok());
    space.validate().unwrap();
}

/// As a PCI driver does: 32 bits first, then whatever the device can do.
#[test]
fn the_32_bit_window_first_and_then_the_rest() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 40).unwrap();
    space.reserve(1 << 20..=BITS_32, AllocMode::Normal).unwrap();
    let mut above = 0;
    for _ in 0..300 {
        let low = space.allocate(&Request::new(1).limit(BITS_32));
        match low.or_else(|_| space.allocate(&Request::new(1))) {
            Ok(range) => above += u32::from(range.first() > BITS_32),
            Err(error) => unreachable!("{error}"),
        }
    }
    assert_eq!(above, 300 - 256);
}

#[test]
fn arbitrary_limits() {
    let mut space = Space::new(Granule::FOUR_KIB, ..).unwrap();
    for bits in [20, 24, 31, 32, 33, 36, 39, 47, 48, 52, 56, 63] {
        let limit = (1 << bits) - 1;
        assert_eq!(space.allocate(&Request::new(1).limit(limit)).unwrap().last(), limit, "{bits} bits");
        let range = space.allocate(&Request::new(16).limit(limit)).unwrap();
        assert_eq!(range.last(), limit - 16 * PAGE, "{bits} bits");
    }
    space.validate().unwrap();
}

#[test]
fn aligned_in_fragmented_space() {
    let mut space = pages(4096);
    while space.allocate(&Request::new(1)).is_ok() {}
    // Runs of 3 pages at every place modulo 4: half of them hold an aligned pair of pages in one place only.
    for first in (0..4090).step_by(5) {
        for page in first..first + 3 {
            space.free(page * PAGE).unwrap();
        }
    }
    let mut pairs = 0;
    while let Ok(range) = space.allocate(&Request::new(2)) {
        assert_eq!(range.first() % (2 * PAGE), 0);
        pairs += 1;
    }
    assert_eq!(pairs, 4090 / 5);
    assert!(space.allocate(&Request::new(1)).is_ok());
}

#[test]
fn full_space_search() {
    let mut space = pages(16 << 10);
    for _ in 0..16 << 10 {
        space.allocate(&Request::new(1)).unwrap();
    }
    let full = |space: &mut Space| match space.allocate(&Request::new(2)) {
        Err(AllocateError::OutOfAddressSpace(why)) => (why.longest_free_granules, why.free_granules),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(full(&mut space), (0, 0));
    // Every other page: half of the space is free, and there is still no pair.
    for page in (0..16 << 10).step_by(2) {
        space.free(page * PAGE).unwrap();
    }
    assert_eq!(full(&mut space), (1, 8 << 10));
    assert_eq!(space.statistics().fragmentation_permille(), 999);
    // Two free pages in a row that are not aligned as a pair are none either.
    space.free(4001 * PAGE).unwrap();
    space.allocate_at(4000 * PAGE..4001 * PAGE, AllocMode::Normal).unwrap();
    assert_eq!(full(&mut space), (2, 8 << 10));
    assert_eq!(space.allocate(&Request::new(2).align(1)).unwrap().first(), 4001 * PAGE);
}

#[test]
fn fragmented_32_bit_search() {
    let mut space = Space::new(Granule::FOUR_KIB, PAGE..1 << 48).unwrap();
    let ranges: Vec<_> =
        (0..8000).map(|_| space.allocate(&Request::new(1).limit(BITS_32)).unwrap()).collect();
    for range in ranges.iter().step_by(2) {
        space.free(range.first()).unwrap();
    }
    // 32 pages are found below all that, single ones in the highest holes.
    let lowest = ranges.last().unwrap().first();
    assert!(space.allocate(&Request::new(32).limit(BITS_32)).unwrap().last() < lowest);
    for range in ranges.iter().step_by(2).take(100) {
        assert_eq!(space.allocate(&Request::new(1).limit(BITS_32)), Ok(*range));
    }
    space.validate().unwrap();
}
