//! The same for operations on whole trees: visits per entry, per node and per step.
//!
//! `cargo test -p maple-tree bulk_tests -- --nocapture` prints the numbers.
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use std::println;
use std::vec::Vec;

use fastrand::Rng;

use super::during;
use crate::{Compaction, Gaps, IndexRange, Layout, MapleTree, NoGaps};

const N: u64 = 100_000;

/// Places of 16 indices, all of them or the front half.
fn entries(n: u64, count: u64) -> impl Iterator<Item = (IndexRange, ())> {
    (0..n).filter_map(move |i| Some((IndexRange::sized(i * 16, count)?, ())))
}

fn nodes<L: Layout>(tree: &MapleTree<(), L>) -> u64 {
    (tree.stats().leaves + tree.stats().branches) as u64
}

fn check<L: Layout>(name: &str) {
    for count in [8, 16] {
        let (visits, tree) = during(|| MapleTree::<(), L>::from_sorted(entries(N, count)));
        let mut tree = tree.unwrap();
        let per_entry = visits as f64 / N as f64;
        assert!(per_entry < 3.0, "{per_entry} visits per entry");

        let (to_copy, copy) = during(|| tree.clone());
        assert_eq!(copy.len(), tree.len());
        // Once when the copy is made and once when it is filled, the original and the copy.
        assert_eq!(to_copy, 4 * nodes(&tree));
        drop(copy);

        let (to_extend, extended) =
            during(|| tree.extend_sorted([(IndexRange::single(u64::MAX), ()), (IndexRange::FULL, ())]));
        assert!(extended.is_err());
        let height = tree.stats().height as u64;
        assert!(to_extend <= 75 * height, "{to_extend} visits to append one entry");
        println!("{name}: {per_entry:.2} visits per entry of {N}; {to_extend} for one more, height {height}");
    }
    // Each leaf sparse, but not so sparse that it is joined with the next.
    let mut tree = MapleTree::<(), L>::new();
    let mut order: Vec<u64> = (0..N).collect();
    Rng::with_seed(1).shuffle(&mut order);
    for &i in &order {
        tree.insert(i * 16..i * 16 + 8, ()).unwrap();
    }
    for &i in order.iter().filter(|&i| i % 3 != 0) {
        tree.erase(i * 16);
    }
    let (before, mut steps, mut most, mut all) = (nodes(&tree), 0, 0, 0);
    let mut state = Compaction::new();
    loop {
        let (visits, more) = during(|| tree.compact_step(&mut state, 1));
        (steps, most, all) = (steps + 1, most.max(visits), all + visits);
        if !more {
            break;
        }
    }
    println!("{name}: {before} nodes to {}: {steps} steps, visits {all}, at most {most}", nodes(&tree));
    assert!(most <= STEP_LIMIT && all <= 10 * before);
}

/// The most visits that one step may take.
const STEP_LIMIT: u64 = 2000;

#[test]
fn gaps() {
    check::<Gaps>("Gaps");
}

#[test]
fn no_gaps() {
    check::<NoGaps>("NoGaps");
}
