//! The public functions with arguments that are odd: index 0, `u64::MAX`, empty and reversed ranges, the whole
//! space; in trees that are empty, full, tiny, or bounded to one index. Nothing panics, all trees stay valid, and
//! what does not lie within the bounds changes nothing.

use std::ops::Bound;

use maple_tree::{
    AllocMode, Compaction, Content, Cyclic, Direction, GapRequest, Gaps, IndexRange, Layout, MapleTree,
    NoGaps, SmallGaps, SmallNoGaps,
};

type Tree<L> = MapleTree<Box<u64>, L>;
type Bounds = (Bound<u64>, Bound<u64>);

const MAX: u64 = u64::MAX;
const INDICES: [u64; 7] = [0, 1, 10, 15, 1 << 63, MAX - 1, MAX];

/// All ranges between two of the indices, forwards and backwards, in each notation; among them empty ones. A few of
/// them in an interpreter.
fn ranges() -> Vec<Bounds> {
    let mut ranges = vec![(Bound::Unbounded, Bound::Unbounded)];
    for first in INDICES {
        for last in INDICES {
            for start in [Bound::Included(first), Bound::Excluded(first), Bound::Unbounded] {
                for end in [Bound::Included(last), Bound::Excluded(last), Bound::Unbounded] {
                    ranges.push((start, end));
                }
            }
        }
    }
    // Not a multiple of 3, so that all notations occur.
    let step = if cfg!(miri) { 61 } else { 1 };
    ranges.into_iter().step_by(step).collect()
}

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("not empty")
}

/// Trees that are odd, each with its name.
fn trees<L: Layout>() -> Vec<(&'static str, Tree<L>)> {
    let filled = |bounds: IndexRange, ranges: &[IndexRange]| {
        let mut tree = Tree::<L>::bounded(bounds);
        for &range in ranges {
            tree.insert(range, Box::new(range.first())).expect("free, and there is memory");
        }
        tree
    };
    let everything = IndexRange::FULL;
    let mut trees = vec![
        ("empty", filled(everything, &[])),
        ("one entry over everything", filled(everything, &[everything])),
        ("an entry at each end", filled(everything, &[range(0, 0), range(MAX, MAX)])),
        ("all but the ends", filled(everything, &[range(1, MAX - 1)])),
        ("only index 0, empty", filled(range(0, 0), &[])),
        ("only index 0, full", filled(range(0, 0), &[range(0, 0)])),
        ("only the last index, empty", filled(range(MAX, MAX), &[])),
        ("only the last index, full", filled(range(MAX, MAX), &[range(MAX, MAX)])),
        ("bounded to 10..=20", filled(range(10, 20), &[range(12, 15)])),
        ("one less at each end", filled(range(1, MAX - 1), &[range(1, 10), range(1 << 63, MAX - 1)])),
    ];
    let many: Vec<_> = (0..40).map(|i| range(i * (MAX / 40), i * (MAX / 40) + i)).collect();
    trees.push(("several levels", filled(everything, &many)));
    let mut reserved = filled(everything, &[range(1, 9)]);
    for range in [range(0, 0), range(10, 1 << 63), range(MAX, MAX)] {
        reserved.reserve(range).expect("free, and there is memory");
    }
    trees.push(("reserved at the ends", reserved));
    trees
}

/// Does something to a copy of each tree with each range, and looks whether the tree is still one.
fn with_each_tree<L: Layout>(mut case: impl FnMut(&mut Tree<L>, Bounds, Option<IndexRange>)) {
    let ranges = ranges();
    for (name, original) in trees::<L>() {
        let before = contents(&original);
        for &bounds in &ranges {
            let mut tree = original.try_clone().expect("there is memory");
            case(&mut tree, bounds, IndexRange::from_bounds(bounds));
            assert_eq!(tree.validate(), Ok(()), "{name}, {bounds:?}");
            let within = IndexRange::from_bounds(bounds).and_then(|range| range.intersection(tree.bounds()));
            if within.is_none() {
                assert_eq!(contents(&tree), before, "{name}: {bounds:?} is not in the tree, but changed it");
            }
        }
    }
}

