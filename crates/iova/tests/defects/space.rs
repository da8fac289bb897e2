//! The exact space: W1 to W14.

use iova::{
    AllocMode, AllocateError, FreeBatch, FreeError, Granule, IovaRange, LockedSpace, PlaceError, Request,
    Space,
};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;
const BITS_32: u64 = 0xffff_ffff;

fn pages(count: u64) -> Space {
    Space::new(Granule::FOUR_KIB, 0..count * PAGE).unwrap()
}

fn pages_in(count: u64, alloc: &FaultyAlloc) -> Space<&FaultyAlloc> {
    Space::new_in(Granule::FOUR_KIB, 0..count * PAGE, alloc).unwrap()
}

fn fill(space: &mut Space<&FaultyAlloc>) -> u64 {
    core::iter::from_fn(|| space.allocate(&Request::new(1)).ok()).count() as u64
}

/// W1. The kernel asks its search for size + alignment - 1 granules: of 2 pages for 3, of 32 for 63. A hole of exactly
/// one aligned block is not found, and a packed space fails with half of it free.
#[test]
fn w01_padded_alignment() {
    for size in [1, 2, 4, 8, 16, 32, 64] {
        let blocks = 256;
        let mut space = pages(size * blocks);
        for block in (0..blocks).rev() {
            assert_eq!(space.allocate(&Request::new(size)).unwrap().first(), block * size * PAGE);
        }
        for block in (0..blocks).step_by(2) {
            space.free(block * size * PAGE).unwrap();
        }
        let (padded, longest) = (size + size - 1, space.statistics().longest_free_granules);
        assert!(size == 1 || u128::from(padded) > longest, "the padded search would find something");
        assert_eq!(longest, u128::from(size));
        for block in (0..blocks).rev().filter(|block| block % 2 == 0) {
            assert_eq!(space.allocate(&Request::new(size)).unwrap().first(), block * size * PAGE);
        }
        assert_eq!(space.statistics().free_granules, 0);
        space.validate().unwrap();
    }
}

/// W1, with sizes that are no powers of two: 3 pages aligned to 4 leave holes of 4. A padded search wants 6.
#[test]
fn w01_padded_alignment_of_odd_sizes() {
    for size in [3, 5, 6, 7, 11, 24, 31] {
        let align = u64::next_power_of_two(size);
        assert!(size + align - 1 > align);
        let mut space = pages(align * 64);
        while space.allocate(&Request::new(size)).is_ok() {}
        assert_eq!(space.statistics().allocated_ranges, 64);
        for block in [0, 1, 17, 40, 63] {
            let range = space.free(block * align * PAGE).unwrap();
            assert_eq!(space.allocate(&Request::new(size)), Ok(range));
        }
    }
}

/// W1, and the order: a padded search goes on below the hole at the top, which is not strictly top-down.
#[test]
fn w01_padded_alignment_is_not_top_down() {
    let mut space = pages(64);
    let top = space.allocate(&Request::new(8)).unwrap();
    space.allocate(&Request::new(8)).unwrap();
    space.free(top.first()).unwrap();
    // Above are 8 free pages, below 48. The kernel looks for 15, and takes pages 40 to 47.
    assert_eq!(space.allocate(&Request::new(8)), Ok(top));
}

/// W2. The kernel notes the size of a 32-bit search that failed, and lets all of that size or more fail without a
/// search until something below 4 GiB is freed: one failure for lack of memory, and requests fail although all is free.
#[test]
fn w02_remembered_failure() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..1 << 40, &alloc).unwrap();
    for granules in [1, 32, 1 << 20] {
        let request = Request::new(granules).limit(BITS_32);
        alloc.set_plan(Plan::After(0));
        let error = space.allocate(&request).unwrap_err();
        assert!(matches!(error, AllocateError::OutOfNodeMemory(_)));
        // Nothing was freed in between.
        alloc.set_plan(Plan::Never);
        let range = space.allocate(&request).unwrap();
        assert_eq!(range.last(), BITS_32);
        space.free(range.first()).unwrap();
    }
    // Nor is it by a failure for lack of space: not a smaller one, nor one with a higher limit.
    space.reserve(0..=BITS_32 - 8 * PAGE, AllocMode::Normal).unwrap();
    let four = space.allocate(&Request::new(4).limit(BITS_32)).unwrap();
    let error = space.allocate(&Request::new(8).limit(BITS_32)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    assert!(space.allocate(&Request::new(8).limit(BITS_32 + 8 * PAGE)).is_ok());
    assert!(space.allocate(&Request::new(2).limit(BITS_32)).is_ok());
    // And the same size succeeds when what was in its way is gone, be it an allocation or a reservation.
    space.unreserve(0..0x10_0000, AllocMode::Normal).unwrap();
    assert!(space.allocate(&Request::new(8).limit(BITS_32)).unwrap().last() < 0x10_0000);
    space.free(four.first()).unwrap();
    assert_eq!(space.allocate(&Request::new(4).limit(BITS_32)), Ok(four));
}

