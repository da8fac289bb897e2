//! The situations that the kernel's unit tests put its allocator (`drivers/iommu/iova.c`) in, written anew from
//! descriptions of them, and what must come out here. What it does wrong is in `defects`.
//!
//! Scenarios in which it does not matter where exactly a range lies are played on a `Space` and on a `Domain` with caches
//! and a flush queue (`Allocator` is what both can do); those that look at addresses after something was freed, on a
//! `Space` only, since what is cached comes first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

mod allocator;

use std::sync::Arc;

use iova::{AllocMode, AllocateError, Granule, IovaRange, PlaceError, RangeKind, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

use allocator::{Allocator, cached};

const PAGE: u64 = 4096;
const BITS_32: u64 = 0xffff_ffff;

fn pages(count: u64) -> Space {
    Space::new(Granule::FOUR_KIB, 0..count * PAGE).unwrap()
}

#[test]
fn size_aligned() {
    let space = || Space::new(Granule::FOUR_KIB, PAGE..1 << 36).unwrap();
    ranges_are_size_aligned(&mut space());
    ranges_are_size_aligned(&mut cached(space()));
}

fn ranges_are_size_aligned(subject: &mut impl Allocator) {
    let mut live = Vec::new();
    for round in 0..400 {
        let size = 1 + round * 7 % 96;
        let range = subject.allocate(&Request::new(size).limit(BITS_32)).unwrap();
        assert_eq!(range.first_pfn().get() % size.next_power_of_two(), 0);
        assert!(range.last() <= BITS_32);
        live.push(range);
        if round % 3 == 0 {
            subject.free(live.swap_remove(round as usize % live.len()));
        }
    }
    live.sort_by_key(|range| range.first());
    subject.check(&live);
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
    let space = || Space::new(Granule::FOUR_KIB, PAGE..).unwrap();
    the_window_fills_up(&mut space());
    the_window_fills_up(&mut cached(space()));
}

fn the_window_fills_up(space: &mut impl Allocator) {
    for size in [1, 32, 256, 1 << 10] {
        assert!(space.allocate(&Request::new(size)).unwrap().first() > BITS_32);
        assert!(space.allocate(&Request::new(size).limit(BITS_32)).unwrap().last() <= BITS_32);
    }
    // The window is full, the space is not.
    while space.allocate(&Request::new(1 << 10).limit(BITS_32)).is_ok() {}
    assert!(space.allocate(&Request::new(1 << 10)).unwrap().first() > BITS_32);
    // Small ones still fit into what is left of it.
    assert!(space.allocate(&Request::new(1).limit(BITS_32)).unwrap().last() <= BITS_32);
}

#[test]
fn reserve() {
    let mut space = pages(1 << 20);
    // A window of message interrupts, twice, then more on either side of it.
    assert_eq!(space.reserve(0xfee0_0000..=0xfeef_ffff, AllocMode::Normal), Ok(0x100));
    assert_eq!(space.reserve(0xfee0_0000..=0xfeef_ffff, AllocMode::Normal), Ok(0));
    assert_eq!(space.reserve(0xfed8_0000..=0xfee7_ffff, AllocMode::Normal), Ok(0x80));
    assert_eq!(space.reserve(0xfee8_0000..=0xfef7_ffff, AllocMode::Normal), Ok(0x80));
    let region = space.reserved_regions().next().unwrap();
    assert_eq!((region.first(), region.last()), (0xfed8_0000, 0xfef7_ffff));
    // Nothing is handed out of it, and what lies on both sides of it is.
    let mut below = 0;
    for _ in 0..0x2000 {
        let range = space.allocate(&Request::new(1)).unwrap();
        assert!(!region.contains(range.first()), "{range}");
        below += u32::from(range.last() < region.first());
    }
    assert!(below > 0);
    // What is in use cannot be reserved.
    let used = space.allocate(&Request::new(4)).unwrap();
    let error = space.reserve(used.first()..=used.first(), AllocMode::Normal).unwrap_err();
    assert_eq!(error, PlaceError::Occupied { by: used, kind: RangeKind::Allocated });
    space.validate().unwrap();
}

/// As for a PCI device: 32 bits first, then whatever the device can do.
#[test]
fn the_32_bit_window_first_and_then_the_rest() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 40).unwrap();
    space.reserve(1 << 20..=BITS_32, AllocMode::Normal).unwrap();
    let (mut low, mut high) = (Vec::new(), Vec::new());
    let request = Request::new(1).prefer_limit(BITS_32).limit((1 << 40) - 1);
    for _ in 0..300 {
        let range = space.allocate(&request).unwrap();
        if range.last() <= BITS_32 { low.push(range) } else { high.push(range) }
    }
    assert_eq!((low.len(), high.len()), (256, 300 - 256));
    assert_eq!(space.statistics().counters.fallbacks, 300 - 256);
    // It is the same as trying twice, but no failure is counted.
    assert_eq!(space.statistics().counters.failures.out_of_address_space, 0);
    let refused = space.allocate(&Request::new(1).limit(BITS_32)).unwrap_err();
    assert!(matches!(refused, AllocateError::OutOfAddressSpace(_)));
    // What is freed below is taken again, though there is room above.
    for range in low.into_iter().rev() {
        space.free(range.first()).unwrap();
        assert_eq!(space.allocate(&request), Ok(range));
    }
    // The window ends up full or empty, whatever the order is.
    for range in high {
        space.free(range.first()).unwrap();
    }
    assert_eq!(space.longest_free_run(BITS_32), None);
    space.validate().unwrap();
}

