//! Values and the tree that holds them: threads, lifetimes, drops that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Gaps, MapleTree};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Brittle(usize);

impl Drop for Brittle {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
        assert_ne!(self.0, 3, "this one does not like to be dropped");
    }
}

#[test]
fn a_drop_that_panics_loses_neither_values_nor_nodes() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut tree: MapleTree<Box<Brittle>, Gaps, _> = MapleTree::new_in(&alloc);
    for number in 0..100 {
        let first = number as u64 * 10;
        assert!(tree.insert(first..first + 5, Box::new(Brittle(number))).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| tree.clear())).is_err());
    assert_eq!(DROPPED.load(Ordering::Relaxed), 100);
    assert!(tree.is_empty() && tree.validate().is_ok());
    assert_eq!((tree.stats().leaves, alloc.counts().live), (0, 0));
    assert!(tree.insert(7..8, Box::new(Brittle(7))).is_ok());
}

#[test]
fn iterators_go_to_other_threads() {
    let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    for number in 0..100 {
        assert!(tree.insert(number * 10..number * 10 + 5, Box::new(number)).is_ok());
    }
    let (entries, gaps) = (tree.iter(), tree.gaps());
    let sum = std::thread::scope(|scope| {
        let sum = scope.spawn(move || entries.map(|(_, value)| value).sum::<u64>());
        assert_eq!(scope.spawn(move || gaps.count()).join().ok(), Some(100));
        sum.join().ok()
    });
    assert_eq!(sum, Some(99 * 100 / 2));
}

#[test]
fn changes_and_cursors_go_to_other_threads() {
    let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    for number in 0..100 {
        assert!(tree.insert(number * 10..number * 10 + 5, Box::new(number)).is_ok());
    }
    std::thread::scope(|scope| {
        let mut values = tree.iter_mut();
        // Two threads change values of one tree, none of them both.
        let low: Vec<_> = values.by_ref().take(50).collect();
        scope.spawn(move || low.into_iter().for_each(|(_, value)| *value += 1));
        scope.spawn(move || values.for_each(|(_, value)| *value += 2));
    });
    std::thread::scope(|scope| {
        let mut cursor = tree.cursor_at(495);
        let mut copy = cursor.clone();
        scope.spawn(move || assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some(50)));
        scope.spawn(move || assert_eq!(copy.next_entry().map(|(_, value)| *value), Some(52)));
    });
    let sum = std::thread::spawn(move || tree.into_iter().map(|(_, value)| *value).sum::<u64>()).join();
    assert_eq!(sum.ok(), Some(99 * 100 / 2 + 50 + 100));
}

#[test]
fn values_may_have_lifetimes() {
    let number = 5;
    let mut tree: MapleTree<&u32> = MapleTree::new();
    assert!(tree.insert(0..10, &number).is_ok());
    assert_eq!(format!("{tree:?}"), "{0..=9}");
    assert!(tree.erase_if(3, |range, value| range.first() == 0 && **value == 6).is_none());
    assert_eq!(tree.erase_if(3, |_, value| **value == 5).map(|(_, value)| *value), Some(5));
}

/// Equal by what they hold: not by nodes, nor by layout.
#[test]
fn trees_that_are_equal() {
    use maple_tree::{Gaps, NoGaps, SmallGaps};

    let mut one: MapleTree<Box<u8>, Gaps> = MapleTree::new();
    let mut other: MapleTree<Box<u8>, SmallGaps> = MapleTree::new();
    for i in 0..40 {
        one.insert(i * 10..i * 10 + 7, Box::new(i as u8)).expect("free");
    }
    for i in (0..60).rev() {
        other.insert(i * 10..i * 10 + 7, Box::new(i as u8)).expect("free");
    }
    assert!(one != other);
    assert_eq!(other.clear_range(400..), Ok(()));
    assert!(one == other);
    assert!(other == one);
    one.reserve(1000..=u64::MAX).expect("free");
    assert!(one != other);
    other.reserve(1000..=u64::MAX).expect("free");
    assert!(one == other);
    assert_eq!(other.replace(0, Box::new(7)), Ok(Some(Box::new(0))));
    assert!(one != other);
    let empty = MapleTree::<(), NoGaps>::new();
    assert!(empty == MapleTree::<()>::default());
    let bounds = maple_tree::IndexRange::new(0, 9).expect("not empty");
    assert!(empty != MapleTree::<()>::bounded(bounds));
}