/// Does something to a copy of each tree with each index.
fn with_each_index<L: Layout>(mut case: impl FnMut(&mut Tree<L>, u64)) {
    for (name, original) in trees::<L>() {
        for index in INDICES {
            let mut tree = original.try_clone().expect("there is memory");
            case(&mut tree, index);
            assert_eq!(tree.validate(), Ok(()), "{name}, {index}");
        }
    }
}

/// Whether an insertion over a range must succeed.
fn is_free<L: Layout>(tree: &Tree<L>, range: Option<IndexRange>) -> bool {
    range.is_some_and(|range| {
        tree.bounds().contains_range(range) && tree.gaps_within(range).next() == Some(range)
    })
}

fn contents<L: Layout>(tree: &Tree<L>) -> String {
    tree.dump().to_string()
}

fn writes<L: Layout>() {
    with_each_tree::<L>(|tree, bounds, range| {
        let free = is_free(tree, range);
        assert_eq!(tree.insert(bounds, Box::new(1)).is_ok(), free);
        if let Some(range) = range.filter(|_| free) {
            assert_eq!(tree.get_entry(range.first()), Some((range, &1)));
        }
    });
    with_each_tree::<L>(|tree, bounds, range| {
        let stored = tree.store(bounds, Box::new(1)).is_ok();
        let within = range.filter(|&range| tree.bounds().contains_range(range));
        assert_eq!(stored, within.is_some());
        if let Some(range) = within {
            assert_eq!(tree.get_entry(range.last()), Some((range, &1)));
        }
    });
    with_each_tree::<L>(|tree, bounds, range| {
        assert_eq!(tree.clear_range(bounds), Ok(()));
        let within = range.and_then(|range| range.intersection(tree.bounds()));
        assert_eq!(tree.gaps_within(bounds).next(), within);
        assert!(tree.range(bounds).next().is_none());
    });
    with_each_tree::<L>(|tree, bounds, range| {
        let free = is_free(tree, range);
        let reserved = tree.reserve(bounds).is_ok();
        assert_eq!(reserved, free);
        let there = range.and_then(|range| tree.extent(range.first()));
        assert!(!reserved || there == range.map(|range| (range, Content::Reserved)));
        if let Some(range) = range.filter(|_| reserved) {
            assert_eq!(tree.unreserve(range.last()), Some(range));
        }
    });
    with_each_tree::<L>(|tree, bounds, _| {
        let (before, runs) = (tree.len() + tree.stats().reserved, tree.taken().count());
        let merged = tree.merge(bounds) + tree.merge_by(bounds, |_, _| true);
        assert_eq!(before - merged, tree.len() + tree.stats().reserved);
        assert_eq!(tree.taken().count(), runs, "merging freed or took something");
        assert_eq!(tree.merge_by(bounds, |_, _| true), 0);
        assert!(tree.compact_step(&mut Compaction::new(), 0), "a budget of 0 gets nowhere");
    });
    for used in 0..4 {
        with_each_tree::<L>(|tree, bounds, range| {
            let free = is_free(tree, range);
            let prepared = tree.prepare_insert(bounds, AllocMode::Atomic);
            assert_eq!(prepared.is_ok(), free);
            if let Ok(prepared) = prepared {
                match used {
                    0 => prepared.store(Box::new(1)),
                    1 => prepared.reserve(),
                    2 => prepared.clear(),
                    _ => drop(prepared),
                }
            }
        });
        with_each_tree::<L>(|tree, bounds, range| {
            let within = range.is_some_and(|range| tree.bounds().contains_range(range));
            let prepared = tree.prepare_store(bounds, AllocMode::Atomic);
            assert_eq!(prepared.is_ok(), within);
            if let Ok(prepared) = prepared {
                match used {
                    0 => prepared.store(Box::new(1)),
                    1 => prepared.reserve(),
                    2 => prepared.clear(),
                    _ => drop(prepared),
                }
            }
        });
    }
}