#[test]
fn arbitrary_limits() {
    let space = || Space::new(Granule::FOUR_KIB, ..).unwrap();
    limits_are_inclusive(&mut space());
    limits_are_inclusive(&mut cached(space()));
}

fn limits_are_inclusive(space: &mut impl Allocator) {
    let mut freed = Vec::new();
    for bits in [20, 24, 31, 32, 33, 36, 39, 47, 48, 52, 56, 63] {
        let limit = (1 << bits) - 1;
        assert_eq!(space.allocate(&Request::new(1).limit(limit)).unwrap().last(), limit, "{bits} bits");
        let range = space.allocate(&Request::new(16).limit(limit)).unwrap();
        assert_eq!(range.last(), limit - 16 * PAGE, "{bits} bits");
        // Freed, it is not handed out under a lower limit, wherever it is kept.
        freed.push(range);
    }
    for range in freed {
        space.free(range);
        let lower = space.allocate(&Request::new(16).limit(range.last() - 1)).unwrap();
        assert!(lower.last() < range.last(), "{range}");
    }
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

/// 512 slots, each with a range or without; a random one changes in each step, and all is checked after it.
#[test]
fn random_stress() {
    for seed in 0..4 {
        let mut space = Space::new(Granule::FOUR_KIB, PAGE..1 << 40).unwrap();
        slots_change(seed, &mut space);
        assert_eq!(space.statistics().nodes, 0);
        let mut domain = cached(space);
        slots_change(seed, &mut domain);
        assert!(domain.statistics().caches.hits() > 0);
        assert_eq!(domain.into_space().statistics().nodes, 0);
    }
}

fn slots_change(seed: u64, space: &mut impl Allocator) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut slots: Vec<Option<IovaRange>> = vec![None; 512];
    for step in 0..2048 {
        let slot = rng.usize(0..slots.len());
        if let Some(range) = slots[slot].take() {
            space.free(range);
        } else {
            let granules = 1 << rng.u32(0..6);
            let limit = [BITS_32, (1 << 33) - 1, u64::MAX][rng.usize(0..3)];
            let range = space.allocate(&Request::new(granules).limit(limit)).unwrap();
            assert_eq!(range.granules(), u128::from(granules));
            assert_eq!(range.first_pfn().get() % granules, 0);
            assert!(range.last() <= limit && range.first() >= PAGE);
            slots[slot] = Some(range);
        }
        // They are there, in order, and no two overlap.
        let mut held: Vec<_> = slots.iter().flatten().copied().collect();
        held.sort_by_key(|range| range.first());
        assert!(held.windows(2).all(|pair| pair[0].last() < pair[1].first()), "step {step}");
        space.check(&held);
    }
    slots.into_iter().flatten().for_each(|range| space.free(range));
    space.check(&[]);
}

/// The kernel's version queues or marks these, and needs an allocation or a timer to get rid of them.
#[test]
fn erase_under_failing_memory() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = Space::new_in(Granule::FOUR_KIB, PAGE..1 << 32, &alloc).unwrap();
    let ranges: Vec<_> = (0..2000).map(|i| space.allocate(&Request::new(1 << (i % 6))).unwrap()).collect();
    alloc.set_plan(Plan::After(0));
    for (number, range) in ranges.iter().enumerate().filter(|(number, _)| number % 2 == 0) {
        assert_eq!(space.free(range.first()), Ok(*range));
        assert_eq!(space.find(range.first()), None);
        if number % 100 == 0 {
            space.validate().unwrap();
        }
    }
    assert_eq!(alloc.counts().failed, 0, "an erase asked for memory");
    // All of it can be had again. For some of it there may be no memory, and then that is what is said.
    let mut again = 0;
    for range in ranges.iter().step_by(2) {
        match space.allocate_at(range.first()..=range.last(), AllocMode::Atomic) {
            Ok(_) => again += 1,
            Err(error) => assert!(matches!(error, PlaceError::OutOfNodeMemory(_)), "{error}"),
        }
    }
    assert!(again > 0);
    alloc.set_plan(Plan::Never);
    for range in ranges.iter().step_by(2) {
        let _ = space.allocate_at(range.first()..=range.last(), AllocMode::Normal);
    }
    assert_eq!(space.statistics().allocated_ranges, 2000);
    space.validate().unwrap();
}

#[test]
fn teardown_under_failing_memory() {
    for freed in [0, 1, 500, 1999, 2000] {
        teardown(freed, |space| space);
        teardown(freed, cached);
    }
}

fn teardown<S: Allocator>(freed: u64, subject: impl Fn(Space<Arc<FaultyAlloc>>) -> S) {
    let alloc = Arc::new(FaultyAlloc::new(Plan::Never));
    let space = Space::new_in(Granule::FOUR_KIB, PAGE..1 << 32, alloc.clone()).unwrap();
    let mut subject = subject(space);
    subject.reserve(0xfee0_0000, 0xfeef_ffff).unwrap();
    let mut ranges: Vec<_> =
        (0..2000).map(|i| subject.allocate(&Request::new(1 << (i % 6))).unwrap()).collect();
    fastrand::Rng::with_seed(freed).shuffle(&mut ranges);
    alloc.set_plan(Plan::After(0));
    for range in ranges.iter().take(freed as usize) {
        subject.free(*range);
    }
    drop(subject);
    assert_eq!((alloc.counts().failed, alloc.counts().live), (0, 0));
}
