//! All sets of six indices, and all pairs of them, wherever they lie.
// There are no pointers in here: not for an interpreter.
#![cfg(not(miri))]

use core::cell::Cell;
use std::vec::Vec;

use super::{Combined, Complement, Operation};
use crate::range::IndexRange;

const INDICES: u64 = 6;
const ALL: u64 = (1 << INDICES) - 1;
const BASES: [u64; 3] = [0, 1000, u64::MAX - (INDICES - 1)];

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).unwrap()
}

/// The bits of a set as ranges of one index each: neighbours adjoin.
fn singles(base: u64, set: u64) -> impl DoubleEndedIterator<Item = IndexRange> + Clone {
    (0..INDICES).filter(move |bit| set >> bit & 1 == 1).map(move |bit| IndexRange::single(base + bit))
}

/// The runs of bits of a set.
fn runs(base: u64, set: u64) -> Vec<IndexRange> {
    let mut runs: Vec<IndexRange> = Vec::new();
    for single in singles(base, set) {
        match runs.last_mut() {
            Some(run) if run.last() + 1 == single.first() => *run = range(run.first(), single.last()),
            _ => runs.push(single),
        }
    }
    runs
}

#[test]
fn complements_of_all_small_sets() {
    let windows = || (0..INDICES).flat_map(|first| (first..INDICES).map(move |last| (first, last)));
    for base in BASES {
        for (set, (first, last)) in (0..=ALL).flat_map(|set| windows().map(move |window| (set, window))) {
            let window = Some(range(base + first, base + last));
            let in_window = (2 << last) - (1 << first);
            let expected = runs(base, in_window & !set);
            for from_back in 0..=ALL {
                let of_singles = Complement::new(singles(base, set), window);
                let of_runs = Complement::new(runs(base, set).into_iter(), window);
                assert_eq!(by_turns(of_singles, from_back), expected);
                assert_eq!(by_turns(of_runs, from_back), expected);
            }
        }
    }
}

/// All items in order. The bits of `from_back` say from which end each of them is taken.
fn by_turns(mut items: impl DoubleEndedIterator<Item = IndexRange>, from_back: u64) -> Vec<IndexRange> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for step in 0..INDICES {
        if from_back >> step & 1 == 1 {
            back.extend(items.next_back());
        } else {
            front.extend(items.next());
        }
    }
    assert_eq!((items.next(), items.next_back()), (None, None));
    front.extend(back.into_iter().rev());
    front
}

#[test]
fn the_complement_within_nothing_is_nothing() {
    assert_eq!(Complement::new([].into_iter(), None).next(), None);
    assert_eq!(Complement::new([].into_iter(), Some(IndexRange::FULL)).next(), Some(IndexRange::FULL));
    assert_eq!(Complement::new([IndexRange::FULL].into_iter(), Some(range(3, 5))).next(), None);
}

#[test]
fn all_pairs_of_small_sets() {
    for base in BASES {
        for one in 0..=ALL {
            for other in 0..=ALL {
                for (operation, expected) in [
                    (Operation::Union, one | other),
                    (Operation::Intersection, one & other),
                    (Operation::Difference, one & !other),
                    (Operation::SymmetricDifference, one ^ other),
                ] {
                    let expected = runs(base, expected);
                    let of_singles = Combined::new(operation, singles(base, one), singles(base, other));
                    assert_eq!(of_singles.collect::<Vec<_>>(), expected, "{operation:?}");
                    let mixed = Combined::new(operation, runs(base, one).into_iter(), singles(base, other));
                    assert_eq!(mixed.collect::<Vec<_>>(), expected, "{operation:?}");
                }
            }
        }
    }
}

#[test]
fn with_the_whole_index_space() {
    let full = || [IndexRange::FULL].into_iter();
    let some = || [range(0, 4), range(9, 9), range(u64::MAX, u64::MAX)].into_iter();
    let rest = [range(5, 8), range(10, u64::MAX - 1)];
    let combined = |operation| Combined::new(operation, full(), some()).collect::<Vec<_>>();
    assert_eq!(combined(Operation::Union), [IndexRange::FULL]);
    assert_eq!(combined(Operation::Intersection), some().collect::<Vec<_>>());
    assert_eq!(combined(Operation::Difference), rest);
    assert_eq!(combined(Operation::SymmetricDifference), rest);
    let mut nothing_left = Combined::new(Operation::Difference, some(), full());
    assert_eq!((nothing_left.next(), nothing_left.next()), (None, None));
}

/// Where one set has ended and that settles the rest, the other one is left alone.
#[test]
fn a_set_that_decides_ends_the_walk() {
    let passed = |operation, one: u64, other: u64| {
        let passed = (Cell::new(0), Cell::new(0));
        let set = |count, passed| {
            (0..count)
                .map(|i| IndexRange::single(i * 2))
                .inspect(move |_| Cell::set(passed, passed.get() + 1))
        };
        Combined::new(operation, set(one, &passed.0), set(other, &passed.1)).for_each(drop);
        (passed.0.get(), passed.1.get())
    };
    assert_eq!(passed(Operation::Difference, 3, 100), (3, 4));
    assert_eq!(passed(Operation::Intersection, 3, 100), (3, 4));
    assert_eq!(passed(Operation::Intersection, 100, 3), (4, 3));
    for operation in [Operation::Union, Operation::SymmetricDifference] {
        assert_eq!(passed(operation, 3, 100), (3, 100));
    }
}
