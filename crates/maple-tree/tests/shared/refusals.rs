//! Writes are refused for what is retired only if a reader is the reason, and then what waits is bounded.

use maple_tree::reclaim::Epochs;
use maple_tree::shared::SharedMapleTree;
use maple_tree::{IndexRange, SmallGaps};

type Tree<T> = SharedMapleTree<T, spin::Mutex<()>>;

#[test]
fn nothing_is_refused_after_a_large_clear() {
    let tree: Tree<()> = SharedMapleTree::new();
    for index in 0..50_000 {
        assert!(tree.write().insert(index * 10..index * 10 + 5, ()).is_ok());
    }
    tree.write().clear();
    for index in 0..5000 {
        assert!(tree.write().insert(index * 10..index * 10 + 5, ()).is_ok(), "number {index}");
    }
}

#[test]
fn nothing_is_refused_after_a_large_store() {
    let tree: Tree<Box<u64>> = SharedMapleTree::new();
    for index in 0..50_000 {
        assert!(tree.write().insert(index * 10..index * 10 + 5, Box::new(index)).is_ok());
    }
    assert!(tree.write().store(0..1_000_000, Box::new(0)).is_ok());
    for index in 200_000..205_000 {
        assert!(tree.write().insert(index * 10..index * 10 + 5, Box::new(index)).is_ok(), "number {index}");
    }
}

#[test]
fn a_reader_that_stays_bounds_what_waits() {
    fn run<T: maple_tree::Entry>(value: impl Fn() -> T) {
        let tree: Tree<T> = SharedMapleTree::new();
        let reader = tree.read();
        let mut refused = 0;
        for _ in 0..20_000 {
            if tree.write().insert(0..5, value()).is_ok() {
                assert!(tree.write().erase(0).is_some());
            } else {
                refused += 1;
            }
        }
        assert!(refused > 0);
        let stats = tree.write().shared_stats();
        assert!(stats.retired_leaves <= 4096 && stats.retired_values <= 4096, "{stats:?}");
        drop(reader);
        assert!(tree.write().insert(0..5, value()).is_ok());
    }
    run(|| ());
    run(|| Box::new(1));
}

#[test]
fn a_copy_of_a_shared_tree_has_one_owner() {
    let tree: Tree<()> = SharedMapleTree::new();
    let mut writer = tree.write();
    for index in 0..200 {
        assert!(writer.insert(index * 10..index * 10 + 10, ()).is_ok());
    }
    for index in (0..200).filter(|index| index % 7 > 1) {
        assert!(writer.erase(index * 10).is_some());
    }
    let copy = writer.try_clone();
    let copy = copy.expect("there is memory");
    assert_eq!(copy.validate(), Ok(()));
    assert_eq!(copy, *writer);
}

/// An erase after a cut may join nodes that the cut copied from, and retire them.
#[test]
fn cuts_and_joins_share_nodes() {
    for seed in 0..if cfg!(miri) { 4 } else { 500 } {
        let mut rng = fastrand::Rng::with_seed(seed);
        let tree: SharedMapleTree<(), spin::Mutex<()>, Epochs, SmallGaps> = SharedMapleTree::new();
        for _ in 0..300 {
            let mut writer = tree.write();
            let first = rng.u64(..400);
            let range = IndexRange::new(first, first + rng.u64(..12)).expect("not empty");
            match rng.u8(..4) {
                0 | 1 => drop(writer.insert(range, ())),
                2 => assert!(writer.clear_range(range).is_ok()),
                _ => drop(writer.erase(first)),
            }
            writer.collect();
            assert_eq!(writer.validate(), Ok(()));
        }
        assert_eq!(tree.into_tree().validate(), Ok(()));
    }
}
