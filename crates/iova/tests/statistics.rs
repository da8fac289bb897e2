//! Statistics: what they say, and that failures leave nothing else behind.

use iova::{AllocMode, Granule, Request, Space};

const PAGE: u64 = 4096;

#[test]
fn the_numbers_add_up() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..100 * PAGE).unwrap();
    space.reserve(0..10 * PAGE, AllocMode::Normal).unwrap();
    space.allocate_at(50 * PAGE..70 * PAGE, AllocMode::Normal).unwrap();
    let range = space.allocate(&Request::new(1)).unwrap();
    let _ = space.allocate(&Request::new(64));
    let _ = space.allocate(&Request::new(0));
    let _ = space.allocate_at(0..PAGE, AllocMode::Normal);
    let _ = space.free(3);
    space.free(range.first()).unwrap();

    let statistics = space.statistics();
    assert_eq!((statistics.allocated_ranges, statistics.allocated_granules), (1, 20));
    assert_eq!((statistics.reserved_granules, statistics.free_granules), (10, 70));
    assert_eq!(statistics.longest_free_granules, 40);
    assert_eq!(statistics.nodes, 1);
    assert!(statistics.node_bytes >= 128);
    let counters = statistics.counters;
    assert_eq!((counters.allocations, counters.frees, counters.failures.wrong_frees.total()), (2, 1, 1));
    assert_eq!(
        (counters.failures.out_of_address_space, counters.failures.bad_requests, counters.failures.occupied),
        (1, 1, 1)
    );
    assert_eq!(counters.failures.out_of_node_memory, 0);
}

#[test]
fn fragmentation_at_its_ends() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..4000 * PAGE).unwrap();
    let permille = |space: &Space| space.statistics().fragmentation_permille();
    assert_eq!(permille(&space), 0, "all free");
    while space.allocate(&Request::new(1)).is_ok() {}
    assert_eq!(permille(&space), 0, "nothing free");
    space.free(7 * PAGE).unwrap();
    assert_eq!(permille(&space), 0, "one hole");
    space.free(9 * PAGE).unwrap();
    assert_eq!(permille(&space), 500, "two equal holes");
    space.free(11 * PAGE).unwrap();
    assert_eq!(permille(&space), 666, "rounded down");
    for page in (13..4000).step_by(2) {
        space.free(page * PAGE).unwrap();
    }
    assert_eq!(permille(&space), 999);
    space.validate().unwrap();
}

#[test]
fn debug_output_is_short() {
    let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 32).unwrap();
    for _ in 0..1000 {
        space.allocate(&Request::new(1)).unwrap();
    }
    let text = format!("{space:?} {:?} {:?}", space.allocations(), space.reserved_regions());
    assert!(text.starts_with("Space { granule: Granule(0x1000), aperture: 0x0..=0xffffffff"), "{text}");
    assert!(text.len() < 400, "{text}");
}
