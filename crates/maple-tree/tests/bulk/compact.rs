//! Compacting.
//!
//! `cargo test -p maple-tree --test bulk density -- --nocapture` prints what it is good for.

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Compaction, Gaps, IndexRange, Layout, MapleTree, NoGaps};

use crate::subject::{Live, check, for_each_layout, nodes, random, range, scaled, thin_out};

for_each_layout! {
    everything_stays => compacting_changes_nothing_but_nodes;
    in_steps => writes_go_on_between_steps;
    dense => dense_trees_are_left_alone;
}

fn compacting_changes_nothing_but_nodes<L: Layout>() {
    let mut rng = Rng::with_seed(1);
    for round in 0..scaled(400) {
        let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
        let bounds = if round % 2 == 0 { IndexRange::FULL } else { range(3, 16 * 900) };
        let n = if round % 8 == 0 { 2000 } else { 120 };
        let n = rng.u64(0..scaled(n));
        let (mut tree, mut model) = random::<L>(&alloc, &live, bounds, n, rng.bool(), &mut rng);
        let probability = [0.0, 0.5, 0.75, 0.9, 0.99][rng.usize(0..5)];
        thin_out(&mut tree, &mut model, probability, &mut rng);
        let (calls, before) = (alloc.counts().calls, nodes(&tree));

        // Step by step: valid after each.
        let mut state = Compaction::new();
        while tree.compact_step(&mut state, 1) {
            check(&tree, &model);
        }
        check(&tree, &model);
        assert!(state.is_done() && !tree.compact_step(&mut state, 1));
        assert_eq!(state.released() as u64, before - nodes(&tree));

        let before = nodes(&tree);
        assert_eq!(tree.compact() as u64, before - nodes(&tree));
        check(&tree, &model);
        assert_eq!((alloc.counts().calls, alloc.counts().live), (calls, nodes(&tree)));
        assert_eq!(live.count(), tree.len());

        // All that is done to a tree can be done to this one.
        thin_out(&mut tree, &mut model, 0.5, &mut rng);
        check(&tree, &model);
    }
}

fn writes_go_on_between_steps<L: Layout>() {
    let mut rng = Rng::with_seed(2);
    for round in 0..scaled(60) {
        let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
        let places = scaled(if round % 8 == 0 { 1500 } else { 150 });
        let bounds = IndexRange::FULL;
        let (mut tree, mut model) = random::<L>(&alloc, &live, bounds, places, rng.bool(), &mut rng);
        thin_out(&mut tree, &mut model, 0.8, &mut rng);
        let mut state = Compaction::default();
        let mut steps = 0;
        while tree.compact_step(&mut state, rng.usize(0..4)) {
            check(&tree, &model);
            steps += 1;
            for _ in 0..rng.u64(0..8) {
                let place = rng.u64(0..places) * 16;
                let taken = model.range(..place + 16).next_back().filter(|(_, (last, _))| *last >= place);
                match taken.map(|(&first, _)| first) {
                    Some(first) => {
                        assert!(tree.erase(first).is_some() || tree.unreserve(first).is_some());
                        model.remove(&first);
                    }
                    None => {
                        let last = place + rng.u64(0..16);
                        assert!(tree.insert(place..=last, live.boxed(place)).is_ok());
                        model.insert(place, (last, Some(place)));
                    }
                }
            }
            if rng.u8(0..100) == 0 {
                tree.clear();
                model.clear();
            }
        }
        assert!(steps < 10_000, "it goes on forever");
        check(&tree, &model);
        assert_eq!((live.count(), alloc.counts().live), (tree.len(), nodes(&tree)));
    }
}

fn dense_trees_are_left_alone<L: Layout>() {
    for n in (0..scaled(100)).chain([1000, 3000].map(scaled)) {
        for count in [8, 16] {
            let entries = (0..n).map(|i| (range(i * 16, i * 16 + count - 1), ()));
            let mut tree = MapleTree::<(), L>::from_sorted(entries).expect("there is memory");
            let before = tree.dump().to_string();
            assert_eq!((tree.compact(), tree.dump().to_string()), (0, before));
        }
    }
}

