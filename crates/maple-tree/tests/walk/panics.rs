//! Drops of values that panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Gaps, MapleTree};

/// Panics when number 3 is dropped.
struct Brittle<'a>(u64, &'a AtomicUsize);

impl Drop for Brittle<'_> {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::Relaxed);
        if self.0 == 3 {
            resume_unwind(Box::new("this one does not like to be dropped"));
        }
    }
}

type Tree<'a> = MapleTree<Box<Brittle<'a>>, Gaps, &'a FaultyAlloc>;

/// 100 entries of 5 indices, 10 apart.
fn tree<'a>(alloc: &'a FaultyAlloc, dropped: &'a AtomicUsize) -> Tree<'a> {
    let mut tree = MapleTree::new_in(alloc);
    for number in 0..100 {
        let inserted = tree.insert(number * 10..number * 10 + 5, Box::new(Brittle(number, dropped)));
        assert!(inserted.is_ok());
    }
    tree
}

#[test]
fn the_rest_of_a_drain_goes_all_the_same() {
    let (alloc, dropped) = (FaultyAlloc::new(Plan::Never), AtomicUsize::new(0));
    let mut tree = tree(&alloc, &dropped);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(tree.drain(..500)))).is_err());
    assert_eq!((dropped.load(Ordering::Relaxed), tree.len()), (50, 50));
    assert_eq!(tree.validate(), Ok(()));
}

#[test]
fn the_rest_of_a_tree_goes_all_the_same() {
    let (alloc, dropped) = (FaultyAlloc::new(Plan::Never), AtomicUsize::new(0));
    let mut iter = tree(&alloc, &dropped).into_iter();
    assert_eq!(iter.next_back().map(|(range, _)| range.first()), Some(990));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(iter))).is_err());
    assert_eq!((dropped.load(Ordering::Relaxed), alloc.counts().live), (100, 0));
}

#[test]
fn a_tree_is_whole_after_a_drop_in_retain_panicked() {
    let (alloc, dropped) = (FaultyAlloc::new(Plan::Never), AtomicUsize::new(0));
    let mut tree = tree(&alloc, &dropped);
    assert!(catch_unwind(AssertUnwindSafe(|| tree.retain(|_, value| value.0 % 2 == 0))).is_err());
    // Numbers 1 and 3 are gone.
    assert_eq!((dropped.load(Ordering::Relaxed), tree.len()), (2, 98));
    assert_eq!(tree.validate(), Ok(()));
    tree.retain(|_, _| false);
    assert_eq!((dropped.load(Ordering::Relaxed), alloc.counts().live), (100, 0));
}
