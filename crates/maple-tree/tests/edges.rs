//! Every public function with every argument that is odd: index 0, `u64::MAX`, empty and reversed ranges, the whole
//! space; in trees that are empty, full, tiny, or bounded to one index. Nothing panics, all trees stay valid, and
//! what does not lie within the bounds changes nothing.

use std::ops::Bound;

use maple_tree::{
    AllocMode, Content, Cyclic, Direction, GapRequest, Gaps, IndexRange, Layout, MapleTree, NoGaps,
    SmallGaps, SmallNoGaps,
};

type Tree<L> = MapleTree<Box<u64>, L>;
type Bounds = (Bound<u64>, Bound<u64>);

const MAX: u64 = u64::MAX;
const INDICES: [u64; 7] = [0, 1, 10, 15, 1 << 63, MAX - 1, MAX];

/// All ranges between two of the indices, forwards and backwards, in each notation; among them empty ones.
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
    ranges
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

/// Does something to a clone of each tree, and looks whether the tree is still one.
fn with_each_tree<L: Layout>(mut case: impl FnMut(&mut Tree<L>, Bounds, Option<IndexRange>)) {
    let names: Vec<&str> = trees::<L>().into_iter().map(|(name, _)| name).collect();
    for (i, name) in names.into_iter().enumerate() {
        for bounds in ranges() {
            let Some((_, mut tree)) = trees::<L>().into_iter().nth(i) else { continue };
            let before = contents(&tree);
            case(&mut tree, bounds, IndexRange::from_bounds(bounds));
            assert_eq!(tree.validate(), Ok(()), "{name}, {bounds:?}");
            let within = IndexRange::from_bounds(bounds).and_then(|range| range.intersection(tree.bounds()));
            if within.is_none() {
                assert_eq!(contents(&tree), before, "{name}: {bounds:?} is not in the tree, but changed it");
            }
        }
    }
}

fn contents<L: Layout>(tree: &Tree<L>) -> String {
    tree.dump().to_string()
}

fn writes<L: Layout>() {
    with_each_tree::<L>(|tree, bounds, range| {
        let result = tree.insert(bounds, Box::new(1));
        assert!(
            result.is_err()
                || range.is_some_and(|range| tree.get_entry(range.first()).map(|(at, _)| at) == Some(range))
        );
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
        let reserved = tree.reserve(bounds).is_ok();
        let there = range.and_then(|range| tree.extent(range.first()));
        assert!(!reserved || there == range.map(|range| (range, Content::Reserved)));
        if let Some(range) = range.filter(|_| reserved) {
            assert_eq!(tree.unreserve(range.last()), Some(range));
        }
    });
    with_each_tree::<L>(|tree, bounds, _| {
        tree.merge(bounds);
        tree.merge_by(bounds, |_, _| true);
    });
    for used in 0..4 {
        with_each_tree::<L>(|tree, bounds, _| {
            if let Ok(prepared) = tree.prepare_insert(bounds, AllocMode::Atomic) {
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
}

fn points<L: Layout>() {
    let names: Vec<&str> = trees::<L>().into_iter().map(|(name, _)| name).collect();
    for (i, name) in names.into_iter().enumerate() {
        for index in INDICES {
            let Some((_, mut tree)) = trees::<L>().into_iter().nth(i) else { continue };
            let there = tree.extent(index).map(|(range, content)| (range, content.map(|value| *value)));
            assert_eq!(there.is_some(), tree.bounds().contains(index), "{name}, {index}");
            let entry = there.and_then(|(range, content)| Some((range, content.value()?)));
            assert_eq!(tree.get(index), entry.map(|(_, value)| value).as_ref());
            assert_eq!(tree.get_entry(index).map(|(range, _)| range), entry.map(|(range, _)| range));
            assert!(tree.erase_if(index, |_, _| false).is_none());
            let taken = there.is_some_and(|(_, content)| !content.is_gap());
            assert_eq!(tree.replace(index, Box::new(7)).is_ok(), taken);
            assert_eq!(tree.unreserve(index), None, "it has a value now");
            assert_eq!(tree.erase(index).map(|(_, value)| *value), taken.then_some(7));
            assert_eq!(tree.erase(index), None);
            assert_eq!(tree.validate(), Ok(()), "{name}, {index}");
        }
    }
}

macro_rules! layouts {
    ($($name:ident: $layout:ident),+) => {$(
        mod $name {
            #[test]
            fn writes() {
                super::writes::<super::$layout>();
            }

            #[test]
            fn reads() {
                super::reads::<super::$layout>();
            }

            #[test]
            fn points() {
                super::points::<super::$layout>();
            }
        }
    )+};
}

layouts!(small_gaps: SmallGaps, gaps: Gaps, small_no_gaps: SmallNoGaps, no_gaps: NoGaps);

/// Requests of every size, alignment and boundary, in every window.
#[test]
fn requests() {
    let numbers = [0, 1, 2, 3, 1 << 32, 1 << 63, (1 << 63) + 1, MAX - 1, MAX];
    let names: Vec<&str> = trees::<SmallGaps>().into_iter().map(|(name, _)| name).collect();
    for (i, name) in names.into_iter().enumerate() {
        let Some((_, mut tree)) = trees::<SmallGaps>().into_iter().nth(i) else { continue };
        for bounds in ranges() {
            let _ = tree.longest_gap(bounds);
            for size in numbers {
                for align in numbers {
                    for direction in [Direction::TopDown, Direction::BottomUp] {
                        let Ok(request) = GapRequest::new(bounds, size, align, direction) else {
                            continue;
                        };
                        let found = tree.find_gap(&request);
                        assert!(found.is_none_or(|range| {
                            range.count() == u128::from(size) && request.window().contains_range(range)
                        }));
                        let inside =
                            numbers.into_iter().filter_map(|boundary| request.not_crossing(boundary).ok());
                        for request in inside {
                            let _ = tree.find_gap(&request);
                        }
                        let mut cyclic = Cyclic::after(range(MAX, MAX));
                        let placed =
                            tree.allocate_cyclic(&request, Box::new(1), AllocMode::Normal, &mut cyclic);
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
