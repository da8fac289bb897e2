//! Entries in order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{ExtendErrorKind, Gaps, IndexRange, Layout, MapleTree, NoGaps, SmallGaps};

use crate::subject::{
    Counted, Live, Model, Tree, check, for_each_layout, nodes, random, range, scaled, thin_out,
};

for_each_layout! {
    any_number_of_entries => grows_by_any_number;
    onto_what_is_there => extends_sparse_trees;
    failing_memory => memory_fails_at_each_allocation;
    panicking_iterator => survives_an_iterator_that_panics;
    rejected => rejects_what_is_out_of_order_or_bounds;
}

/// How entries lie.
#[derive(Clone, Copy, Debug)]
enum Spacing {
    Adjacent,
    Gaps,
    /// Both, at random.
    Mixed,
}

const SPACINGS: [Spacing; 3] = [Spacing::Adjacent, Spacing::Gaps, Spacing::Mixed];

/// The first `n` of ranges from `first` on.
fn ranges(first: u64, n: u64, spacing: Spacing, seed: u64) -> Vec<IndexRange> {
    let mut rng = Rng::with_seed(seed);
    let mut next = first;
    (0..n)
        .map(|_| {
            let gap = match spacing {
                Spacing::Adjacent => 0,
                Spacing::Gaps => 3,
                Spacing::Mixed => rng.u64(0..3),
            };
            let range = range(next + gap, next + gap + rng.u64(0..20));
            next = range.last() + 1;
            range
        })
        .collect()
}

/// What `extend_sorted` takes, noted in the model when it is taken.
fn noted<'a>(
    ranges: &'a [IndexRange],
    live: &'a Live,
    model: &'a mut Model,
) -> impl Iterator<Item = (IndexRange, Box<Counted>)> + 'a {
    ranges.iter().map(|&range| {
        model.insert(range.first(), (range.last(), Some(range.first())));
        (range, live.boxed(range.first()))
    })
}

/// How many entries to try: all small numbers, and then some.
fn numbers() -> impl Iterator<Item = u64> {
    let large = [255, 256, 257, 300, 303, 304, 305, 500, 1000, 3001];
    (0..130).chain(large).take(if cfg!(miri) { 10 } else { usize::MAX })
}

/// How many leaves the entries take if each leaf is filled, from the number of slots alone.
fn fewest_leaves(tree_first: u64, ranges: &[IndexRange], capacity: usize) -> usize {
    let mut next = tree_first;
    let mut slots = 0;
    for range in ranges {
        slots += 1 + usize::from(range.first() > next);
        next = range.last().wrapping_add(1);
    }
    slots.div_ceil(capacity)
}

fn capacity<L: Layout>() -> usize {
    if std::any::type_name::<L>().contains("Small") { 5 } else { 16 }
}

fn grows_by_any_number<L: Layout>() {
    for n in numbers() {
        for (spacing, first) in SPACINGS.into_iter().flat_map(|spacing| [(spacing, 0), (spacing, 1)]) {
            let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
            let ranges = ranges(first, n, spacing, n);
            let end = ranges.last().map_or(first, |last| last.last());
            // Bounds that end right with the last entry, one index after it, and not at all.
            for last in [end, end + 1, u64::MAX] {
                let calls = alloc.counts().calls;
                let mut tree: Tree<'_, L> = MapleTree::bounded_in(range(0, last), &alloc);
                let mut model = Model::new();
                assert!(tree.extend_sorted(noted(&ranges, &live, &mut model)).is_ok());
                check(&tree, &model);
                assert_eq!(
                    tree.stats().leaves,
                    fewest_leaves(0, &ranges, capacity::<L>()),
                    "{n} {spacing:?}"
                );
                assert_eq!(alloc.counts().calls - calls, nodes(&tree), "asked for more nodes than it has");
                assert_eq!((live.count(), alloc.counts().live), (tree.len(), nodes(&tree)));
            }
            // The same at the end of all indices.
            let up = u64::MAX - end;
            let ranges: Vec<_> = ranges.iter().map(|at| range(at.first() + up, at.last() + up)).collect();
            let mut tree: Tree<'_, L> = MapleTree::new_in(&alloc);
            let mut model = Model::new();
            assert!(tree.extend_sorted(noted(&ranges, &live, &mut model)).is_ok());
            check(&tree, &model);
            assert_eq!(tree.stats().leaves, fewest_leaves(0, &ranges, capacity::<L>()), "{n} {spacing:?}");
            drop(tree);
            assert_eq!((live.count(), alloc.counts().live), (0, 0));
        }
    }
}

