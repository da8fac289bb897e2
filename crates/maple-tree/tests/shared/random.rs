//! Random writes through the write guard, with memory that fails, compared with a plain map; readers see the same.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::{Epochs, Reclaim};
use maple_tree::shared::{SharedMapleTree, WriteGuard};
use maple_tree::{
    AllocMode, Compaction, Gaps, IndexRange, Layout, MapleTree, NoGaps, SmallGaps, SmallNoGaps,
};

struct Counted {
    number: u64,
    live: Rc<Cell<usize>>,
}

impl Counted {
    fn boxed(number: u64, live: &Rc<Cell<usize>>) -> Box<Self> {
        live.set(live.get() + 1);
        Box::new(Self { number, live: live.clone() })
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        *Self::boxed(self.number, &self.live)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.live.set(self.live.get() - 1);
    }
}

type Model = BTreeMap<u64, (u64, Option<u64>)>;
type Shared<'a, L> = SharedMapleTree<Box<Counted>, spin::Mutex<()>, Epochs, L, &'a FaultyAlloc>;

fn overlapping(model: &Model, range: IndexRange) -> Vec<(u64, u64, Option<u64>)> {
    let all = model.iter().map(|(&first, &(last, number))| (first, last, number));
    all.filter(|&(first, last, _)| first <= range.last() && last >= range.first()).collect()
}

fn cut(model: &mut Model, range: IndexRange) {
    for (first, last, number) in overlapping(model, range) {
        model.remove(&first);
        if first < range.first() {
            model.insert(first, (range.first() - 1, number));
        }
        if last > range.last() {
            model.insert(range.last() + 1, (last, number));
        }
    }
}

fn check<L: Layout>(tree: &Shared<'_, L>, model: &Model) {
    let writer = tree.write();
    writer.validate().unwrap_or_else(|violation| panic!("{violation}\n{}", writer.dump()));
    drop(writer);
    let reader = tree.read();
    let entries: Vec<_> = model.iter().filter_map(|(&first, &(last, n))| Some((first, last, n?))).collect();
    let seen: Vec<_> = reader.iter().map(|(r, v)| (r.first(), r.last(), v.number)).collect();
    assert_eq!(seen, entries);
    let mut back: Vec<_> = reader.iter().rev().map(|(r, v)| (r.first(), r.last(), v.number)).collect();
    back.reverse();
    assert_eq!(back, entries);
    let bounds = tree.bounds();
    for index in bounds.first()..=bounds.last().min(bounds.first() + 80) {
        let expected = entries.iter().find(|&&(first, last, _)| first <= index && index <= last);
        assert_eq!(reader.get(index).map(|v| v.number), expected.map(|e| e.2));
        assert_eq!(reader.get_entry(index).map(|(r, v)| (r.first(), r.last(), v.number)), expected.copied());
    }
}

