//! How many nodes each operation visits as a tree grows, in orders that are hard on it: measured, and bounded by
//! the height. Reading a node's edges from its parent counts as a visit, and so does each of the walks of an
//! insertion or an erasure.
//!
//! `cargo test -p maple-tree visits -- --nocapture --test-threads=1` prints the numbers.
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use std::vec::Vec;
use std::{print, println};

use fastrand::Rng;

use super::during;
use crate::{Direction, GapRequest, Gaps, IndexRange, MapleTree};

/// An operation whose visits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Insert,
    Erase,
    Get,
    /// A step of the iterator.
    Step,
    /// A gap search for a power of two aligned to itself, everywhere.
    Natural,
    /// One with alignment 1.
    Any,
    /// The same in a window that cuts gaps.
    NaturalInWindow,
    /// Likewise.
    AnyInWindow,
    /// One for any size, aligned naturally, from the top of a tree in steady state.
    AnyNatural,
}

const KINDS: [Kind; 9] = [
    Kind::Insert,
    Kind::Erase,
    Kind::Get,
    Kind::Step,
    Kind::Natural,
    Kind::Any,
    Kind::NaturalInWindow,
    Kind::AnyInWindow,
    Kind::AnyNatural,
];

impl Kind {
    /// The most visits that one operation may take in a tree of this height.
    ///
    /// Where a node is split or joined the summaries of all its slots are made anew, hence the large numbers.
    fn limit(self, height: u64) -> u64 {
        match self {
            Self::Insert => 30 * height,
            Self::Erase => 75 * height,
            Self::Get => height,
            Self::Step | Self::Natural | Self::Any | Self::AnyNatural => 2 * height,
            // Two nodes on each level, and beside each the edges of another.
            Self::NaturalInWindow | Self::AnyInWindow => 4 * height + 4,
        }
    }

    /// The most visits that operations may take on average.
    fn mean_limit(self, height: u64) -> f64 {
        let height = height as f64;
        match self {
            Self::Insert => 4.0 * height + 12.0,
            Self::Erase => 8.0 * height,
            Self::Get => height,
            Self::Step => 1.5,
            // Now and then the edge of a node beside the way.
            Self::Natural | Self::Any => height + 0.1,
            // Small gaps everywhere, so that bridges are looked at.
            Self::AnyNatural => 1.5 * height,
            Self::NaturalInWindow | Self::AnyInWindow => 3.0 * height + 1.0,
        }
    }
}

/// Visits of all operations of a kind on one tree.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    most: u64,
    sum: u64,
    operations: u64,
}

/// A tree whose visits are counted.
struct Meter {
    tree: MapleTree<(), Gaps>,
    rng: Rng,
    tallies: [Tally; KINDS.len()],
    tallest: u64,
}

impl Meter {
    fn new(tree: MapleTree<(), Gaps>) -> Self {
        Self { tree, rng: Rng::with_seed(1), tallies: [Tally::default(); KINDS.len()], tallest: 0 }
    }

    fn height(&self) -> u64 {
        self.tree.raw().height() as u64
    }

    fn count(&mut self, kind: Kind, visits: u64, height: u64) {
        // Even a tree of the fewest entries per node that joining leaves.
        let log4 = u64::from((self.tree.len() + 1).ilog2() / 2);
        assert!(height <= log4 + 2, "height {height}, {} entries", self.tree.len());
        assert!(visits <= kind.limit(height), "{kind:?}: {visits} visits, height {height}");
        self.tallest = self.tallest.max(height);
        let tally = &mut self.tallies[kind as usize];
        tally.most = tally.most.max(visits);
        tally.sum += visits;
        tally.operations += 1;
    }

    fn insert(&mut self, range: IndexRange) {
        let (visits, inserted) = during(|| self.tree.insert(range, ()));
        assert_eq!(inserted, Ok(()));
        self.count(Kind::Insert, visits, self.height());
    }

    fn erase(&mut self, index: u64) {
        let height = self.height();
        let (visits, erased) = during(|| self.tree.erase(index));
        assert!(erased.is_some());
        self.count(Kind::Erase, visits, height);
    }

    fn find(&mut self, kind: Kind, request: &GapRequest) -> Option<IndexRange> {
        let (visits, found) = during(|| self.tree.find_gap(request));
        self.count(kind, visits, self.height());
        found
    }

    /// Lookups, steps and searches at random in a tree that lies in `0..end`; sizes up to what just does not fit.
    fn read(&mut self, end: u64) {
        let longest = self.tree.longest_gap(..end).map_or(1, |gap| gap.last() - gap.first() + 1);
        for _ in 0..2000 {
            let index = self.rng.u64(0..end);
            let (visits, _) = during(|| self.tree.get(index));
            self.count(Kind::Get, visits, self.height());

            let (a, b) = (self.rng.u64(0..end), self.rng.u64(0..end));
            let window = IndexRange::new(a.min(b), a.max(b)).unwrap();
            let order = self.rng.u32(0..=longest.ilog2() + 1);
            let size = self.rng.u64(1..2 << order).min(longest + 1);
            let direction = if self.rng.bool() { Direction::TopDown } else { Direction::BottomUp };
            for (kind, window, size, align) in [
                (Kind::Natural, IndexRange::FULL, 1 << order, 1 << order),
                (Kind::Any, IndexRange::FULL, size, 1),
                (Kind::NaturalInWindow, window, 1 << order, 1 << order),
                (Kind::AnyInWindow, window, size, 1),
            ] {
                self.find(kind, &GapRequest::new(window, size, align, direction).unwrap());
            }
        }
        let mut steps = Vec::new();
        let mut iter = self.tree.iter();
        loop {
            let (visits, item) = during(|| iter.next());
            if item.is_none() {
                break;
            }
            steps.push(visits);
        }
        for visits in steps {
            self.count(Kind::Step, visits, self.height());
        }
    }