fn extends_sparse_trees<L: Layout>() {
    let mut rng = Rng::with_seed(5);
    for round in 0..scaled(300) {
        let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
        let bounds = if round % 3 == 0 { IndexRange::FULL } else { range(16 * 7, 16 * 4000) };
        let n = rng.u64(0..scaled(600));
        let (mut tree, mut model) = random::<L>(&alloc, &live, bounds, n, rng.bool(), &mut rng);
        let probability = [0.0, 0.5, 0.9, 0.99][rng.usize(0..4)];
        thin_out(&mut tree, &mut model, probability, &mut rng);
        // In pieces, from the last entry on or far behind it.
        for piece in 0..4 {
            let end = model.last_key_value().map_or(bounds.first(), |(_, &(last, _))| last + 1);
            let count = rng.u64(0..scaled(100));
            let ranges = ranges(end + rng.u64(0..3) * 50, count, SPACINGS[rng.usize(0..3)], round + piece);
            let ranges: Vec<_> = ranges.into_iter().filter(|&range| bounds.contains_range(range)).collect();
            assert!(tree.extend_sorted(noted(&ranges, &live, &mut model)).is_ok());
            check(&tree, &model);
        }
        // The tree is one that can be written to.
        thin_out(&mut tree, &mut model, 0.7, &mut rng);
        check(&tree, &model);
        assert_eq!(live.count(), tree.len());
        drop(tree);
        assert_eq!((live.count(), alloc.counts().live), (0, 0));
    }
}

fn memory_fails_at_each_allocation<L: Layout>() {
    for spacing in SPACINGS {
        let ranges = ranges(0, scaled(700), spacing, 3);
        for sparse in [false, true] {
            for allocation in 1.. {
                let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
                let mut tree: Tree<'_, L> = MapleTree::new_in(&alloc);
                let mut model = Model::new();
                let mut ranges = ranges.as_slice();
                if sparse {
                    let (start, rest) = ranges.split_at(ranges.len() * 2 / 7);
                    ranges = rest;
                    assert!(tree.extend_sorted(noted(start, &live, &mut model)).is_ok());
                    thin_out(&mut tree, &mut model, 0.8, &mut Rng::with_seed(9));
                }
                alloc.set_plan(Plan::Nth(allocation));
                let Err(error) = tree.extend_sorted(noted(ranges, &live, &mut model)) else {
                    assert!(allocation > scaled(20), "there are more nodes");
                    break;
                };
                let (at, value) = error.value;
                assert!(matches!(error.kind, ExtendErrorKind::NodeMemory(_)));
                assert_eq!(value.number, at.first());
                model.remove(&at.first());
                check(&tree, &model);
                assert_eq!(live.count(), tree.len() + 1);
                drop(value);
                // There is memory again: go on where it failed.
                let rest = ranges.iter().position(|&range| range == at).expect("one of them");
                assert!(tree.extend_sorted(noted(&ranges[rest..], &live, &mut model)).is_ok());
                check(&tree, &model);
                drop(tree);
                assert_eq!((live.count(), alloc.counts().live), (0, 0));
            }
        }
    }
    let (alloc, live) = (FaultyAlloc::new(Plan::After(scaled(5))), Live::default());
    let entries = ranges(0, scaled(700), Spacing::Gaps, 3);
    assert!(Tree::<L>::from_sorted_in(noted(&entries, &live, &mut Model::new()), &alloc).is_err());
    assert_eq!((live.count(), alloc.counts().live), (0, 0));
}

fn survives_an_iterator_that_panics<L: Layout>() {
    let ranges = ranges(0, scaled(200), Spacing::Mixed, 4);
    for good in 0..ranges.len() {
        let (alloc, live) = (FaultyAlloc::new(Plan::Never), Live::default());
        let mut tree: Tree<'_, L> = MapleTree::new_in(&alloc);
        let mut model = Model::new();
        let entries = noted(&ranges[..good], &live, &mut model);
        let entries = entries.chain(std::iter::from_fn(|| std::panic::resume_unwind(Box::new("no more"))));
        assert!(catch_unwind(AssertUnwindSafe(|| tree.extend_sorted(entries).is_ok())).is_err());
        assert_eq!(tree.len(), good);
        check(&tree, &model);
        assert_eq!((live.count(), alloc.counts().live), (good, nodes(&tree)));
    }
}

