//! What is taken in one tree and in two, compared with what is taken index by index.

use std::num::NonZeroU64;
use std::ops::Bound;

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{
    Entry, Gaps, Global, IndexRange, Layout, MapleTree, NoGaps, NodeAlloc, SmallGaps, SmallNoGaps,
};

/// How many indices a small space has.
const INDICES: u64 = 200;

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("not empty")
}

/// A tree, and for each index of a small space whether it is taken.
struct Subject<T: Entry, L: Layout, A: NodeAlloc> {
    tree: MapleTree<T, L, A>,
    taken: Vec<bool>,
}

impl<T: Entry, L: Layout, A: NodeAlloc> Subject<T, L, A> {
    /// A tree in which up to `writes` random ranges of the space that begins at `base` were stored, and some
    /// erased. Its bounds may be anything around what it holds.
    fn random(rng: &mut Rng, base: u64, writes: usize, value: impl Fn() -> T, alloc: A) -> Self {
        let space = range(base, base + (INDICES - 1));
        let (a, b) = (rng.u64(base..=space.last()), rng.u64(base..=space.last()));
        let bounds = match rng.u8(0..4) {
            0 => range(a.min(b), a.max(b)),
            1 => range(a.saturating_sub(500), space.last()),
            2 => space,
            _ => IndexRange::FULL,
        };
        let mut subject =
            Self { tree: MapleTree::bounded_in(bounds, alloc), taken: vec![false; INDICES as usize] };
        for _ in 0..writes {
            let first = rng.u64(base..=space.last());
            let last = first.saturating_add(rng.u64(0..5)).min(space.last());
            if rng.u8(0..4) == 0 {
                if let Some((range, _)) = subject.tree.erase(first) {
                    subject.set(base, range, false);
                }
            } else if subject.tree.insert(first..=last, value()).is_ok() {
                subject.set(base, range(first, last), true);
            }
        }
        subject
    }

    fn set(&mut self, base: u64, range: IndexRange, taken: bool) {
        self.taken[(range.first() - base) as usize..=(range.last() - base) as usize].fill(taken);
    }
}

/// The runs of indices for which `wanted` says so.
fn runs(base: u64, wanted: impl Fn(usize) -> bool) -> Vec<IndexRange> {
    let mut runs: Vec<IndexRange> = Vec::new();
    for index in (0..INDICES as usize).filter(|index| wanted(*index)).map(|index| base + index as u64) {
        match runs.last_mut() {
            Some(run) if run.last() + 1 == index => *run = range(run.first(), index),
            _ => runs.push(range(index, index)),
        }
    }
    runs
}

/// Compares the ranges, also of a copy that is made on the way, and asks once more at the end.
#[track_caller]
fn assert_ranges(mut ranges: impl Iterator<Item = IndexRange> + Clone, expected: &[IndexRange]) {
    for (i, range) in expected.iter().enumerate() {
        if i == expected.len() / 2 {
            assert_eq!(ranges.clone().collect::<Vec<_>>(), &expected[i..]);
        }
        assert_eq!(ranges.next(), Some(*range));
    }
    assert_eq!((ranges.next(), ranges.next()), (None, None));
}

fn check_one<T: Entry, L: Layout, A: NodeAlloc>(subject: &Subject<T, L, A>, base: u64, rng: &mut Rng) {
    let Subject { tree, taken } = subject;
    assert_ranges(tree.taken(), &runs(base, |i| taken[i]));
    let (a, b) = (rng.usize(0..taken.len()), rng.usize(0..taken.len()));
    let window = a.min(b)..=a.max(b);
    let expected = runs(base, |i| taken[i] && window.contains(&i));
    let within = || tree.taken_within(base + *window.start() as u64..=base + *window.end() as u64);
    assert_ranges(within(), &expected);
    assert!(within().rev().eq(expected.iter().rev().copied()));
}

fn check_two<T: Entry, L: Layout, A: NodeAlloc, U: Entry, M: Layout, B: NodeAlloc>(
    one: &Subject<T, L, A>,
    other: &Subject<U, M, B>,
    base: u64,
) {
    let (x, y) = (&one.taken, &other.taken);
    let (one, other) = (&one.tree, &other.tree);
    assert_ranges(one.union(other), &runs(base, |i| x[i] || y[i]));
    assert_ranges(one.intersection(other), &runs(base, |i| x[i] && y[i]));
    assert_ranges(one.difference(other), &runs(base, |i| x[i] && !y[i]));
    assert_ranges(one.symmetric_difference(other), &runs(base, |i| x[i] != y[i]));
}

