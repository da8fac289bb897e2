//! How many nodes it visits to store over, or to clear, what is there.
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use std::println;

use fastrand::Rng;

use super::during;
use crate::{AllocMode, IndexRange, MapleTree};

/// What is done to a range; how many entries lay wholly in it.
type Overwrite = fn(&mut MapleTree<()>, IndexRange) -> u64;

fn store(tree: &mut MapleTree<()>, range: IndexRange) -> u64 {
    let mut displaced = 0;
    assert_eq!(tree.store_with(range, (), AllocMode::Normal, |_, ()| displaced += 1), Ok(()));
    displaced
}

fn clear_range(tree: &mut MapleTree<()>, range: IndexRange) -> u64 {
    let mut cleared = 0;
    assert_eq!(tree.clear_range_with(range, AllocMode::Normal, |_, ()| cleared += 1), Ok(()));
    cleared
}

/// One write to a tree that is filled at random, over ranges that mostly overlap a few of its entries. An insertion
/// visits 30 h nodes at most and an erase 75 h, and there are at most three more steps that are like an insertion.
fn measure(name: &str, overwrite: Overwrite) {
    for n in [1_000, 10_000, 100_000] {
        let mut rng = Rng::with_seed(3);
        let mut tree = MapleTree::<()>::new();
        for i in 0..n {
            assert_eq!(tree.insert(IndexRange::sized(i * 16, 12).unwrap(), ()), Ok(()));
        }
        let (mut sum, mut most, mut steps) = (0, 0, 0);
        for _ in 0..n {
            let range = IndexRange::sized(rng.u64(0..n * 16), rng.u64(1..64)).unwrap();
            let (visits, displaced) = during(|| overwrite(&mut tree, range));
            let height = tree.stats().height as u64 + 1;
            assert!(
                visits <= (displaced + 1) * 75 * height + 3 * 30 * height,
                "{visits} visits, {displaced}"
            );
            (sum, most, steps) = (sum + visits, most.max(visits), steps + displaced + 1);
        }
        assert_eq!(tree.validate(), Ok(()));
        let (height, mean) = (tree.stats().height as f64, sum as f64 / steps as f64);
        println!("{name}, n = {n}: most {most}, per step {mean:.1}, height {height}");
        assert!(mean <= 8.0 * height, "{mean} visits for each step, height {height}");
    }
}

#[test]
fn stores() {
    measure("store", store);
}

#[test]
fn clearing() {
    measure("clear_range", clear_range);
}
