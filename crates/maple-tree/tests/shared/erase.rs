//! Erase makes no allocation call, whatever memory does and whoever reads. What waits for readers can be seen, is bounded,
//! and comes back.

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::{Epochs, Reclaim};
use maple_tree::shared::{ReplaceErrorKind, SharedMapleTree};
use maple_tree::{Gaps, IndexRange, InsertErrorKind, Layout, MapleTree, NoGaps, SmallGaps, SmallNoGaps};

type Tree<'a, L> = SharedMapleTree<Box<u64>, spin::Mutex<()>, Epochs, L, &'a FaultyAlloc>;

const COUNT: u64 = if cfg!(miri) { 40 } else { 2000 };

/// Entries of 5 indices, 10 apart; every eighth is reserved.
fn tree<L: Layout>(alloc: &FaultyAlloc) -> Tree<'_, L> {
    let mut tree = MapleTree::new_in(alloc);
    for number in 0..COUNT {
        let range = number * 10..number * 10 + 5;
        let done = if number % 8 == 0 {
            tree.reserve(range).is_ok()
        } else {
            tree.insert(range, Box::new(number)).is_ok()
        };
        assert!(done);
    }
    assert!(tree.insert(u64::MAX..=u64::MAX, Box::new(0)).is_ok());
    Tree::from_tree(tree, Epochs::new()).expect("there is memory")
}

/// All ways to erase all, none of which asks for memory.
fn erase_all<L: Layout>(tree: &Tree<'_, L>, alloc: &FaultyAlloc, way: usize) {
    let calls = alloc.counts().calls;
    let mut order: Vec<u64> = (0..COUNT).collect();
    fastrand::Rng::with_seed(way as u64).shuffle(&mut order);
    match way {
        0 | 1 => {
            for number in order {
                let (index, mut writer) = (number * 10 + 2, tree.write());
                if number % 8 == 0 {
                    assert_eq!(writer.erase(index), None);
                    assert!(writer.unreserve(index).is_some());
                } else if way == 0 {
                    assert_eq!(writer.erase(index).map(|(_, value)| *value), Some(number));
                } else {
                    assert_eq!(writer.erase_if(index, |_, _| false), None);
                    assert_eq!(writer.erase_if(index, |_, _| true).map(|(_, value)| *value), Some(number));
                }
                assert!(number % 64 != 0 || writer.validate().is_ok());
            }
        }
        2 => tree.write().clear(),
        3 => {
            let mut writer = tree.write();
            writer.retain(|_, _| false);
            assert!(writer.is_empty());
            for number in (0..COUNT).step_by(8) {
                assert!(writer.unreserve(number * 10).is_some());
            }
        }
        4 => {
            let mut writer = tree.write();
            assert_eq!(writer.erase_each(..100, |_, _| true), 8);
            // From between two entries to between two others, then all.
            assert_eq!(writer.clear_range(105..=127), Ok(()));
            assert_eq!(writer.clear_range(..), Ok(()));
        }
        _ => unreachable!("there are five ways"),
    }
    tree.write().erase(u64::MAX);
    assert!(tree.write().is_empty());
    assert_eq!((tree.write().stats().node_bytes, tree.read().iter().count()), (0, 0));
    assert_eq!(alloc.counts().calls, calls, "an erase asked for memory");
}

fn without_memory<L: Layout>() {
    let plans = [Plan::After(0), Plan::Never, Plan::Every(2), Plan::Random { probability: 0.5, seed: 1 }];
    for plan in plans.into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
        for way in 0..5 {
            for stalled in [false, true] {
                let alloc = FaultyAlloc::new(Plan::Never);
                let tree = tree::<L>(&alloc);
                let reader = stalled.then(|| tree.reclaim().pin());
                alloc.set_plan(plan.clone());
                erase_all(&tree, &alloc, way);
                let stats = tree.write().shared_stats();
                assert!(!stalled || stats.retired_values as u64 == COUNT - COUNT.div_ceil(8) + 1);
                assert!(!stalled || stats.retired_leaves > 0);
                assert_eq!(stats.bytes as u64, alloc.counts().live_bytes);
                drop(reader);
                tree.synchronize();
                let stats = tree.write().shared_stats();
                assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
                drop(tree);
                assert_eq!(alloc.counts().live, 0);
            }
        }
    }
}

#[test]
fn no_erase_asks_for_memory() {
    without_memory::<SmallGaps>();
    if cfg!(miri) {
        // Only sizes differ, and an interpreter takes its time.
        return;
    }
    without_memory::<SmallNoGaps>();
    without_memory::<Gaps>();
    without_memory::<NoGaps>();
}

/// With a reader that stays, writes that copy go on up to a bound; those in place go on behind it.
#[cfg_attr(miri, ignore = "goes on until thousands of values wait")]
#[test]
fn what_waits_for_readers_is_bounded() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let tree =
        Tree::<SmallGaps>::from_tree(MapleTree::new_in(&alloc), Epochs::new()).expect("there is memory");
    assert!((0..8).all(|i| tree.write().insert(i * 10..i * 10 + 5, Box::new(i)).is_ok()));
    let reader = tree.read();
    let found = reader.get(12).copied();

    let mut copies = 0;
    let refused = loop {
        let mut writer = tree.write();
        match writer.store(11..13, Box::new(copies)) {
            Ok(()) => copies += 1,
            Err(error) => break error.kind,
        }
        writer.clear_range(10..=14).expect("no cut");
        match writer.insert(10..15, Box::new(copies)) {
            Ok(()) => copies += 1,
            Err(error) => break error.kind,
        }
        assert!(copies < 10_000, "there is no bound");
    };
    assert!(matches!(refused, InsertErrorKind::NodeMemory(_)), "{refused}");
    assert_eq!(alloc.counts().failed, 0, "the allocator was not the reason");
    let stats = tree.write().shared_stats();
    let retired = stats.retired_leaves + stats.retired_branches;
    // One of the two bounds was reached. A write that began below it may have gone over it by what it retired.
    assert!(retired.max(stats.retired_values) >= 4096, "{stats:?}");
    assert!(retired < 4096 + 16 && stats.retired_values < 4096 + 64, "{stats:?}");

    // In place: erase, the exact range again, replace, until there is no room for values either.
    let refused = (0..10_000).find_map(|i| {
        let mut writer = tree.write();
        let error = writer.replace(2, Box::new(i)).err();
        error.map(|error| error.kind)
    });
    assert!(matches!(refused, Some(ReplaceErrorKind::NodeMemory(_))));
    let stats = tree.write().shared_stats();
    assert!((4096..4096 + 64).contains(&stats.retired_values), "{stats:?}");
    assert_eq!(alloc.counts().failed, 0);
    let mut writer = tree.write();
    for i in 0..8 {
        assert!(i == 1 || writer.erase(i * 10).is_some());
    }
    assert_eq!(writer.clear_range(..), Ok(()));
    assert!(writer.is_empty());
    drop(writer);
    // The reader has what it found.
    assert_eq!((found, reader.get(12)), (Some(1), None));

    drop(reader);
    tree.write().collect();
    tree.write().collect();
    let stats = tree.write().shared_stats();
    assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
    assert!(tree.write().insert(IndexRange::FULL, Box::new(1)).is_ok());
    drop(tree);
    assert_eq!(alloc.counts().live, 0);
}
