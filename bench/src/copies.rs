//! How many nodes a write of the shared mode copies, where those come from, and how many wait for readers.
//!
//! A node that was copied is retired. So where all that was retired is given back after each write, what is retired then
//! was copied by that write, or is a node that it left without entries.

use std::fmt;

use crate::memory;
use crate::numbers::Numbers;
use crate::row::Setup;
use crate::subject::{Allocator, SharedMap, Space};
use crate::subjects::shared::SharedGlobal;
use crate::workloads::{any_size, inside, range, value};

/// What one workload did to nodes.
#[derive(Clone, Copy, Debug)]
pub struct Copies {
    pub workload: &'static str,
    pub n: usize,
    /// Nodes retired per operation.
    pub retired: f64,
    /// Calls to the allocator per operation.
    pub allocations: f64,
    /// The most nodes that waited at a time, where nobody reads and only the writes give them back.
    pub waiting: usize,
}

impl Copies {
    /// The head of a table of these.
    pub const HEAD: &str = "workload                     n  retired/op  allocations/op  waiting at most";
}

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workload, n, retired, allocations, waiting } = self;
        write!(f, "{workload:<20} {n:>9} {retired:>11.3} {allocations:>15.3} {waiting:>16}")
    }
}

/// Counts while a workload runs.
struct Count {
    /// Whether all is given back after each operation.
    collects: bool,
    begin: u64,
    operations: usize,
    retired: usize,
    waiting: usize,
}

impl Count {
    fn new(collects: bool) -> Self {
        Self { collects, begin: memory::calls(), operations: 0, retired: 0, waiting: 0 }
    }

    /// Forgets what was before.
    fn begin(&mut self, tree: &SharedGlobal) {
        tree.collect();
        *self = Self::new(self.collects);
    }

    /// After each operation.
    fn done(&mut self, tree: &SharedGlobal) {
        let retired = tree.retired_nodes();
        self.operations += 1;
        self.retired += retired;
        self.waiting = self.waiting.max(retired);
        if self.collects {
            tree.collect();
        }
    }
}

type Workload = fn(&Setup, &mut Count);

const WORKLOADS: [(&str, Workload); 7] = [
    ("insert-sequential", insert_sequential),
    ("insert-random", insert_random),
    ("erase-random", erase_random),
    ("again", again),
    ("again-other-length", again_other_length),
    ("pair-natural", pair_natural),
    ("pair-any", pair_any),
];

/// Up to which n `pair-natural` runs: its searches grow with n (see `docs/performance.md`).
const NATURAL_UP_TO: usize = 10_000;

/// Runs all workloads. An operation is one write; in `again` and `pair` it is two.
pub fn copies(setup: &Setup) -> Vec<Copies> {
    let run = |(workload, work): (&'static str, Workload)| {
        let [collects, does_not] = [true, false].map(|collects| {
            let mut count = Count::new(collects);
            work(setup, &mut count);
            (count.retired, memory::calls() - count.begin, count.operations, count.waiting)
        });
        Copies {
            workload,
            n: setup.n,
            retired: collects.0 as f64 / collects.2 as f64,
            allocations: does_not.1 as f64 / does_not.2 as f64,
            waiting: does_not.3,
        }
    };
    let takes_part = |&(name, _): &(&str, Workload)| setup.n <= NATURAL_UP_TO || name != "pair-natural";
    WORKLOADS.into_iter().filter(takes_part).map(run).collect()
}

fn insert_sequential(setup: &Setup, count: &mut Count) {
    insert_all((0..setup.n as u32).collect(), count);
}

fn insert_random(setup: &Setup, count: &mut Count) {
    insert_all(Numbers::new(setup.seed).order(setup.n), count);
}

fn insert_all(order: Vec<u32>, count: &mut Count) {
    let tree = <SharedGlobal as SharedMap>::new();
    count.begin(&tree);
    for number in order {
        insert(&tree, number.into());
        count.done(&tree);
    }
}

fn erase_random(setup: &Setup, count: &mut Count) {
    let (tree, order) = filled(setup);
    count.begin(&tree);
    for number in order {
        erase(&tree, number.into());
        count.done(&tree);
    }
}

fn again(setup: &Setup, count: &mut Count) {
    pairs(setup, count, |tree, number, _| {
        erase(tree, number);
        insert(tree, number);
    });
}

fn again_other_length(setup: &Setup, count: &mut Count) {
    pairs(setup, count, |tree, number, numbers| {
        erase(tree, number);
        tree.insert(range(number).0, inside(number) + numbers.below(32) as u64, value(number));
    });
}

fn pair_natural(setup: &Setup, count: &mut Count) {
    allocate(setup, true, count);
}

fn pair_any(setup: &Setup, count: &mut Count) {
    allocate(setup, false, count);
}

/// Pairs in a map that many pairs made old.
fn pairs(setup: &Setup, count: &mut Count, pair: fn(&SharedGlobal, u64, &mut Numbers)) {
    let (tree, _) = filled(setup);
    let mut numbers = Numbers::new(!setup.seed);
    for operation in 0..2 * setup.operations {
        if operation == setup.operations {
            count.begin(&tree);
        }
        let number = numbers.below(setup.n) as u64;
        pair(&tree, number, &mut numbers);
        count.done(&tree);
    }
}

fn allocate(setup: &Setup, natural: bool, count: &mut Count) {
    let space = Space { last: (1 << 36) - 1, natural, ranges: setup.n };
    let mut tree = <SharedGlobal as Allocator>::new(space);
    let mut numbers = Numbers::new(setup.seed);
    let mut live = Vec::new();
    for operation in 0..setup.n + 2 * setup.operations {
        if operation == setup.n + setup.operations {
            count.begin(&tree);
        }
        let size = any_size(&mut numbers);
        if operation < setup.n {
            live.push(tree.allocate(size).expect("there is space"));
            continue;
        }
        let victim = numbers.below(setup.n);
        tree.free(live[victim]);
        live[victim] = tree.allocate(size).expect("there is space");
        count.done(&tree);
    }
}

fn filled(setup: &Setup) -> (SharedGlobal, Vec<u32>) {
    let tree = <SharedGlobal as SharedMap>::new();
    let mut numbers = Numbers::new(setup.seed);
    for number in numbers.order(setup.n) {
        insert(&tree, number.into());
    }
    (tree, numbers.order(setup.n))
}

fn insert(tree: &SharedGlobal, number: u64) {
    let (first, last) = range(number);
    tree.insert(first, last, value(number));
}

fn erase(tree: &SharedGlobal, number: u64) {
    let (first, last) = range(number);
    tree.erase(first, last);
}
