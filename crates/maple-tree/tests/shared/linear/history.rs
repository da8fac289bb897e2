//! Threads that read and write, and what they write down.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use fastrand::Rng;
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{SharedMapleTree, WriteGuard};
use maple_tree::{Gaps, IndexRange, Layout, MapleTree, SmallGaps, SmallNoGaps};

use super::check::first_wrong;
use super::{Clock, Read, Span, Version};
use crate::seed::{scaled, seeds};

/// Few, so that they are read and written at the same time; enough for small trees of three levels.
const INDICES: u64 = 48;

/// Writes of each writer.
const STEPS: usize = if cfg!(miri) { 100 } else { 40_000 };

type Tree<L> = SharedMapleTree<Box<u64>, spin::Mutex<()>, Epochs, L>;
type Guard<'t, L> = WriteGuard<'t, Box<u64>, spin::Mutex<()>, Epochs, L, maple_tree::Global>;

/// A write: what is in the range then.
struct Write {
    range: IndexRange,
    version: Version,
}

/// What all threads of a history share.
struct Stage<L: Layout> {
    tree: Tree<L>,
    base: u64,
    clock: Clock,
    numbers: AtomicU64,
    writers: AtomicUsize,
    start: Barrier,
}

impl<L: Layout> Stage<L> {
    fn any_range(&self, rng: &mut Rng) -> IndexRange {
        let first = rng.u64(..INDICES);
        let longest = if rng.u8(..8) == 0 { INDICES } else { 4 };
        let last = (first + rng.u64(..longest)).min(INDICES - 1);
        IndexRange::new(self.base + first, self.base + last).expect("in order")
    }

    /// A write: the range that it changed, and to what.
    fn change(&self, writer: &mut Guard<'_, L>, rng: &mut Rng) -> Option<(IndexRange, u64)> {
        let range = self.any_range(rng);
        let index = range.first();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        match rng.u8(..16) {
            0..=5 => writer.insert(range, Box::new(number)).is_ok().then_some((range, number)),
            6..=10 => writer.erase(index).map(|(range, _)| (range, 0)),
            11 | 12 => {
                let (range, _) = writer.get_entry(index)?;
                writer.replace(index, Box::new(number)).is_ok().then_some((range, number))
            }
            13 | 14 => writer.store(range, Box::new(number)).is_ok().then_some((range, number)),
            _ => writer.clear_range(range).is_ok().then_some((range, 0)),
        }
    }

    fn write(&self, seed: u64, steps: usize) -> Vec<Write> {
        let mut rng = Rng::with_seed(seed);
        let mut writes = Vec::new();
        self.start.wait();
        for _ in 0..steps {
            let mut writer = self.tree.write();
            let from = self.clock.now();
            let changed = self.change(&mut writer, &mut rng);
            let span = Span { from, to: self.clock.now() };
            drop(writer);
            writes.extend(changed.map(|(range, number)| Write { range, version: Version { span, number } }));
        }
        self.writers.fetch_sub(1, Ordering::Relaxed);
        writes
    }

    /// What was read, by index. Reads as long as there are writers, but not more than there is memory for.
    fn read(&self, seed: u64, most: usize) -> Vec<Vec<Read>> {
        let mut rng = Rng::with_seed(seed);
        let mut reads = vec![Vec::new(); INDICES as usize];
        self.start.wait();
        for _ in 0..most {
            let place = rng.u64(..INDICES);
            let from = self.clock.now();
            let number = self.tree.read().get(self.base + place).copied().unwrap_or(0);
            let span = Span { from, to: self.clock.now() };
            reads[place as usize].push(Read { span, number });
            if self.writers.load(Ordering::Relaxed) == 0 {
                break;
            }
        }
        reads
    }
}

/// One history, checked. How many operations there were, and how many values were seen that are not nothing.
fn history<L: Layout>(seed: u64, writers: usize, steps: usize) -> (usize, usize) {
    const READERS: usize = 2;
    let mut rng = Rng::with_seed(seed);
    let base = if rng.bool() { 0 } else { u64::MAX - (INDICES - 1) };
    let stage = Stage {
        tree: Tree::<L>::from_tree(MapleTree::new(), Epochs::new()).expect("an empty tree needs no memory"),
        base,
        clock: Clock::default(),
        numbers: AtomicU64::new(1),
        writers: AtomicUsize::new(writers),
        start: Barrier::new(writers + READERS),
    };
    let (mut writes, reads) = std::thread::scope(|scope| {
        let stage = &stage;
        let (writers, readers): (Vec<_>, Vec<_>) = (
            (0..writers)
                .map(|_| rng.u64(..))
                .map(|seed| scope.spawn(move || stage.write(seed, steps)))
                .collect(),
            (0..READERS)
                .map(|_| rng.u64(..))
                .map(|seed| scope.spawn(move || stage.read(seed, 4 * steps)))
                .collect(),
        );
        let writes: Vec<Write> =
            writers.into_iter().flat_map(|thread| thread.join().expect("a writer")).collect();
        let reads: Vec<_> = readers.into_iter().map(|thread| thread.join().expect("a reader")).collect();
        (writes, reads)
    });
    writes.sort_unstable_by_key(|write| write.version.span.from);
    let (mut count, mut seen) = (writers * steps, 0);
    for place in 0..INDICES {
        let index = base + place;
        let versions: Vec<_> =
            writes.iter().filter(|write| write.range.contains(index)).map(|write| write.version).collect();
        let mut reads: Vec<_> =
            reads.iter().flat_map(|reads| reads[place as usize].iter().copied()).collect();
        count += reads.len();
        seen += reads.iter().filter(|read| read.number != 0).count();
        let wrong = first_wrong(&versions, &mut reads);
        assert!(wrong.is_none(), "MAPLE_SEED={seed}: {wrong:?} of index {index:#x}");
    }
    stage.tree.write().validate().expect("a valid tree");
    (count, seen)
}

fn histories<L: Layout>(writers: usize) {
    let (mut count, mut seen) = (0, 0);
    for seed in seeds() {
        for round in 0..scaled(8) as u64 {
            let (operations, found) = history::<L>(seed.wrapping_add(round << 32), writers, STEPS);
            count += operations;
            seen += found;
        }
    }
    println!("{count} operations, of which {seen} found something");
    assert!(seen > 0);
}

#[test]
fn one_writer_small_nodes() {
    histories::<SmallGaps>(1);
}

#[test]
fn two_writers_small_nodes() {
    histories::<SmallNoGaps>(2);
}

#[cfg_attr(miri, ignore = "only sizes differ, and an interpreter takes its time")]
#[test]
fn two_writers() {
    histories::<Gaps>(2);
}