/// W3. An erase for which there is no memory leaves a marker, and the next allocation looks for markers in all that lies
/// between the outermost two: free the first and the last of n ranges, and it walks over n entries. Here a free is done
/// when it returns, and what follows it has nothing to make up for.
#[test]
fn w03_linear_drain() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(4096, &alloc);
    fill(&mut space);
    alloc.set_plan(Plan::After(0));
    for page in [0, 4095] {
        space.free(page * PAGE).unwrap();
    }
    assert_eq!(space.statistics().allocated_ranges, 4094);
    space.validate().unwrap();
    // An allocation uses what is free, with no memory for anything, and changes nothing else.
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), 4095 * PAGE);
    assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), 0);
    assert_eq!(space.statistics().free_granules, 0);
}

/// W4. The drain stops at the first marker that it cannot clear, and all behind it stay. Here none depends on another:
/// each is free on its own, in any order, with no memory all the time.
#[test]
fn w04_head_of_line() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(2048, &alloc);
    fill(&mut space);
    alloc.set_plan(Plan::After(0));
    let mut freed = 0;
    for page in (0..2048).step_by(3) {
        space.free(page * PAGE).unwrap();
        freed += 1;
        assert_eq!(space.statistics().free_granules, freed);
        assert_eq!(space.find(page * PAGE), None);
    }
}

/// W5. No memory and no space are the same null pointer in the kernel, and both flush the caches of all processors.
/// Here they are two errors, and each says what it is about.
#[test]
fn w05_two_errors() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let mut space = pages_in(16, &alloc);
    let error = space.allocate(&Request::new(16)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfNodeMemory(why) if why.range == space.aperture()));
    // Both are wrong: there is no space, so memory is not even asked for.
    let calls = alloc.counts().calls;
    let error = space.allocate(&Request::new(17)).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfAddressSpace(why) if why.longest_free_granules == 16));
    assert_eq!(alloc.counts().calls, calls);
    let counters = space.statistics().counters;
    assert_eq!((counters.failures.out_of_node_memory, counters.failures.out_of_address_space), (1, 1));
    alloc.set_plan(Plan::Never);
    assert_eq!(space.allocate(&Request::new(16)), Ok(space.aperture()));
}

/// W6. A magazine that is returned is up to 127 finds and removals under one hold of the lock. Here the holder says how
/// many at a time, and anybody else has a turn in between.
#[test]
fn w06_long_lock_holds() {
    let shared: LockedSpace<spin::Mutex<()>> = pages(4096).into();
    let mut magazine: Vec<u64> =
        (0..127).map(|_| shared.allocate(&Request::new(1)).unwrap().first()).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut magazine);
    let mut batch = FreeBatch::new(&mut magazine);
    let (mut left, mut turns) = (127_usize, 0);
    while !batch.is_empty() {
        let freed = shared.lock().free_batch(&mut batch, 16, |error| unreachable!("{error}"));
        assert_eq!(freed, left.min(16));
        left -= freed;
        assert_eq!((batch.len(), shared.statistics().allocated_ranges), (left, left as u64));
        // Somebody else.
        let range = shared.allocate(&Request::new(1)).unwrap();
        shared.free(range.first()).unwrap();
        turns += 1;
    }
    assert_eq!(turns, 8);
}

/// W7. The kernel counts no deferred erase, has no statistics and says nothing when it has no space. Here there are a
/// number and an error value for each cause.
#[test]
fn w07_invisible() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let windows = [0..16 * PAGE, 32 * PAGE..64 * PAGE];
    let mut space = Space::with_windows_in(Granule::FOUR_KIB, windows, AllocMode::Normal, &alloc).unwrap();
    space.reserve(0..2 * PAGE, AllocMode::Normal).unwrap();
    let range = space.allocate(&Request::new(4)).unwrap();
    let request = Request::new(16).limit(40 * PAGE - 1).prefer_limit(8 * PAGE - 1).not_crossing(32);
    let error = space.allocate(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no free range of 16 granules aligned to 16, not across a multiple of 32, in 0x0..=0x27fff: the longest \
         free run there has 14, up to 0x7fff it has 6, the space has 42 free"
    );
    alloc.set_plan(Plan::After(0));
    while space.allocate(&Request::new(1)).is_ok() {}
    let wrong = [64 * PAGE, 16 * PAGE, 5, 15 * PAGE, range.first() + PAGE, 0];
    for iova in wrong {
        assert!(space.free(iova).is_err(), "{iova:#x}");
    }
    assert!(space.free_sized(range.first(), 3).is_err());
    let counters = space.statistics().counters;
    assert_eq!((counters.failures.out_of_address_space, counters.failures.out_of_node_memory), (1, 1));
    let causes = counters.failures.wrong_frees;
    assert_eq!((causes.outside_aperture, causes.between_windows, causes.misaligned), (1, 1, 1));
    assert_eq!((causes.not_allocated, causes.not_first), (1, 1));
    assert_eq!((causes.reserved, causes.wrong_size, causes.total()), (1, 1, 7));
}

