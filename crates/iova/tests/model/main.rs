//! Random operations on a space, compared with an obviously right model after each.
//!
//! The aperture has few granules, so that full and empty spaces, its edges, and several levels of nodes occur all
//! the time. With failing node memory the model says in addition: an operation that fails changes nothing, a
//! free asks for no memory, and nothing but a refused node is reported as lack of memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that sees a difference has to stop")]

mod drive;
mod model;

use fastrand::Rng;
use iova::{AllocMode, Granule, Space};
use maple_faults::{FaultyAlloc, Plan};

use drive::Driver;
use model::{Cell, Model};

/// Places of the aperture: granule in bytes, first pfn, granules.
const PLACES: [(u64, u64, usize); 10] = [
    (4096, 0, 256),
    (4096, 1, 255),
    (4096, 0x10_0000 - 100, 200),
    (4096, (1 << 52) - 256, 256),
    (1, 0, 256),
    (1, u64::MAX - 255, 256),
    (1 << 16, 77, 64),
    (1 << 62, 0, 4),
    (4096, 5, 1),
    (1, u64::MAX, 1),
];

/// The seed of one space that is to be run alone: the variable `MAPLE_SEED`.
fn only_seed() -> Option<u64> {
    std::env::var("MAPLE_SEED").ok().map(|seed| seed.parse().unwrap())
}

/// Runs `operations` in each of many spaces, checking everything after each operation. Every kind of outcome
/// must have occurred.
fn run(suite: u64, rounds: u64, operations: u32, plan: impl Fn(u64) -> Plan) {
    let (mut outcomes, mut most_nodes) = ([0; 10], 0);
    for round in 0..rounds {
        let seed = suite * 1_000_000 + round;
        if only_seed().is_some_and(|only| only != seed) {
            continue;
        }
        let (bytes, base, granules) = PLACES[round as usize % PLACES.len()];
        let granule = Granule::new(bytes).unwrap();
        let mut rng = Rng::with_seed(seed);
        let alloc = FaultyAlloc::new(Plan::Never);
        let model = Model::new(granule, base, cells(&mut rng, granules));
        let space = space(&mut rng, &model, &alloc);
        alloc.set_plan(plan(seed));
        let mut driver = Driver { space, model, rng, singles: round % 3 == 0, unreserved: 0 };
        let _replay = Replay { seed, granules };
        for operation in 0..operations {
            // Swing between a full and an empty space.
            let fill = if operation / 200 % 2 == 0 { 7 } else { 2 };
            driver.step(fill);
            driver.model.check(&driver.space);
            most_nodes = most_nodes.max(driver.space.statistics().nodes);
        }
        let counters = driver.space.statistics().counters;
        let counted = [
            counters.allocations,
            counters.frees,
            counters.failures.out_of_address_space,
            counters.failures.occupied,
            counters.failures.bad_requests,
            counters.failures.wrong_frees.total(),
            counters.fallbacks,
            counters.failures.wrong_frees.wrong_size,
            counters.failures.wrong_frees.between_windows,
            driver.unreserved,
        ];
        outcomes = core::array::from_fn(|i| outcomes[i] + counted[i]);
        assert_eq!(counters.failures.out_of_node_memory, alloc.counts().failed);
        drop(driver.space);
        assert_eq!(alloc.counts().live, 0, "nodes were lost");
        assert_eq!(alloc.counts().live_bytes, 0);
    }
    if only_seed().is_some() {
        return;
    }
    assert!(outcomes.iter().all(|&times| times > 250), "{outcomes:?}");
    assert!(most_nodes > 10, "the trees were too small: {most_nodes}");
}

/// The cells of an empty space, of one window or of several.
fn cells(rng: &mut Rng, granules: usize) -> Vec<Cell> {
    let mut cells = vec![Cell::Free; granules];
    for _ in 0..rng.usize(0..4) {
        let first = rng.usize(0..granules);
        let end = (first + rng.usize(0..30)).min(granules - 1);
        // Neither the first nor the last.
        cells[first.clamp(1, end.max(1))..end.max(1)].fill(Cell::Excluded);
    }
    cells
}

/// A space of the model's windows, which are given in any order, and in parts that overlap or adjoin.
fn space<'a>(rng: &mut Rng, model: &Model, alloc: &'a FaultyAlloc) -> Space<&'a FaultyAlloc> {
    let mut windows = model.windows();
    if let [(first, last)] = windows[..] {
        return Space::new_in(model.granule, first..=last, alloc).unwrap();
    }
    for _ in 0..rng.usize(0..4) {
        let (first, last) = windows[rng.usize(0..windows.len())];
        let middle = model.granule.align_down(rng.u64(first..=last));
        windows.push((first, model.granule.last_of(model.granule.pfn_of(middle)).unwrap()));
        windows.push((middle, last));
    }
    rng.shuffle(&mut windows);
    let windows = windows.into_iter().map(|(first, last)| first..=last);
    Space::with_windows_in(model.granule, windows, AllocMode::Normal, alloc).unwrap()
}

/// Says which space it was when a check fails.
struct Replay {
    seed: u64,
    granules: usize,
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, granules } = self;
            eprintln!(
                "in the space of {granules} granules with seed {seed}; MAPLE_SEED={seed} runs just this one"
            );
        }
    }
}

#[test]
fn node_memory_never_fails() {
    run(1, 300, 500, |_| Plan::Never);
}

#[test]
fn every_so_many_nodes_fail() {
    run(2, 200, 500, |seed| Plan::Every(1 + seed % 4));
}

#[test]
fn nodes_fail_at_random() {
    run(3, 200, 500, |seed| Plan::Random { probability: (seed % 10) as f64 / 10.0, seed });
}

#[test]
fn nodes_fail_from_some_time_on() {
    run(4, 200, 500, |seed| Plan::After(seed % 40));
}