fn reads<L: Layout>() {
    with_each_tree::<L>(|tree, bounds, range| {
        let within = range.and_then(|range| range.intersection(tree.bounds()));
        let indices = |range: IndexRange| range.count();
        let taken: u128 = tree.taken_within(bounds).map(indices).sum();
        let free: u128 = tree.gaps_within(bounds).map(indices).sum();
        assert_eq!(taken + free, within.map_or(0, IndexRange::count));
        assert_eq!(tree.range(bounds).count(), tree.range(bounds).rev().count());
        assert!(within.is_some() || tree.range(bounds).next().is_none());
    });
    let trees = trees::<L>();
    for (_, one) in &trees {
        for (_, other) in &trees {
            let count =
                |runs: &mut dyn Iterator<Item = IndexRange>| runs.map(IndexRange::count).sum::<u128>();
            let (ours, theirs) = (count(&mut one.taken()), count(&mut other.taken()));
            let (both, any) = (count(&mut one.intersection(other)), count(&mut one.union(other)));
            assert_eq!(any + both, ours + theirs);
            assert_eq!(count(&mut one.difference(other)), ours - both);
            assert_eq!(count(&mut one.symmetric_difference(other)), any - both);
        }
    }
}

/// Iterators that take out or change, from both ends.
fn changes<L: Layout>() {
    with_each_tree::<L>(|tree, bounds, _| {
        let entries: Vec<_> = tree.range(bounds).map(|(range, value)| (range, *value)).collect();
        let mut changed: Vec<_> =
            tree.range_mut(bounds).rev().map(|(range, value)| (range, *value)).collect();
        changed.reverse();
        assert_eq!(changed, entries);
        let mut drain = tree.drain(bounds);
        let back = drain.next_back().map(|(range, value)| (range, *value));
        assert_eq!(back.as_ref(), entries.last());
        drop(drain);
        assert!(tree.range(bounds).next().is_none());
    });
    with_each_tree::<L>(|tree, bounds, range| {
        let Some(range) = range else { return };
        let before = tree.len();
        let overlapping = tree.range(bounds).count();
        tree.retain(|entry, _| !entry.overlaps(range));
        assert_eq!(tree.len(), before - overlapping);
    });
}

/// Cursors that are sent to an index, and go to both ends from there and beyond.
fn cursors<L: Layout>() {
    with_each_index::<L>(|tree, index| {
        let at = tree.extent(index).map(|(range, content)| (range, content.map(|value| *value)));
        let mut cursor = tree.cursor_at(index);
        assert_eq!(cursor.current().map(|(range, content)| (range, content.map(|value| *value))), at);
        let ranges = |steps: usize| 2 * tree.len() + 2 * tree.stats().reserved + 3 - steps;
        let above = std::iter::from_fn(|| cursor.next_range()).take(ranges(0)).count();
        assert!(above < ranges(0) && cursor.next_entry().is_none() && cursor.range().is_none());
        let below = std::iter::from_fn(|| cursor.prev_range()).count();
        assert!(below >= above && cursor.prev_entry().is_none() && cursor.range().is_none());
        let mut cursor = tree.cursor_at_mut(index);
        let taken = at.is_some_and(|(_, content)| !content.is_gap());
        assert_eq!(cursor.insert(index..=index, Box::new(1)).is_ok(), at.is_some() && !taken);
        assert_eq!(cursor.store(index..=index, Box::new(2)).is_ok(), at.is_some());
        assert_eq!(cursor.replace(Box::new(3)).is_ok(), at.is_some());
        assert_eq!(cursor.erase().is_some(), at.is_some());
        assert!(cursor.unreserve().is_none() && cursor.erase().is_none());
        assert!(cursor.current().is_none_or(|(range, content)| range.contains(index) && content.is_gap()));
    });
}

/// Appending at, and behind, an index.
fn appending<L: Layout>() {
    with_each_index::<L>(|tree, index| {
        let last = tree.taken().next_back().map(|run| run.last());
        let fits = tree.bounds().contains(index) && last.is_none_or(|last| last < index);
        let single = IndexRange::single(index);
        assert_eq!(tree.extend_sorted([(single, Box::new(1))]).is_ok(), fits);
        assert!(!fits || tree.get_entry(index).map(|(range, _)| range) == Some(single));
        if tree.taken().next().is_some() {
            assert!(tree.extend_sorted([(IndexRange::single(0), Box::new(1))]).is_err());
        }
        tree.compact();
    });
}

