//! What writes cost, in both modes: nodes visited, allocated, copied and retired by each, over orders that are
//! hard on a tree; and how high it gets.
//!
//! `cargo test -p maple-tree --lib visits::writes -- --nocapture --test-threads=1` prints the numbers;
//! `MAPLE_N=10000000` before it, with `--release`, measures that many entries (a gigabyte of memory, some
//! minutes per order).
// Large trees, and nothing but numbers: not for an interpreter.
#![cfg(not(miri))]

use std::vec::Vec;
use std::{env, format, print, println};

use fastrand::Rng;

use super::{WORK, during};
use crate::shared::SharedMapleTree;
use crate::{IndexRange, MapleTree};

/// Visits, and nodes allocated, copied and retired.
type Cost = [u64; 4];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Insert,
    Erase,
}

/// A tree of either mode, of entries without values.
trait Tree {
    const NAME: &'static str;

    fn new() -> Self;
    fn insert(&mut self, range: IndexRange) -> bool;
    fn erase(&mut self, index: u64) -> bool;
    fn height(&self) -> u64;
    fn is_sound(&self) -> bool;

    /// The most that one operation may cost at this height.
    fn limit(kind: Kind, height: u64) -> Cost;

    /// The most on average.
    fn mean_limit(kind: Kind, height: f64) -> [f64; 4];
}

struct Exclusive(MapleTree<()>);

impl Tree for Exclusive {
    const NAME: &'static str = "exclusive";

    fn new() -> Self {
        Self(MapleTree::new())
    }

    fn insert(&mut self, range: IndexRange) -> bool {
        self.0.insert(range, ()).is_ok()
    }

    fn erase(&mut self, index: u64) -> bool {
        self.0.erase(index).is_some()
    }

    fn height(&self) -> u64 {
        self.0.stats().height as u64
    }

    fn is_sound(&self) -> bool {
        self.0.validate().is_ok()
    }

    fn limit(kind: Kind, height: u64) -> Cost {
        match kind {
            // One leaf, one node on each level above it, and a root.
            Kind::Insert => [30 * height, height + 1, 0, 0],
            Kind::Erase => [75 * height, 0, 0, 0],
        }
    }

    fn mean_limit(kind: Kind, height: f64) -> [f64; 4] {
        match kind {
            Kind::Insert => [4.0 * height + 12.0, 0.3, 0.0, 0.0],
            Kind::Erase => [8.0 * height, 0.0, 0.0, 0.0],
        }
    }
}

struct Shared(SharedMapleTree<(), spin::Mutex<()>>);

impl Tree for Shared {
    const NAME: &'static str = "shared";

    fn new() -> Self {
        Self(SharedMapleTree::new())
    }

    fn insert(&mut self, range: IndexRange) -> bool {
        self.0.write().insert(range, ()).is_ok()
    }

    fn erase(&mut self, index: u64) -> bool {
        self.0.write().erase(index).is_some()
    }

    fn height(&self) -> u64 {
        self.0.write().stats().height as u64
    }

    fn is_sound(&self) -> bool {
        self.0.write().validate().is_ok()
    }

    fn limit(kind: Kind, height: u64) -> Cost {
        match kind {
            // Copies of the path, and of a neighbour on each level; new nodes for what is split.
            Kind::Insert => [100 * height, 3 * height + 1, 2 * height + 1, 2 * height + 1],
            // For each level that is joined two nodes and the branch above them; then the edges of what becomes the root.
            // A tree of one leaf has no more to retire than that.
            Kind::Erase => [150 * height, 0, 5 * (height - 1), (5 * (height - 1)).max(1)],
        }
    }

