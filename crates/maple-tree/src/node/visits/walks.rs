//! How many nodes going over a tree visits.
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use core::iter;
use std::vec::Vec;

use fastrand::Rng;

use super::during;
use crate::{IndexRange, MapleTree};

/// A tree of entries with gaps between them, inserted in random order.
fn tree(n: u64) -> MapleTree<()> {
    let mut order: Vec<u64> = (0..n).collect();
    Rng::with_seed(1).shuffle(&mut order);
    let mut tree = MapleTree::new();
    for i in order {
        assert_eq!(tree.insert(IndexRange::sized(i * 16, 8).unwrap(), ()), Ok(()));
    }
    tree
}

/// The height of a tree, its nodes, and all of it for sizes that differ.
fn trees() -> impl Iterator<Item = (u64, u64, MapleTree<()>)> {
    [1_000, 100_000].into_iter().map(|n| {
        let tree = tree(n);
        let stats = tree.stats();
        (stats.height as u64, (stats.leaves + stats.branches) as u64, tree)
    })
}

/// The most visits of a step, and all of them.
fn steps<T>(mut step: impl FnMut() -> Option<T>) -> (u64, u64) {
    let visits = iter::from_fn(|| {
        let (visits, item) = during(&mut step);
        item.map(|_| visits)
    });
    visits.fold((0, 0), |(most, sum), visits| (most.max(visits), sum + visits))
}

#[test]
fn a_shared_cursor_walks_at_the_ends_of_leaves() {
    for (height, nodes, tree) in trees() {
        let (mut forward, mut backward) = (tree.cursor_front(), tree.cursor_back());
        let (mut entries, mut back) = (tree.cursor_front(), tree.cursor_back());
        for (most, sum) in [
            steps(|| forward.next_range()),
            steps(|| backward.prev_range()),
            steps(|| entries.next_entry()),
            steps(|| back.prev_entry()),
        ] {
            assert!(most <= 2 * height && sum <= nodes * height, "{most}, {sum}; {height}, {nodes}");
        }
        let (visits, _) = during(|| tree.cursor_at(16));
        assert!(visits <= height);
        let (visits, _) = during(|| tree.cursor_at(15));
        assert!(visits <= 2 * 2 * height);
    }
}

#[test]
fn a_cursor_that_writes_walks_three_times_per_step() {
    for (height, _, mut tree) in trees() {
        let mut cursor = tree.cursor_front_mut();
        let (most, _) = steps(|| cursor.next_range().map(|_| ()));
        assert!(most <= 3 * 2 * height);
        let (most, _) = steps(|| cursor.prev_entry().map(|_| ()));
        assert!(most <= 2 * 2 * height);
    }
}

#[test]
fn changing_all_values_walks_at_the_ends_of_leaves() {
    for (height, nodes, mut tree) in trees() {
        let mut iter = tree.iter_mut();
        let (most, sum) = steps(|| iter.next());
        assert!(most <= 2 * height && sum <= nodes * height);
    }
}

#[test]
fn taking_a_tree_apart_walks_once_per_entry() {
    for (height, nodes, tree) in trees() {
        let (entries, mut iter) = (tree.len() as u64, tree.into_iter());
        let mut from_the_front = true;
        let (most, sum) = steps(|| {
            from_the_front = !from_the_front;
            if from_the_front { iter.next() } else { iter.next_back() }
        });
        assert!(most <= 2 * height && sum <= entries * height + nodes, "{most}, {sum}; {height}, {nodes}");
    }
}

#[test]
fn retaining_all_visits_each_node_once() {
    for (height, nodes, mut tree) in trees() {
        let (visits, ()) = during(|| tree.retain(|_, ()| true));
        assert_eq!(visits, nodes);
        let middle = tree.len() as u64 / 2 * 16;
        let (visits, ()) = during(|| tree.retain(|range, ()| range.first() != middle));
        // And one erase, and a walk to where it went on.
        assert!((nodes..=nodes + 75 * height + height).contains(&visits));
    }
}