fn rejects_what_is_out_of_order_or_bounds<L: Layout>() {
    let live = Live::default();
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut tree: Tree<'_, L> = MapleTree::bounded_in(range(10, 99), &alloc);
    let bounds = tree.bounds();
    let rejected = |tree: &mut Tree<'_, L>, at: IndexRange| {
        let before = tree.len();
        let error = tree.extend_sorted([(at, live.boxed(1))]).expect_err("not possible");
        assert_eq!((error.value.0, tree.len(), tree.validate()), (at, before, Ok(())));
        error.kind
    };
    assert_eq!(rejected(&mut tree, range(9, 9)), ExtendErrorKind::OutOfBounds { bounds });
    assert_eq!(rejected(&mut tree, range(9, 10)), ExtendErrorKind::OutOfBounds { bounds });
    assert_eq!(rejected(&mut tree, range(99, 100)), ExtendErrorKind::OutOfBounds { bounds });
    assert_eq!(alloc.counts().calls, 0);
    assert!(tree.extend_sorted([(range(10, 10), live.boxed(1))]).is_ok());
    assert!(tree.reserve(20..30).is_ok());
    let after = range(20, 29);
    for at in [range(10, 10), range(15, 16), range(15, 20), range(29, 29), range(29, 30), range(15, 40)] {
        assert_eq!(rejected(&mut tree, at), ExtendErrorKind::OutOfOrder { after });
    }
    assert!(tree.extend_sorted([(range(30, 99), live.boxed(1))]).is_ok());
    assert_eq!(rejected(&mut tree, range(99, 99)), ExtendErrorKind::OutOfOrder { after: range(30, 99) });

    // What came before the one that is rejected is there.
    let mut tree: Tree<'_, L> = MapleTree::new_in(&alloc);
    let entries = [range(0, 0), range(5, 5), range(u64::MAX, u64::MAX), range(7, 7)];
    let error = tree.extend_sorted(entries.map(|at| (at, live.boxed(at.first())))).expect_err("7 after MAX");
    assert_eq!(error.kind, ExtendErrorKind::OutOfOrder { after: entries[2] });
    check(&tree, &entries[..3].iter().map(|at| (at.first(), (at.last(), Some(at.first())))).collect());
}

#[test]
fn the_whole_space() {
    let tree = MapleTree::<(), Gaps>::from_sorted([(IndexRange::FULL, ())]).expect("fits");
    assert_eq!((tree.validate(), tree.gaps().next()), (Ok(()), None));
    let halves = [range(0, u64::MAX / 2), range(u64::MAX / 2 + 1, u64::MAX)];
    let tree = MapleTree::<(), SmallGaps>::from_sorted(halves.map(|half| (half, ()))).expect("fits");
    assert_eq!((tree.validate(), tree.len(), tree.gaps().next()), (Ok(()), 2, None));
    let none = MapleTree::<(), NoGaps>::from_sorted([]).expect("nothing is no problem");
    assert_eq!((none.len(), none.stats().height), (0, 0));
}

/// Branches are full, too: the smallest number of nodes on each level.
#[cfg_attr(miri, ignore = "large trees, to count nodes")]
#[test]
fn branches_are_full() {
    fn height_and_branches<L: Layout>(n: u64) -> (usize, usize) {
        let entries = (0..n).map(|i| (range(i * 16, i * 16 + 15), ()));
        let tree = MapleTree::<(), L>::from_sorted(entries).expect("there is memory");
        assert_eq!(tree.validate(), Ok(()));
        (tree.stats().height, tree.stats().branches)
    }
    // With what is free behind them 17 leaves take one slot more than a branch has, if all of them are full.
    assert_eq!(height_and_branches::<Gaps>(16 * 17 - 1), (2, 1));
    assert_eq!(height_and_branches::<Gaps>(16 * 17), (3, 2));
    assert_eq!(height_and_branches::<Gaps>(16 * 17 * 17 - 1), (3, 18));
    assert_eq!(height_and_branches::<NoGaps>(16 * 31 * 31 - 1), (3, 32));
    assert_eq!(height_and_branches::<NoGaps>(16 * 31 * 31), (4, 33));
}
