//! Node memory: what fails without it, what must not, and that all of it comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::{AllocMode, AllocateError, Granule, IovaRange, PlaceError, Request, Space};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;

fn pages(count: u64, alloc: &FaultyAlloc) -> Space<&FaultyAlloc> {
    Space::new_in(Granule::FOUR_KIB, 0..count * PAGE, alloc).unwrap()
}

fn fill(space: &mut Space<&FaultyAlloc>) -> Vec<IovaRange> {
    core::iter::from_fn(|| space.allocate(&Request::new(1)).ok()).collect()
}

#[test]
fn a_new_space_has_no_nodes() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let space = pages(1 << 20, &alloc);
    assert_eq!(space.allocator().counts().calls, 0);
    assert_eq!((space.statistics().nodes, space.statistics().node_bytes), (0, 0));
}

#[test]
fn lack_of_node_memory_names_the_range_that_was_free() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let mut space = pages(16, &alloc);
    let Err(AllocateError::OutOfNodeMemory(error)) = space.allocate(&Request::new(4).limit(8 * PAGE - 1))
    else {
        unreachable!("there is no memory")
    };
    assert_eq!((error.range.first(), error.range.last()), (4 * PAGE, 8 * PAGE - 1));
    let Err(PlaceError::OutOfNodeMemory(error)) = space.allocate_at(PAGE..2 * PAGE, AllocMode::Atomic) else {
        unreachable!("there is no memory")
    };
    assert_eq!(error.range.first(), PAGE);
    let Err(PlaceError::OutOfNodeMemory(error)) = space.reserve(PAGE + 1..2 * PAGE, AllocMode::Atomic) else {
        unreachable!("there is no memory")
    };
    assert_eq!(error.range.first(), PAGE);
    assert_eq!(space.statistics().counters.failures.out_of_node_memory, 3);
    assert_eq!(space.statistics().free_granules, 16);
    space.validate().unwrap();
}

#[test]
fn freeing_everything_makes_no_call_in_any_order() {
    let mut rng = fastrand::Rng::with_seed(7);
    for order in 0..8 {
        let alloc = FaultyAlloc::new(Plan::Never);
        let mut space = pages(3000, &alloc);
        let mut ranges = fill(&mut space);
        assert_eq!(ranges.len(), 3000);
        match order {
            0 => {}
            1 => ranges.reverse(),
            2 => ranges.sort_by_key(|range| (range.first() / PAGE % 16, range.first())),
            _ => rng.shuffle(&mut ranges),
        }
        let calls = alloc.counts().calls;
        alloc.set_plan(Plan::After(0));
        for (freed, range) in ranges.into_iter().enumerate() {
            assert_eq!(space.free(range.first()), Ok(range));
            assert_eq!(space.statistics().free_granules, freed as u128 + 1);
            if freed % 100 == 0 {
                space.validate().unwrap();
            }
        }
        assert_eq!(alloc.counts().calls, calls, "free asked for memory");
        assert_eq!(alloc.counts().live, 0);
    }
}

#[test]
fn what_is_freed_without_memory_is_usable_at_once() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages(2048, &alloc);
    fill(&mut space);
    alloc.set_plan(Plan::After(0));
    // Each hole is the only free space there is. Its slot is there, so no node is needed to fill it again.
    for page in (0..2048).step_by(3) {
        space.free(page * PAGE).unwrap();
        assert_eq!(space.statistics().longest_free_granules, 1);
        assert_eq!(space.allocate(&Request::new(1)).unwrap().first(), page * PAGE);
    }
    space.validate().unwrap();
}

#[test]
fn lack_of_node_memory_is_never_called_lack_of_space() {
    let alloc = FaultyAlloc::new(Plan::Random { probability: 0.4, seed: 11 });
    let mut space = pages(1024, &alloc);
    let (mut taken, mut refused) = (0, 0);
    while taken < 1024 {
        match space.allocate(&Request::new(1)) {
            Ok(range) => {
                assert_eq!(range.first(), (1023 - taken) * PAGE, "the failure was remembered");
                taken += 1;
            }
            Err(AllocateError::OutOfNodeMemory(error)) => {
                assert_eq!(error.range.first(), (1023 - taken) * PAGE);
                refused += 1;
            }
            Err(error) => unreachable!("{error}"),
        }
    }
    assert!(refused > 20, "only {refused} nodes were refused");
    let full = space.allocate(&Request::new(1)).unwrap_err();
    assert!(matches!(full, AllocateError::OutOfAddressSpace(_)));
    let counters = space.statistics().counters;
    assert_eq!((counters.failures.out_of_node_memory, counters.failures.out_of_address_space), (refused, 1));
}

#[test]
fn dropping_a_space_gives_all_nodes_back_and_asks_for_none() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut space = pages(5000, &alloc);
    space.reserve(100 * PAGE..200 * PAGE, AllocMode::Normal).unwrap();
    fill(&mut space);
    for page in (1000..3000).step_by(2) {
        space.free(page * PAGE).unwrap();
    }
    let (statistics, counts) = (space.statistics(), alloc.counts());
    assert_eq!((statistics.nodes as u64, statistics.node_bytes as u64), (counts.live, counts.live_bytes));
    drop(space);
    assert_eq!(alloc.counts().calls, counts.calls);
    assert_eq!((alloc.counts().live, alloc.counts().live_bytes), (0, 0));
}

/// The mode of a request reaches the allocator of nodes.
#[test]
fn the_mode_is_passed_on() {
    let alloc = modes::Recording::default();
    let mut space = Space::new_in(Granule::FOUR_KIB, 0..PAGE, &alloc).unwrap();
    for mode in [AllocMode::Atomic, AllocMode::Normal] {
        space.allocate(&Request::new(1).mode(mode)).unwrap();
        assert_eq!(alloc.last(), Some(mode));
        space.free(0).unwrap();
        space.allocate_at(0..PAGE, mode).unwrap();
        assert_eq!(alloc.last(), Some(mode));
        space.free(0).unwrap();
    }
    space.reserve(0..PAGE, AllocMode::Atomic).unwrap();
    assert_eq!(alloc.last(), Some(AllocMode::Atomic));
}

mod modes {
    #![expect(unsafe_code, reason = "implements the node allocator trait")]

    use core::alloc::Layout;
    use core::cell::Cell;
    use core::ptr::NonNull;

    use iova::{AllocMode, Global, NodeAlloc};
    use maple_tree::AllocError;

    /// Remembers the mode it was asked with.
    #[derive(Default)]
    pub(crate) struct Recording(Cell<Option<AllocMode>>);

    impl Recording {
        pub(crate) fn last(&self) -> Option<AllocMode> {
            self.0.take()
        }
    }

    // SAFETY: memory comes from `Global`, which keeps the promises; a cell does not unwind.
    unsafe impl NodeAlloc for Recording {
        fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
            self.0.set(Some(mode));
            Global.allocate(layout, mode)
        }

        unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
            // SAFETY: the caller's promise, passed on.
            unsafe { Global.deallocate(node, layout) };
        }
    }
}