/// W8. Markers stay for as long as nobody allocates. Here an idle space has nothing left over: with the last range the
/// last node is gone.
#[test]
fn w08_idle() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(1024, &alloc);
    fill(&mut space);
    alloc.set_plan(Plan::After(0));
    for page in 0..1024 {
        space.free(page * PAGE).unwrap();
    }
    assert_eq!((space.statistics().nodes, alloc.counts().live), (0, 0));
    assert_eq!(space.statistics().longest_free_granules, 1024);
}

/// W9. If even the marker cannot be stored, the range stays occupied until the domain is torn down. Here a free that
/// is right has no way to fail, whatever was freed before it.
#[test]
fn w09_stranded_range() {
    let mut rng = fastrand::Rng::with_seed(9);
    for _ in 0..20 {
        let alloc = FaultyAlloc::new(Plan::Never);
        let mut space = pages_in(500, &alloc);
        fill(&mut space);
        alloc.set_plan(Plan::After(0));
        let mut order: Vec<u64> = (0..500).collect();
        rng.shuffle(&mut order);
        for page in order {
            assert_eq!(space.free(page * PAGE).map(IovaRange::granules), Ok(1));
        }
        assert_eq!(space.statistics().free_granules, 500);
    }
}

/// W10. Teardown frees everything in one go with interrupts off. Here it goes in steps, with no memory, in a fixed
/// buffer; and a space that is dropped is owned, so nobody waits for a lock.
#[test]
fn w10_teardown() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(1000, &alloc);
    space.reserve(0..10 * PAGE, AllocMode::Normal).unwrap();
    fill(&mut space);
    let shared: LockedSpace<spin::Mutex<()>, _> = space.into();
    let calls = alloc.counts().calls;
    alloc.set_plan(Plan::After(0));
    let (mut steps, mut buffer) = (0, [0; 64]);
    loop {
        let mut space = shared.lock();
        let mut count = 0;
        for (iova, range) in buffer.iter_mut().zip(space.allocations()) {
            *iova = range.first();
            count += 1;
        }
        if count == 0 {
            break;
        }
        let freed = space.free_batch(&mut FreeBatch::new(&mut buffer[..count]), 64, |_| ());
        assert_eq!(freed, count);
        steps += 1;
    }
    assert_eq!(steps, (990 + 63) / 64);
    assert_eq!(shared.statistics().free_granules, 990);
    drop(shared);
    assert_eq!((alloc.counts().calls, alloc.counts().live), (calls, 0));
}

/// W11. A marker counts as taken: it keeps the gaps at its sides apart, and its node alive. Here a freed range is part
/// of the gap at once, with no memory for anything.
#[test]
fn w11_fragmentation_by_markers() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(1024, &alloc);
    fill(&mut space);
    alloc.set_plan(Plan::After(0));
    for size in [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] {
        // The block of this size at the top, up to its last free: before that it is not there, after it it is.
        let block = 1024 - size;
        for page in (block..1024).rev() {
            if space.find(page * PAGE).is_some() {
                assert!(space.statistics().longest_free_granules < u128::from(size));
                space.free(page * PAGE).unwrap();
            }
        }
        assert_eq!(space.statistics().longest_free_granules, u128::from(size));
        assert_eq!(space.statistics().fragmentation_permille(), 0);
        alloc.set_plan(Plan::Never);
        let range = space.allocate(&Request::new(size)).unwrap();
        assert_eq!(range.first(), block * PAGE);
        space.free(range.first()).unwrap();
        alloc.set_plan(Plan::After(0));
    }
    assert_eq!(alloc.counts().live, 0);
}

