//! Iterators whose ends meet.

use std::boxed::Box;
use std::format;
use std::vec::Vec;

use crate::{IndexRange, MapleTree, SmallGaps};

/// Entries of three indices in every five, up to the last index: several to a leaf, and leaves below several branches.
fn tree(n: u64) -> MapleTree<(), SmallGaps> {
    let mut tree = MapleTree::new();
    for i in 0..n {
        assert_eq!(tree.insert(entry(n, i), ()), Ok(()));
    }
    tree
}

fn entry(n: u64, i: u64) -> IndexRange {
    IndexRange::sized(u64::MAX - 5 * (n - 1 - i) - 2, 3).unwrap()
}

/// How many items a fold passes on.
fn count(items: impl Iterator) -> usize {
    items.fold(0, |count, _| count + 1)
}

/// So many steps from the front, and all that is left from the back, and the other way round.
#[test]
fn ends_meet_anywhere() {
    let n = if cfg!(miri) { 12 } else { 60 };
    let tree = tree(n);
    let all: Vec<_> = (0..n).map(|i| entry(n, i)).collect();
    for steps in 0..=all.len() {
        let mut ahead = tree.iter();
        let mut found: Vec<_> = ahead.by_ref().take(steps).map(|(range, ())| range).collect();
        let mut rest: Vec<_> = ahead.by_ref().rev().map(|(range, ())| range).collect();
        assert!(ahead.next().is_none() && ahead.next_back().is_none());
        rest.reverse();
        found.extend(rest);
        assert_eq!(found, all);

        let mut back = tree.iter().rev();
        let mut found: Vec<_> = back.by_ref().take(steps).map(|(range, ())| range).collect();
        found.extend(back.rev().map(|(range, ())| range).collect::<Vec<_>>().into_iter().rev());
        found.reverse();
        assert_eq!(found, all);
    }
}

#[test]
fn windows_cut_leaves() {
    let n = if cfg!(miri) { 8 } else { 30 };
    let tree = tree(n);
    let start = entry(n, 0).first() - 5;
    for first in start..=u64::MAX {
        for last in first..=u64::MAX {
            let window = IndexRange::new(first, last).unwrap();
            let expected = (0..n).map(|i| entry(n, i)).filter(|range| range.overlaps(window));
            let upwards = tree.range(window).map(|(range, ())| range);
            assert!(upwards.clone().eq(expected.clone()), "{window}");
            assert_eq!(count(upwards), expected.clone().count(), "{window}");
            let downwards = tree.range(window).rev().map(|(range, ())| range);
            assert!(downwards.clone().eq(expected.clone().rev()), "{window}");
            assert_eq!(count(downwards), expected.count(), "{window}");
        }
    }
}

/// So many steps from either end, and all that is left at once, in either direction.
#[test]
fn the_rest_at_once() {
    let n = if cfg!(miri) { 10 } else { 40 };
    let mut tree = tree(n);
    let all: Vec<_> = (0..n).map(|i| entry(n, i)).collect();
    let push = |mut found: Vec<_>, (range, ())| {
        found.push(range);
        found
    };
    for front in 0..=all.len() {
        for back in 0..=all.len() - front {
            let mut iter = tree.iter();
            assert!(front == 0 || iter.nth(front - 1).is_some());
            assert!(back == 0 || iter.nth_back(back - 1).is_some());
            let rest = &all[front..all.len() - back];
            assert_eq!(iter.clone().fold(Vec::new(), push), rest);
            let mut backwards = iter.rfold(Vec::new(), push);
            backwards.reverse();
            assert_eq!(backwards, rest);
        }
        let mut iter = tree.iter_mut();
        assert!(front == 0 || iter.nth(front - 1).is_some());
        assert_eq!(iter.fold(Vec::new(), push), all[front..]);
        let mut iter = tree.iter_mut();
        assert!(front == 0 || iter.nth(front - 1).is_some());
        let mut backwards = iter.rfold(Vec::new(), push);
        backwards.reverse();
        assert_eq!(backwards, all[front..]);
    }
}

/// A fold passes over what is reserved, as steps do, and takes in values that are changed.
#[test]
fn values_at_once() {
    let mut tree: MapleTree<Box<u64>, SmallGaps> = MapleTree::new();
    for i in 0..30 {
        let range = IndexRange::sized(i * 4, 1 + i % 4).unwrap();
        match i % 3 {
            0 => assert_eq!(tree.reserve(range), Ok(())),
            _ => assert!(tree.insert(range, Box::new(i)).is_ok()),
        }
    }
    tree.iter_mut().for_each(|(_, value)| *value += 100);
    tree.range_mut(40..80).rev().for_each(|(_, value)| *value += 100);
    let expected: Vec<_> = (0..30).filter(|i| i % 3 != 0).collect();
    let changed = |&i: &u64| i + if (10..20).contains(&i) { 200 } else { 100 };
    let mut found = Vec::new();
    tree.iter().for_each(|(range, &value)| found.push((range.first() / 4, value)));
    assert_eq!(found, expected.iter().map(|i| (*i, changed(i))).collect::<Vec<_>>());
}

#[test]
fn what_is_left_is_shown() {
    let mut tree: MapleTree<()> = MapleTree::new();
    for first in [10, 20, 30] {
        assert_eq!(tree.insert(IndexRange::sized(first, 5).unwrap(), ()), Ok(()));
    }
    let mut range = tree.range(..100);
    assert_eq!(format!("{range:?}"), "Range { rest: Some(0..=99), .. }");
    assert!(range.next().is_some());
    assert_eq!(format!("{range:?}"), "Range { rest: Some(20..=34), .. }");
    assert!(range.next_back().is_some());
    assert_eq!(format!("{range:?}"), "Range { rest: Some(20..=24), .. }");
    assert!(range.next().is_some() && range.next().is_none());
    assert_eq!(format!("{range:?}"), "Range { rest: None, .. }");
}
