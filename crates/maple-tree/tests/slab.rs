//! Trees whose nodes come from slabs: the same trees, fewer calls, nothing lost when memory fails.

use std::num::NonZeroUsize;

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{AllocError, Gaps, InsertErrorKind, MapleTree, SlabAlloc};

/// Small ones, so that they come and go.
const BYTES: usize = 4096;
type Slabs<'a> = SlabAlloc<&'a FaultyAlloc, BYTES>;
type Tree<'a, A> = MapleTree<NonZeroUsize, Gaps, A>;

fn value(number: u64) -> NonZeroUsize {
    NonZeroUsize::new(number as usize + 1).expect("one more than a number")
}

#[test]
fn the_same_tree_with_fewer_calls() {
    let (source, plain) = (FaultyAlloc::new(Plan::Never), FaultyAlloc::new(Plan::Never));
    let slabs = Slabs::new_in(&source);
    let mut tree: Tree<'_, &Slabs<'_>> = MapleTree::new_in(&slabs);
    let mut other: Tree<'_, &FaultyAlloc> = MapleTree::new_in(&plain);
    let mut random = fastrand::Rng::with_seed(1);
    for step in 0..if cfg!(miri) { 300 } else { 20_000 } {
        let first = random.u64(0..1000) * 8;
        let range = first..first + random.u64(1..=8);
        if random.bool() {
            assert_eq!(
                tree.insert(range.clone(), value(step)).is_ok(),
                other.insert(range, value(step)).is_ok()
            );
        } else {
            let calls = source.counts().calls;
            assert_eq!(tree.erase(first), other.erase(first));
            assert_eq!(source.counts().calls, calls, "an erase took memory");
        }
    }
    tree.validate().unwrap();
    assert!(tree.iter().eq(other.iter()));
    assert!(source.counts().calls < plain.counts().calls / 4);
    assert_eq!(source.counts().live, slabs.slabs() as u64);
    tree.clear();
    assert!(slabs.slabs() <= 2);
    drop(tree);
    drop(slabs);
    assert_eq!((source.counts().live, source.counts().live_bytes), (0, 0));
}

#[test]
fn no_memory_for_a_slab() {
    let source = FaultyAlloc::new(Plan::After(2));
    let mut tree: Tree<'_, Slabs<'_>> = MapleTree::new_in(Slabs::new_in(&source));
    let mut inserted = 0;
    // One slab of leaves, and one of branches, of which there are fewer.
    let refused = loop {
        match tree.insert(inserted * 4..inserted * 4 + 2, value(inserted)) {
            Ok(()) => inserted += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((refused.value, refused.kind), (value(inserted), InsertErrorKind::NodeMemory(AllocError)));
    tree.validate().unwrap();
    assert!((0..inserted).all(|at| tree.get(at * 4) == Some(value(at))));
    // What goes leaves room, without the source.
    (0..inserted).for_each(|at| assert_eq!(tree.erase(at * 4).unwrap().1, value(at)));
    (0..inserted).for_each(|at| tree.insert(at * 4..at * 4 + 2, value(0)).unwrap());
    source.set_plan(Plan::Never);
    tree.insert(inserted * 4..inserted * 4 + 2, value(0)).unwrap();
    tree.validate().unwrap();
    drop(tree);
    assert_eq!(source.counts().live, 0);
}

#[test]
fn trees_that_share_slabs() {
    let source = FaultyAlloc::new(Plan::Never);
    let slabs = Slabs::new_in(&source);
    let mut trees: Vec<Tree<'_, &Slabs<'_>>> = (0..4).map(|_| MapleTree::new_in(&slabs)).collect();
    for at in 0..200 {
        for (number, tree) in (0..).zip(&mut trees) {
            tree.insert(at * 4..at * 4 + 2, value(number)).unwrap();
        }
    }
    trees.swap_remove(1);
    for (tree, number) in trees.iter().zip([0, 3, 2]) {
        tree.validate().unwrap();
        assert!(tree.iter().all(|(_, found)| found == value(number)) && tree.len() == 200);
    }
    drop(trees);
    drop(slabs);
    assert_eq!(source.counts().live, 0);
}

#[test]
fn a_tree_with_slabs_of_its_own_goes_to_another_thread() {
    let mut tree: MapleTree<NonZeroUsize, Gaps, SlabAlloc> = MapleTree::new_in(SlabAlloc::new());
    tree.insert(0..10, value(1)).unwrap();
    let tree = std::thread::spawn(move || {
        let mut tree = tree;
        tree.insert(10..20, value(2)).unwrap();
        tree
    });
    assert_eq!(tree.join().unwrap().len(), 2);
}