/// W12. An insertion needs memory, of which the kernel keeps no reserve and does not say that it was missing. Here the
/// error names the range, the mode of the request says whether to wait, and what was prepared cannot fail.
#[test]
fn w12_insertion_needs_memory() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages_in(64, &alloc);
    let prepared = space.prepare(&Request::new(4).mode(AllocMode::Normal)).unwrap();
    alloc.set_plan(Plan::After(0));
    let range = prepared.commit();
    assert_eq!(range.first(), 60 * PAGE);
    assert_eq!(alloc.counts().failed, 0);
    // The rest of the leaf needs none, and then the lack of it is not taken for a lack of space.
    let (mut taken, mut last) = (0, range);
    let refused = loop {
        match space.allocate(&Request::new(1).mode(AllocMode::Atomic)) {
            Ok(range) => (taken, last) = (taken + 1, range),
            Err(AllocateError::OutOfNodeMemory(why)) => break why.range,
            Err(error) => unreachable!("{error}"),
        }
    };
    assert!(taken >= 8, "{taken} allocations in one leaf");
    assert_eq!(refused.last() + 1, last.first());
    let error = space.prepare(&Request::new(1)).map(|_| ()).unwrap_err();
    assert!(matches!(error, AllocateError::OutOfNodeMemory(why) if why.range == refused));
    assert_eq!(space.statistics().counters.failures.out_of_node_memory, 2);
    alloc.set_plan(Plan::Never);
    assert_eq!(space.prepare(&Request::new(1)).unwrap().commit(), refused);
    space.validate().unwrap();
}

/// W13. In the kernel 0 means failure, so the address 0 cannot be used, and a limit is the last pfn in one place and the
/// first one beyond in another. Here both ends are addresses like any other, and all limits are inclusive.
#[test]
fn w13_sentinels() {
    let mut space = pages(64);
    let firsts: Vec<_> = (0..64).map(|_| space.allocate(&Request::new(1)).unwrap().first()).collect();
    assert_eq!(firsts.last(), Some(&0));
    assert_eq!(space.free(0).map(IovaRange::first), Ok(0));
    assert_eq!(space.free(0), Err(FreeError::NotAllocated { iova: 0 }));
    assert_eq!(space.allocate(&Request::new(1).limit(PAGE - 1)).unwrap().first(), 0);

    let mut space = Space::new(Granule::BYTE, ..).unwrap();
    let top = space.allocate(&Request::new(1).limit(u64::MAX)).unwrap();
    assert_eq!((top.first(), top.last()), (u64::MAX, u64::MAX));
    assert_eq!(space.allocate(&Request::new(1).limit(u64::MAX - 1)).unwrap().first(), u64::MAX - 1);
    let bottom = space.allocate(&Request::new(1).limit(0)).unwrap();
    assert_eq!(space.reserve(.., AllocMode::Normal), Err(occupied(bottom)));
    for iova in [0, u64::MAX, u64::MAX - 1] {
        space.free(iova).unwrap();
    }
    assert_eq!(space.reserve(.., AllocMode::Normal), Ok(1 << 64));
    assert_eq!(space.unreserve(1..u64::MAX, AllocMode::Normal), Ok((1 << 64) - 2));
    assert_eq!(space.unreserve(.., AllocMode::Normal), Ok(2));
    assert_eq!(space.statistics().nodes, 0);
}

fn occupied(by: IovaRange) -> PlaceError {
    PlaceError::Occupied { by, kind: iova::RangeKind::Allocated }
}

/// W14. The kernel tests its deferred erase with one marker at a time, set by a flag, never at the edge of a node. Here
/// the n-th node fails for each n, in a space that is filled and emptied so that all edges have their turn.
#[test]
fn w14_thin_tests() {
    for nth in 1.. {
        let alloc = FaultyAlloc::new(Plan::Nth(nth));
        let mut space = pages_in(700, &alloc);
        let mut refused = 0;
        for stride in [1, 2, 7] {
            loop {
                match space.allocate(&Request::new(1)) {
                    Ok(_) => {}
                    Err(AllocateError::OutOfNodeMemory(_)) => refused += 1,
                    Err(_) => break,
                }
            }
            space.validate().unwrap();
            let calls = alloc.counts().calls;
            for page in (0..700).step_by(stride) {
                space.free(page * PAGE).unwrap();
            }
            assert_eq!(alloc.counts().calls, calls);
            space.validate().unwrap();
        }
        assert_eq!(refused, alloc.counts().failed);
        if refused == 0 {
            assert!(nth > 100, "only {nth} nodes were needed");
            return;
        }
    }
}

/// Beside the list: in the kernel a double free or a wrong address is silent or a warning. Here it is an error.
#[test]
fn wrong_frees_are_errors() {
    let mut space = pages(64);
    let range = space.allocate(&Request::new(8)).unwrap();
    assert!(matches!(space.free(range.first() + PAGE), Err(FreeError::NotFirst { .. })));
    assert!(matches!(space.free_sized(range.first(), 7), Err(FreeError::WrongSize { .. })));
    assert!(space.free_sized(range.first(), 8).is_ok());
    assert!(matches!(space.free(range.first()), Err(FreeError::NotAllocated { .. })));
}