fn points<L: Layout>() {
    with_each_index::<L>(|tree, index| {
        let there = tree.extent(index).map(|(range, content)| (range, content.map(|value| *value)));
        assert_eq!(there.is_some(), tree.bounds().contains(index));
        let entry = there.and_then(|(range, content)| Some((range, content.value()?)));
        assert_eq!(tree.get(index), entry.map(|(_, value)| value).as_ref());
        assert_eq!(tree.get_mut(index).copied(), entry.map(|(_, value)| value));
        assert_eq!(tree.get_entry(index).map(|(range, _)| range), entry.map(|(range, _)| range));
        assert!(tree.erase_if(index, |_, _| false).is_none());
        let taken = there.is_some_and(|(_, content)| !content.is_gap());
        assert_eq!(tree.replace(index, Box::new(7)).is_ok(), taken);
        assert_eq!(tree.unreserve(index), None, "it has a value now");
        assert_eq!(tree.erase(index).map(|(_, value)| *value), taken.then_some(7));
        assert_eq!(tree.erase(index), None);
    });
}

macro_rules! layouts {
    ($($name:ident: $layout:ident),+) => {$(
        mod $name {
            tests!($layout: writes, reads, points, changes, cursors, appending);
        }
    )+};
}

macro_rules! tests {
    ($layout:ident: $($case:ident),+) => {$(
        #[test]
        fn $case() {
            super::$case::<super::$layout>();
        }
    )+};
}

layouts!(small_gaps: SmallGaps, small_no_gaps: SmallNoGaps);
// Only sizes differ, and an interpreter takes its time.
#[cfg(not(miri))]
layouts!(gaps: Gaps, no_gaps: NoGaps);

/// Requests of every size, alignment and boundary, in every window: what is found lies there.
#[cfg_attr(miri, ignore = "arithmetic, and much of it")]
#[test]
fn requests() {
    let numbers = [0, 1, 2, 3, 1 << 63, (1 << 63) + 1, MAX];
    for (name, mut tree) in trees::<SmallGaps>() {
        for bounds in ranges().into_iter().step_by(3) {
            let Some(window) = IndexRange::from_bounds(bounds) else {
                assert_eq!(tree.longest_gap(bounds), None);
                assert!(GapRequest::new(bounds, 1, 1, Direction::TopDown).is_err());
                continue;
            };
            let longest = tree.longest_gap(bounds).map_or(0, IndexRange::count);
            for (size, align) in numbers.into_iter().flat_map(|size| numbers.map(|align| (size, align))) {
                for direction in [Direction::TopDown, Direction::BottomUp] {
                    let request = GapRequest::new(bounds, size, align, direction);
                    assert_eq!(request.is_ok(), size > 0 && align.is_power_of_two());
                    let Ok(request) = request else { continue };
                    let found = tree.find_gap(&request);
                    assert!(found.is_none_or(|range| {
                        window.contains_range(range)
                            && range.count() == u128::from(size)
                            && range.first() % align == 0
                    }));
                    assert!(align != 1 || found.is_some() == (longest >= u128::from(size)));
                    for boundary in numbers {
                        let inside = request.not_crossing(boundary);
                        assert_eq!(inside.is_ok(), boundary.is_power_of_two() && size <= boundary);
                        let found = inside.ok().and_then(|request| tree.find_gap(&request));
                        assert!(
                            found.is_none_or(|range| range.first() / boundary == range.last() / boundary)
                        );
                    }
                    for after in [range(0, 0), range(0, MAX), range(MAX, MAX)] {
                        let (mut cyclic, value) = (Cyclic::after(after), Box::new(1));
                        let placed = tree.allocate_cyclic(&request, value, AllocMode::Normal, &mut cyclic);
                        assert_eq!(placed.is_ok(), found.is_some());
                        if let Ok(placed) = placed {
                            assert!(tree.erase(placed.range.first()).is_some());
                        }
                    }
                }
            }
        }
        assert_eq!(tree.validate(), Ok(()), "{name}");
    }
}