    fn mean_limit(kind: Kind, height: f64) -> [f64; 4] {
        match kind {
            Kind::Insert => [10.0 * height + 24.0, 0.3, 2.0, 2.0],
            Kind::Erase => [14.0 * height + 8.0, 0.0, 1.0, 1.0],
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    most: Cost,
    sum: Cost,
    operations: u64,
}

struct Meter<T> {
    tree: T,
    tallies: [Tally; 2],
    len: u64,
    /// The most entries there were.
    peak: u64,
    tallest: u64,
}

impl<T: Tree> Meter<T> {
    fn new() -> Self {
        Self { tree: T::new(), tallies: [Tally::default(); 2], len: 0, peak: 0, tallest: 0 }
    }

    fn measure(&mut self, kind: Kind, operation: impl FnOnce(&mut T) -> bool) {
        let before = WORK.get();
        let height = self.tree.height();
        let (visits, done) = during(|| operation(&mut self.tree));
        assert!(done, "{kind:?}");
        let (after, height) = (WORK.get(), height.max(self.tree.height()));
        let cost = [visits, after[0] - before[0], after[1] - before[1], after[2] - before[2]];
        let (limit, tally) = (T::limit(kind, height), &mut self.tallies[kind as usize]);
        for (i, &cost) in cost.iter().enumerate() {
            assert!(cost <= limit[i], "{kind:?}: {cost} of {i}, height {height}");
            tally.most[i] = tally.most[i].max(cost);
            tally.sum[i] += cost;
        }
        tally.operations += 1;
        self.tallest = self.tallest.max(height);
    }

    fn insert(&mut self, i: u64) {
        let range = IndexRange::sized(i * 16, 12);
        self.measure(Kind::Insert, |tree| range.is_some_and(|range| tree.insert(range)));
        self.len += 1;
        self.peak = self.peak.max(self.len);
        // More than half of what the fan-out allows would be needed for less; see docs/testing.md.
        let log4 = u64::from((self.peak + 1).ilog2() / 2);
        assert!(self.tallest <= log4 + 2, "height {}, {} entries at most", self.tallest, self.peak);
    }

    fn erase(&mut self, i: u64) {
        self.measure(Kind::Erase, |tree| tree.erase(i * 16));
        self.len -= 1;
    }

    fn report(&self, n: u64, order: &str) {
        assert!(self.tree.is_sound());
        print!("{:<9} {n:>8} {order:<16} {:>2}", T::NAME, self.tallest);
        for (kind, tally) in [Kind::Insert, Kind::Erase].into_iter().zip(&self.tallies) {
            let limit = T::mean_limit(kind, self.tallest as f64);
            for (i, &sum) in tally.sum.iter().enumerate() {
                let mean = sum as f64 / tally.operations.max(1) as f64;
                print!(" {:>10}", format!("{}/{mean:.2}", tally.most[i]));
                // Small trees are all edges.
                assert!(
                    n < 10_000 || mean <= limit[i],
                    "{kind:?}: {mean} of {i} on average, not {}",
                    limit[i]
                );
            }
        }
        println!();
    }
}

fn sizes() -> Vec<u64> {
    match env::var("MAPLE_N") {
        Ok(text) => [text.parse().expect("a number of entries")].into(),
        Err(_) => [1_000, 100_000].into(),
    }
}

/// Runs an order in both modes.
fn both(name: &str, exclusive: fn(&mut Meter<Exclusive>, u64), shared: fn(&mut Meter<Shared>, u64)) {
    print!("{:<9} {:>8} {:<16} {:>2}", "mode", "n", "most/mean of", "h");
    for heading in ["insert", "allocated", "copied", "retired", "erase", "allocated", "copied", "retired"] {
        print!(" {heading:>10}");
    }
    println!();
    for n in sizes() {
        let mut meter = Meter::new();
        exclusive(&mut meter, n);
        meter.report(n, name);
        let mut meter = Meter::new();
        shared(&mut meter, n);
        meter.report(n, name);
    }
}

macro_rules! order {
    ($name:ident, $run:ident) => {
        #[test]
        fn $name() {
            both(stringify!($name), $run, $run);
        }
    };
}

order!(ascending, run_ascending);
order!(descending, run_descending);
order!(random, run_random);
order!(inward, run_inward);
order!(comb, run_comb);
order!(one_per_leaf, run_one_per_leaf);
order!(all_but_one, run_all_but_one);
order!(waves, run_waves);
order!(growing_at_edges, run_growing_at_edges);

fn shuffled(n: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    Rng::with_seed(2).shuffle(&mut order);
    order
}

fn run_ascending<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).for_each(|i| meter.insert(i));
    (0..n).for_each(|i| meter.erase(i));
}

fn run_descending<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).rev().for_each(|i| meter.insert(i));
    (0..n).rev().for_each(|i| meter.erase(i));
}

fn run_random<T: Tree>(meter: &mut Meter<T>, n: u64) {
    let order = shuffled(n);
    order.iter().for_each(|&i| meter.insert(i));
    order.iter().rev().for_each(|&i| meter.erase(i));
}

/// From both ends to the middle: full nodes are cut at their ends.
fn run_inward<T: Tree>(meter: &mut Meter<T>, n: u64) {
    let order = |i: u64| if i % 2 == 0 { i / 2 } else { n - 1 - i / 2 };
    (0..n).for_each(|i| meter.insert(order(i)));
    (0..n).rev().for_each(|i| meter.erase(order(i)));
}

/// Every other entry goes and comes again, and goes with the others.
fn run_comb<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).for_each(|i| meter.insert(i));
    for _ in 0..2 {
        (0..n).step_by(2).for_each(|i| meter.erase(i));
        (0..n).step_by(2).for_each(|i| meter.insert(i));
    }
    (0..n).step_by(2).for_each(|i| meter.erase(i));
    (1..n).step_by(2).for_each(|i| meter.erase(i));
}

/// One entry of each leaf stays; then one of each sixteen of these, and so on.
fn run_one_per_leaf<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).for_each(|i| meter.insert(i));
    let mut step = 1;
    while step < n {
        let next = step * 15;
        (0..n).step_by(step as usize).filter(|i| i % next != 0).for_each(|i| meter.erase(i));
        step = next;
    }
    meter.erase(0);
}

/// All but one, at random.
fn run_all_but_one<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).for_each(|i| meter.insert(i));
    let order = shuffled(n);
    order[1..].iter().for_each(|&i| meter.erase(i));
    order[1..].iter().for_each(|&i| meter.insert(i));
    order.iter().for_each(|&i| meter.erase(i));
}

/// What about fills a node is drained and filled again, by turns from either side, and beginning between two
/// nodes.
fn run_waves<T: Tree>(meter: &mut Meter<T>, n: u64) {
    (0..n).for_each(|i| meter.insert(i));
    for offset in [0, 5, 11] {
        for block in (offset..n.saturating_sub(16)).step_by(16) {
            (block..block + 16).for_each(|i| meter.erase(i));
            (block..block + 16).rev().for_each(|i| meter.insert(i));
        }
    }
    (0..n).rev().for_each(|i| meter.erase(i));
}

/// Long rows of entries, one after the other each growing at its end, in the midst of the tree.
fn run_growing_at_edges<T: Tree>(meter: &mut Meter<T>, n: u64) {
    let rows = n.isqrt();
    for i in 0..rows {
        (0..rows).for_each(|row| meter.insert(row * rows + i));
    }
    for i in 0..rows {
        (0..rows).rev().for_each(|row| meter.erase(row * rows + i));
    }
}