#[test]
fn nothing_to_do() {
    let mut tree: MapleTree<()> = MapleTree::new();
    assert_eq!(tree.compact(), 0);
    let mut state = Compaction::new();
    assert!(!state.is_done());
    assert!(!tree.compact_step(&mut state, 1) && state.is_done());
    assert!(tree.insert(.., ()).is_ok());
    assert_eq!(tree.compact(), 0);
    let mut state = Compaction::new();
    assert!(tree.compact_step(&mut state, 0), "nothing was looked at");
    assert_eq!(state, Compaction::new());
}

const N: u64 = 100_000;

/// Places of 16 indices, the first `count` of each, inserted in random order, all but every fourth erased again.
fn sparse<L: Layout>(count: u64) -> MapleTree<(), L> {
    let mut tree = MapleTree::new();
    let mut order: Vec<u64> = (0..N).collect();
    Rng::with_seed(1).shuffle(&mut order);
    for &i in &order {
        assert!(tree.insert(i * 16..i * 16 + count, ()).is_ok());
    }
    for &i in order.iter().filter(|&i| i % 4 != 0) {
        assert!(tree.erase(i * 16).is_some());
    }
    tree
}

/// With what was measured, and a little room.
#[cfg_attr(miri, ignore = "millions of operations, to count bytes")]
#[test]
fn density() {
    fn bytes<L: Layout>(tree: &MapleTree<(), L>) -> f64 {
        tree.stats().node_bytes as f64 / tree.len() as f64
    }
    fn measure<L: Layout>(what: &str, mut tree: MapleTree<(), L>, most: f64) {
        let before = bytes(&tree);
        let mut first = Compaction::new();
        while tree.compact_step(&mut first, 1) {}
        let one_pass = bytes(&tree);
        let mut passes = 1;
        loop {
            let mut pass = Compaction::new();
            tree.compact_step(&mut pass, usize::MAX);
            passes += 1;
            if pass.released() == 0 {
                break;
            }
        }
        let after = bytes(&tree);
        let rebuilt = MapleTree::<(), L>::from_sorted(&tree).map(|tree| bytes(&tree)).expect("memory");
        println!(
            "{what:<30} {before:>6.1} bytes per entry, {one_pass:>6.1} after one pass, {after:>6.1} after {passes}, \
             {rebuilt:>6.1} if rebuilt"
        );
        assert_eq!(tree.validate(), Ok(()));
        assert!(after <= most && rebuilt <= after, "{what}: {after} bytes per entry, {rebuilt} if rebuilt");
    }
    measure("a fourth is left", sparse::<Gaps>(16), 37.5);
    measure("a fourth is left, gaps", sparse::<Gaps>(8), 37.5);
    measure("a fourth is left, NoGaps", sparse::<NoGaps>(16), 35.5);
    let mut filled: MapleTree<(), Gaps> = MapleTree::new();
    let mut order: Vec<u64> = (0..N).collect();
    Rng::with_seed(1).shuffle(&mut order);
    for i in order {
        assert!(filled.insert(i * 16..i * 16 + 16, ()).is_ok());
    }
    measure("filled at random", filled, 19.0);
}

/// Entries in full nodes are left alone, and those of sparse nodes come into as few leaves as there can be.
#[test]
fn leaves_under_one_branch_are_full() {
    let entries = (0..17 * 16 - 1).map(|i| (range(i * 10, i * 10 + 9), ()));
    let mut tree = MapleTree::<(), Gaps>::from_sorted(entries).expect("there is memory");
    assert_eq!((tree.stats().leaves, tree.stats().branches), (17, 1));
    assert_eq!(tree.compact(), 0);
    // Pairs, each with a gap behind it.
    for i in (0..17 * 16 - 1).filter(|i| i % 8 > 1) {
        assert!(tree.erase(i * 10).is_some());
    }
    tree.compact();
    assert_eq!((tree.len(), tree.validate()), (68, Ok(())));
    assert_eq!(tree.stats().leaves, (34usize * 3).div_ceil(16));
}
