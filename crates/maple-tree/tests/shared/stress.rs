//! Readers that check what each state between two writes has in common, while writers are at work.
//!
//! - In the *covered* part something is stored over each index from the start, and writers only store over it. So a lookup
//!   finds something at each index, always: a store is seen all at once.
//! - The *fixed* entries are never touched, but stand among others that come and go, in the same nodes. So an iteration
//!   comes to each of them exactly once, from either end.
//! - A value knows the range over which it was stored, and whether it was dropped. What is found lies in that range; where
//!   nothing cuts entries it is just that range.
//! - Iterations are strictly ascending, or descending.
//!
//! The number of writes decides how long it takes. Threads share nothing but the tree: no clock puts more order into what
//! they do. What an iteration does *not* promise is to cover the covered part: entries whose edges move between two of its
//! steps may be left out.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use fastrand::Rng;
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{ReadGuard, SharedMapleTree};
use maple_tree::{AllocMode, Compaction, Gaps, Global, IndexRange, Layout, MapleTree, SmallGaps};

use crate::seed::seeds;

/// All indices below are covered.
const COVERED: u64 = 256;
/// Where the places with fixed entries begin.
const PLACES: u64 = 1024;
/// How many there are, of 16 indices each: the first four of them fixed.
const COUNT: u64 = if cfg!(miri) { 8 } else { 64 };
/// Where the top part begins, in which all comes and goes.
const TOP: u64 = u64::MAX - 255;

/// How many writes there are.
const WRITES: usize = if cfg!(miri) { 100 } else { 400_000 };

const ALIVE: u64 = 0x6d61_706c_6574_7265;

/// A value that knows its range, and whether it was dropped.
#[derive(Clone, Debug)]
struct Tag {
    range: IndexRange,
    alive: u64,
}

impl Tag {
    fn boxed(range: IndexRange) -> Box<Self> {
        Box::new(Self { range, alive: ALIVE })
    }

    fn assert_alive(&self) {
        assert_eq!(self.alive, ALIVE, "a reader has a value that was dropped");
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        self.assert_alive();
        self.alive = 0;
    }
}

type Tree<L> = SharedMapleTree<Box<Tag>, spin::Mutex<()>, Epochs, L>;
type Reader<'t, L> = ReadGuard<'t, Box<Tag>, spin::Mutex<()>, Epochs, L, Global>;

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("in order")
}

fn fixed(place: u64) -> IndexRange {
    range(PLACES + place * 16, PLACES + place * 16 + 3)
}

fn any_within(rng: &mut Rng, within: IndexRange, longest: u64) -> IndexRange {
    let first = rng.u64(within.first()..=within.last());
    range(first, first.saturating_add(rng.u64(..longest)).min(within.last()))
}

fn tree<L: Layout>() -> Tree<L> {
    let mut tree = MapleTree::new();
    let covered = (0..COVERED / 8).map(|i| range(i * 8, i * 8 + 7));
    for range in covered.chain((0..COUNT).map(fixed)) {
        assert!(tree.insert(range, Tag::boxed(range)).is_ok());
    }
    Tree::from_tree(tree, Epochs::new()).expect("an empty tree needs no memory")
}

/// One write. Those for which there is no memory, since readers hold too much of it up, are not done.
fn write<L: Layout>(tree: &Tree<L>, rng: &mut Rng) {
    let mut writer = tree.write();
    let part = if rng.bool() {
        // Between two fixed entries.
        let place = fixed(rng.u64(..COUNT));
        range(place.last() + 1, place.last() + 12)
    } else {
        range(TOP, u64::MAX)
    };
    let loose = any_within(rng, part, 6);
    match rng.u8(..16) {
        0..=3 => {
            let longest = if rng.u8(..8) == 0 { COVERED } else { 12 };
            let covered = any_within(rng, range(0, COVERED - 1), longest);
            let _ = writer.store(covered, Tag::boxed(covered));
        }
        4 => {
            let covered = any_within(rng, range(0, COVERED - 1), 12);
            if let Ok(prepared) = writer.prepare_store(covered, AllocMode::Atomic) {
                // Readers see nothing of what is given up.
                if rng.bool() {
                    prepared.store(Tag::boxed(covered));
                }
            }
        }
        5..=8 => drop(writer.insert(loose, Tag::boxed(loose))),
        9..=12 => drop(writer.erase(loose.first())),
        13 => {
            if let Some((range, _)) = writer.get_entry(loose.first()) {
                let _ = writer.replace(loose.first(), Tag::boxed(range));
            }
        }
        14 => {
            // No cuts: these are the ranges of entries.
            let _ = match writer.get_entry(loose.first()) {
                Some((range, _)) => writer.clear_range(range),
                None => Ok(()),
            };
        }
        _ => drop(writer.compact_step(&mut Compaction::new(), rng.usize(..4))),
    }
}