fn write<L: Layout>(
    rng: &mut Rng,
    writer: &mut WriteGuard<'_, Box<Counted>, spin::Mutex<()>, Epochs, L, &FaultyAlloc>,
    model: &mut Model,
    span: u64,
    live: &Rc<Cell<usize>>,
) {
    let bounds = writer.bounds();
    let first = bounds.first() + rng.u64(..span);
    let length = if rng.u8(..8) == 0 { rng.u64(0..span) } else { rng.u64(0..4) };
    let last = first.saturating_add(length).min(bounds.last());
    let range = IndexRange::new(first, last).unwrap();
    let number = rng.u64(..1000);
    let taken = overlapping(model, range);
    match rng.u8(..14) {
        0..=4 => {
            let result = writer.insert(range, Counted::boxed(number, live));
            if !taken.is_empty() {
                assert!(result.is_err());
            } else if result.is_ok() {
                model.insert(first, (last, Some(number)));
            }
        }
        5..=7 => {
            let erased =
                writer.erase(first).map(|(range, value)| (range.first(), range.last(), Some(value.number)));
            let expected = overlapping(model, IndexRange::single(first)).first().copied();
            assert_eq!(erased, expected.filter(|e| e.2.is_some()));
            if let Some((first, ..)) = erased {
                model.remove(&first);
            }
        }
        8 => {
            let mut gone = Vec::new();
            let result = writer.store_with(range, Counted::boxed(number, live), AllocMode::Normal, |r, v| {
                gone.push((r.first(), r.last(), Some(v.number)));
            });
            if result.is_ok() {
                let inside = |e: &&(u64, u64, Option<u64>)| e.0 >= first && e.1 <= last && e.2.is_some();
                assert_eq!(gone, taken.iter().filter(inside).copied().collect::<Vec<_>>());
                cut(model, range);
                model.insert(first, (last, Some(number)));
            } else {
                assert_eq!(gone, []);
            }
        }
        9 => {
            if writer.clear_range(range).is_ok() {
                cut(model, range);
            }
        }
        10 => {
            if let Ok(prepared) = writer.prepare_store(range, AllocMode::Normal) {
                match rng.u8(..3) {
                    0 => drop(prepared),
                    1 => {
                        prepared.reserve();
                        cut(model, range);
                        model.insert(first, (last, None));
                    }
                    _ => {
                        prepared.clear();
                        cut(model, range);
                    }
                }
            }
        }
        11 => {
            let old = overlapping(model, IndexRange::single(first)).first().copied();
            match writer.replace(first, Counted::boxed(number, live)) {
                Ok(value) => {
                    let (old_first, old_last, old_number) = old.unwrap();
                    assert_eq!(value.map(|value| value.number), old_number);
                    model.insert(old_first, (old_last, Some(number)));
                }
                Err(error) => {
                    assert!(old.is_none() || error.kind != maple_tree::shared::ReplaceErrorKind::Free)
                }
            }
        }
        12 => {
            if rng.bool() {
                let freed = writer.unreserve(first);
                let expected = overlapping(model, IndexRange::single(first)).first().copied();
                assert_eq!(freed.map(|r| r.first()), expected.filter(|e| e.2.is_none()).map(|e| e.0));
                if let Some(range) = freed {
                    model.remove(&range.first());
                }
            } else {
                let merged = writer.merge_by(range, |a, b| a.number % 2 == b.number % 2);
                // The model follows: what is there now must be what was there, joined.
                let before = model.len();
                let seen: Model = {
                    let mut cursor = writer.cursor_front();
                    let mut seen = Model::new();
                    while let Some((range, content)) = cursor.next_range() {
                        match content {
                            maple_tree::Content::Entry(value) => {
                                seen.insert(range.first(), (range.last(), Some(value.number)));
                            }
                            maple_tree::Content::Reserved => {
                                seen.insert(range.first(), (range.last(), None));
                            }
                            maple_tree::Content::Gap => {}
                        }
                    }
                    seen
                };
                assert_eq!(before, seen.len() + merged);
                *model = seen;
            }
        }
        _ => {
            if rng.u8(..6) == 0 {
                writer.clear();
                model.clear();
            } else {
                let mut state = Compaction::new();
                writer.compact_step(&mut state, rng.usize(..20));
            }
        }
    }
}

fn run<L: Layout>(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let live = Rc::new(Cell::new(0));
    let memory = FaultyAlloc::new(Plan::Never);
    let bounds = match rng.u8(..3) {
        0 => IndexRange::new(0, 63).unwrap(),
        1 => IndexRange::new(u64::MAX - 255, u64::MAX).unwrap(),
        _ => IndexRange::FULL,
    };
    let tree: Shared<'_, L> =
        SharedMapleTree::from_tree(MapleTree::bounded_in(bounds, &memory), Epochs::new());
    let mut model = Model::new();
    let span = if bounds == IndexRange::FULL { 400 } else { bounds.last() - bounds.first() };
    let failing = rng.bool();
    let mut pinned = None;
    for step in 0..2000 {
        if rng.u8(..20) == 0 {
            pinned = rng.bool().then(|| tree.reclaim().pin());
        }
        if failing && rng.u8(..4) == 0 {
            memory.set_plan(Plan::Random { probability: 0.5, seed: rng.u64(..) });
        }
        write(&mut rng, &mut tree.write(), &mut model, span, &live);
        memory.set_plan(Plan::Never);
        if step % 7 == 0 {
            check(&tree, &model);
        }
    }
    drop(pinned);
    check(&tree, &model);
    if rng.bool() {
        let owned = tree.into_tree();
        owned.validate().unwrap();
        assert_eq!(live.get(), model.values().filter(|(_, number)| number.is_some()).count());
        drop(owned);
    } else {
        drop(tree);
    }
    assert_eq!((live.get(), memory.counts().live), (0, 0));
}

#[test]
fn small_nodes() {
    for seed in 0..200 {
        println!("seed {seed}");
        run::<SmallGaps>(seed);
        run::<SmallNoGaps>(seed);
    }
}

#[test]
fn nodes_of_the_usual_size() {
    for seed in 0..100 {
        println!("seed {seed}");
        run::<Gaps>(seed);
        run::<NoGaps>(seed);
    }
}
