//! How many nodes a batch of erases in order visits: what the holder of a lock does before it lets the lock go.
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use std::vec::Vec;
use std::{print, println};

use fastrand::Rng;

use super::during;
use crate::{IndexRange, MapleTree};

/// A tree of adjacent entries of 16 indices, inserted in random order.
fn tree(n: u64) -> MapleTree<()> {
    let mut order: Vec<u64> = (0..n).collect();
    Rng::with_seed(1).shuffle(&mut order);
    let mut tree = MapleTree::new();
    for i in order {
        assert_eq!(tree.insert(IndexRange::sized(i * 16, 16).unwrap(), ()), Ok(()));
    }
    tree
}

/// Erases all entries, in batches of `batch` that are sorted and chosen by `order`.
fn measure(name: &str, batch: usize, order: impl Fn(u64) -> Vec<u64>) {
    for n in [1_000, 100_000, 300_000] {
        let mut tree = tree(n);
        let (mut most_one, mut most, mut sum, height) = (0, 0, 0, tree.stats().height as u64);
        for chosen in order(n).chunks(batch) {
            let mut chosen = chosen.to_vec();
            chosen.sort_unstable();
            let before = sum;
            for i in chosen {
                let (visits, erased) = during(|| tree.erase(i * 16));
                assert!(erased.is_some());
                most_one = most_one.max(visits);
                sum += visits;
            }
            most = most.max(sum - before);
        }
        let mean = sum as f64 / n as f64;
        print!("{n:>7} {name:<12} height {height}, one: {most_one:>3} at most, {mean:.1} on average; ");
        println!("{batch} in a batch: {most} at most");
        // What is promised of one, and what holds of many together, hence of a lock that is held for so many.
        assert!(most_one <= 75 * height);
        assert!(most <= 10 * height * batch as u64, "{most} visits of {batch} erases, height {height}");
        assert!(mean <= 8.0 * height as f64);
    }
}

#[test]
fn neighbours() {
    measure("neighbours", 16, |n| (0..n).collect());
    measure("neighbours", 32, |n| (0..n).collect());
    measure("neighbours", 127, |n| (0..n).collect());
}

#[test]
fn strangers() {
    let shuffled = |n| {
        let mut order: Vec<u64> = (0..n).collect();
        Rng::with_seed(2).shuffle(&mut order);
        order
    };
    measure("strangers", 16, shuffled);
    measure("strangers", 32, shuffled);
    measure("strangers", 127, shuffled);
}

#[test]
fn one_of_each_leaf() {
    // So that all leaves become sparse at about the same time, and are joined.
    let strided = |n: u64| (0..12).flat_map(|start| (start..n).step_by(12)).collect();
    measure("one per leaf", 16, strided);
    measure("one per leaf", 32, strided);
    measure("one per leaf", 127, strided);
}