/// What was found at an index must be about that index.
fn assert_about(index: u64, found: IndexRange, tag: &Tag) {
    tag.assert_alive();
    assert!(found.contains(index), "{found} was found at {index:#x}");
    assert_entry(found, tag);
}

fn assert_entry(found: IndexRange, tag: &Tag) {
    tag.assert_alive();
    assert!(tag.range.contains_range(found), "{found} has the value of {}", tag.range);
    assert!(found.first() < COVERED || tag.range == found, "{found} has the value of {}", tag.range);
}

fn look_up<L: Layout>(reader: &Reader<'_, L>, rng: &mut Rng) {
    let covered = rng.u64(..COVERED);
    let (found, tag) = reader.get_entry(covered).expect("covered");
    assert_about(covered, found, tag);
    let tag = reader.get(covered).expect("covered");
    assert!(tag.range.contains(covered));
    let (found, tag) = reader.find(covered).expect("covered");
    assert_about(covered, found, tag);
    let (found, tag) = reader.range(..=covered).next_back().expect("covered");
    assert_about(covered, found, tag);
    let (found, tag) = reader.cursor_at(covered).current().expect("covered");
    assert_about(covered, found, tag);

    let place = fixed(rng.u64(..COUNT));
    let (found, tag) = reader.get_entry(rng.u64(place.first()..=place.last())).expect("fixed");
    assert_eq!((found, tag.range), (place, place));

    for index in [rng.u64(place.first()..=place.last() + 12), rng.u64(TOP..)] {
        if let Some((found, tag)) = reader.get_entry(index) {
            assert_about(index, found, tag);
        }
    }
}

/// Fixed entries come once each, and all in order.
fn iterate<L: Layout>(reader: &Reader<'_, L>) {
    let (mut before, mut next_fixed) = (None::<IndexRange>, 0);
    for (found, tag) in reader.iter() {
        assert_entry(found, tag);
        assert!(before.is_none_or(|before| before.last() < found.first()), "{found} after {before:?}");
        before = Some(found);
        if next_fixed < COUNT && found.last() >= fixed(next_fixed).first() {
            assert_eq!(found, fixed(next_fixed));
            next_fixed += 1;
        }
    }
    assert_eq!(next_fixed, COUNT, "fixed entries are missing");

    let (mut after, mut left) = (None::<IndexRange>, COUNT);
    for (found, tag) in reader.iter().rev() {
        assert_entry(found, tag);
        assert!(after.is_none_or(|after| found.last() < after.first()), "{found} before {after:?}");
        after = Some(found);
        if left > 0 && found.first() <= fixed(left - 1).last() {
            assert_eq!(found, fixed(left - 1));
            left -= 1;
        }
    }
    assert_eq!(left, 0, "fixed entries are missing");
}

/// A cursor among fixed entries comes from each of them to the next.
fn step<L: Layout>(reader: &Reader<'_, L>, rng: &mut Rng) {
    let place = rng.u64(..COUNT - 1);
    let mut cursor = reader.cursor_at(fixed(place).first());
    let next = loop {
        let (found, tag) = cursor.next_entry().expect("there is a fixed entry");
        assert_entry(found, tag);
        if tag.range.count() == 4 && found.first() % 16 == 0 {
            break found;
        }
    };
    assert_eq!(next, fixed(place + 1));
    let mut found = next;
    while found != fixed(place) {
        let (before, tag) = cursor.prev_entry().expect("there is a fixed entry");
        assert_entry(before, tag);
        assert!(before.last() < found.first());
        found = before;
    }
}

fn stress<L: Layout>(writers: usize) {
    const READERS: usize = 2;
    for seed in seeds() {
        let mut rng = Rng::with_seed(seed);
        let (tree, start) = (tree::<L>(), Barrier::new(writers + READERS));
        let (tree, start, left) = (&tree, &start, &AtomicUsize::new(writers));
        std::thread::scope(|scope| {
            for _ in 0..writers {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    start.wait();
                    for _ in 0..WRITES / writers {
                        write(tree, &mut rng);
                    }
                    left.fetch_sub(1, Relaxed);
                });
            }
            for _ in 0..READERS {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    start.wait();
                    while left.load(Relaxed) > 0 {
                        let reader = tree.read();
                        look_up(&reader, &mut rng);
                        match rng.u8(..32) {
                            0 => iterate(&reader),
                            1..4 => step(&reader, &mut rng),
                            _ => {}
                        }
                    }
                });
            }
        });
        tree.write().validate().expect("a valid tree");
        iterate(&tree.read());
    }
}

#[test]
fn one_writer_small_nodes() {
    stress::<SmallGaps>(1);
}

#[test]
fn two_writers_small_nodes() {
    stress::<SmallGaps>(2);
}

#[cfg_attr(miri, ignore = "only sizes differ, and an interpreter takes its time")]
#[test]
fn one_writer() {
    stress::<Gaps>(1);
}
