use std::string::String;
use std::vec::Vec;

use super::explore::{Size, State, explore};
use super::ops::Choice;
use super::starts::prepared;
use crate::node::{SmallGaps, TinyGaps};
use crate::reached::{Reached, counts};

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Prints what was reached, and fails if anything was not.
fn report(what: &str, size: Size, unreachable: &[Reached]) {
    let counts = counts();
    std::eprintln!("{what}: {size:?}");
    for (shape, count) in Reached::ALL.iter().zip(counts) {
        std::eprintln!("    {shape:?}: {count}");
    }
    let missing: Vec<_> = Reached::ALL.iter().filter(|&&shape| counts[shape as usize] == 0).collect();
    std::eprintln!("missing: {missing:?}");
    let unexpected: Vec<String> = missing
        .iter()
        .filter(|shape| !unreachable.contains(shape))
        .map(|shape| std::format!("{shape:?}"))
        .collect();
    assert!(unexpected.is_empty(), "not reached: {unexpected:?}");
}

/// All trees over a few indices that there are, and every operation on each.
#[test]
fn every_tree_over_a_few_indices() {
    let indices = number("MAPLE_INDICES", 8);
    let bounded = State::<TinyGaps>::empty(0, indices, true);
    let size = explore([bounded].into(), Choice::All, usize::MAX);
    report("bounded", size, Reached::ALL);
}

#[test]
fn near_prepared_trees() {
    let depth = number("MAPLE_DEPTH", 1);
    let size = explore(prepared::<SmallGaps>(0, 48, true), Choice::Near(3), depth);
    report("prepared", size, &[]);
}