#[test]
fn random_trees_of_all_kinds() {
    let mut rng = Rng::with_seed(1);
    let alloc = FaultyAlloc::new(Plan::Every(5));
    for round in 0..if cfg!(miri) { 4 } else { 600 } {
        let base = [0, 1, 1 << 40, u64::MAX - (INDICES - 1)][round % 4];
        let mut writes = || [0, 1, 10, 100, 400][rng.usize(0..5)];
        let writes = [writes(), writes(), writes(), writes()];
        let small = Subject::<_, SmallGaps, _>::random(&mut rng, base, writes[0], || (), &alloc);
        let boxes = Subject::<_, Gaps, _>::random(&mut rng, base, writes[1], || Box::new(7), Global);
        let plain = Subject::<_, NoGaps, _>::random(&mut rng, base, writes[2], || NonZeroU64::MIN, Global);
        let units = Subject::<_, SmallNoGaps, _>::random(&mut rng, base, writes[3], || (), Global);
        check_one(&small, base, &mut rng);
        check_one(&plain, base, &mut rng);
        check_two(&small, &boxes, base);
        check_two(&boxes, &small, base);
        check_two(&plain, &small, base);
        check_two(&units, &boxes, base);
        check_two(&small, &small, base);
    }
    assert_eq!(alloc.counts().live, 0);
}

#[test]
fn nothing_and_everything() {
    let nothing: MapleTree<()> = MapleTree::new();
    let bounded: MapleTree<(), NoGaps> = MapleTree::bounded(range(5, 9));
    let mut everything: MapleTree<Box<u8>> = MapleTree::new();
    assert!(everything.insert(.., Box::new(1)).is_ok());
    let mut some: MapleTree<()> = MapleTree::new();
    for range in [0..=0, 7..=8, 9..=9, u64::MAX - 1..=u64::MAX - 1, u64::MAX..=u64::MAX] {
        assert_eq!(some.insert(range, ()), Ok(()));
    }
    let taken = [range(0, 0), range(7, 9), range(u64::MAX - 1, u64::MAX)];
    let free = [range(1, 6), range(10, u64::MAX - 2)];

    assert_ranges(some.taken(), &taken);
    assert_ranges(some.gaps(), &free);
    assert_ranges(nothing.taken(), &[]);
    assert_ranges(bounded.taken(), &[]);
    assert_ranges(everything.taken(), &[IndexRange::FULL]);
    assert_ranges(everything.taken_within(3..5), &[range(3, 4)]);

    // Windows with nothing in them, and outside of the bounds.
    assert_ranges(everything.taken_within(3..3), &[]);
    assert_ranges(bounded.taken_within(10..), &[]);
    assert_ranges(some.taken_within((Bound::Included(8), Bound::Included(7))), &[]);
    assert_ranges(some.taken_within(u64::MAX..), &[range(u64::MAX, u64::MAX)]);

    assert_ranges(nothing.union(&bounded), &[]);
    assert_ranges(nothing.symmetric_difference(&bounded), &[]);
    assert_ranges(some.union(&nothing), &taken);
    assert_ranges(bounded.union(&some), &taken);
    assert_ranges(some.intersection(&bounded), &[]);
    assert_ranges(some.difference(&bounded), &taken);
    assert_ranges(bounded.difference(&some), &[]);

    assert_ranges(some.union(&everything), &[IndexRange::FULL]);
    assert_ranges(everything.intersection(&some), &taken);
    assert_ranges(everything.difference(&some), &free);
    assert_ranges(some.difference(&everything), &[]);
    assert_ranges(everything.symmetric_difference(&some), &free);
    assert_ranges(everything.symmetric_difference(&everything), &[]);
}

#[test]
fn they_say_where_they_are() {
    let mut tree: MapleTree<()> = MapleTree::bounded(range(0, 99));
    assert_eq!((tree.insert(10..20, ()), tree.insert(30..40, ())), (Ok(()), Ok(())));
    let mut taken = tree.taken();
    assert_eq!(taken.next(), Some(range(10, 19)));
    assert_eq!(format!("{taken:?}"), "TakenIter { rest: Some(30..=99), .. }");
    let both = tree.intersection(&tree);
    let everything = "0..=18446744073709551615";
    assert_eq!(
        format!("{both:?}"),
        format!("SetIter {{ operation: Intersection, rest: Some({everything}), .. }}")
    );
}