    /// Prints what was measured and checks the means.
    fn report(&self, n: u64, order: &str) {
        print!("{n:>8} {order:<20} {:>2}", self.tallest);
        for (kind, tally) in KINDS.into_iter().zip(self.tallies) {
            if tally.operations == 0 {
                print!("           -");
                continue;
            }
            let mean = tally.sum as f64 / tally.operations as f64;
            print!("  {:>4} {mean:>5.2}", tally.most);
            assert!(
                mean <= kind.mean_limit(self.tallest),
                "{kind:?}: {mean} visits, height {}",
                self.tallest
            );
        }
        println!();
    }
}

fn print_heading() {
    println!();
    print!("{:>8} {:<20} {:>2}", "n", "order (most, mean)", "h");
    for heading in
        ["insert", "erase", "get", "step", "natural", "any", "natural, win", "any, win", "any natural"]
    {
        print!("  {heading:>10.10}");
    }
    println!();
}

fn place(i: u64) -> IndexRange {
    IndexRange::sized(i * 16, 16).unwrap()
}

fn half(i: u64) -> IndexRange {
    IndexRange::sized(i * 16, 8).unwrap()
}

const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Inserts in an order, reads, and erases in an order; reads in between as well.
fn measure(
    name: &str,
    range: fn(u64) -> IndexRange,
    insert: impl Fn(u64) -> Vec<u64>,
    erase: impl Fn(u64) -> [Vec<u64>; 2],
) {
    print_heading();
    for n in SIZES {
        let mut meter = Meter::new(MapleTree::new());
        for i in insert(n) {
            meter.insert(range(i));
        }
        meter.read(n * 16);
        for part in erase(n) {
            for i in part {
                meter.erase(i * 16);
            }
            if !meter.tree.is_empty() {
                meter.read(n * 16);
            }
        }
        meter.report(n, name);
    }
}

fn halves(order: Vec<u64>) -> [Vec<u64>; 2] {
    let middle = order.len() / 2;
    [order[..middle].to_vec(), order[middle..].to_vec()]
}

fn shuffled(n: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    Rng::with_seed(2).shuffle(&mut order);
    order
}

#[test]
fn ascending() {
    measure("ascending", half, |n| (0..n).collect(), |n| halves((0..n).collect()));
}

#[test]
fn descending() {
    measure("descending", half, |n| (0..n).rev().collect(), |n| halves((0..n).rev().collect()));
}

#[test]
fn random() {
    measure("random", half, shuffled, |n| halves(shuffled(n).into_iter().rev().collect()));
}

#[test]
fn comb() {
    let every_other = |n: u64| [(0..n).step_by(2).collect(), (1..n).step_by(2).collect()];
    measure("comb", place, |n| (0..n).collect(), every_other);
}

#[test]
fn all_but_one_per_leaf() {
    let split = |n: u64| {
        let (rest, most): (Vec<u64>, Vec<u64>) = (0..n).partition(|i| i % 15 == 7);
        [most, rest]
    };
    measure("all but one per leaf", place, |n| (0..n).collect(), split);
}

/// What an allocator of I/O addresses does: the highest place below 2^32, of natural alignment; in steady state.
fn iova(name: &str, bounds: IndexRange) {
    print_heading();
    for n in SIZES {
        let mut meter = Meter::new(MapleTree::bounded(bounds));
        let mut held = Vec::new();
        for _ in 0..200_000.max(n + n / 2) {
            if held.len() as u64 == n {
                let which = meter.rng.usize(0..held.len());
                meter.erase(held.swap_remove(which));
            }
            let order = meter.rng.u32(0..6);
            let request = GapRequest::new(..1 << 32, 1 << order, 1 << order, Direction::TopDown).unwrap();
            let range = meter.find(Kind::NaturalInWindow, &request).unwrap();
            meter.insert(range);
            held.push(range.first());
        }
        meter.report(n, name);
    }
}

#[test]
fn dma_top_down_below_a_limit() {
    iova("dma below 2^32", IndexRange::FULL);
}

#[test]
fn dma_top_down_in_bounds() {
    iova("dma in 2^32", IndexRange::new(0, (1 << 32) - 1).unwrap());
}

/// Natural alignment of sizes that are not powers of two, in steady state: as quick as that of powers.
#[test]
fn natural_alignment_of_any_size() {
    print_heading();
    for (n, most) in [(10_000, 32), (100_000, 32), (10_000, 500), (100_000, 500)] {
        let mut meter = Meter::new(MapleTree::bounded(IndexRange::new(0, (1 << 36) - 1).unwrap()));
        let mut held = Vec::new();
        for _ in 0..n * 3 {
            if held.len() as u64 == n {
                let which = meter.rng.usize(0..held.len());
                meter.erase(held.swap_remove(which));
            }
            let size = meter.rng.u64(1..=most);
            let request = GapRequest::new(.., size, size.next_power_of_two(), Direction::TopDown).unwrap();
            let range = meter.find(Kind::AnyNatural, &request).unwrap();
            meter.insert(range);
            held.push(range.first());
        }
        meter.report(n, "natural");
    }
}
