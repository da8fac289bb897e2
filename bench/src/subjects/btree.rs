//! `std::collections::BTreeMap` as a range map: first index to last index and value.

use std::collections::BTreeMap;

use crate::subject::{GapSearch, RangeMap, Search, Subject};

pub struct BTree(BTreeMap<u64, (u64, usize)>);

impl Subject for BTree {
    const NAME: &'static str = "std BTreeMap";
    const LINEAR: &'static [&'static str] = &["gap-deep*", "gap-absent*"];
}

impl RangeMap for BTree {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        // What lies before must end before, what lies behind must begin behind: one search, as the map's keys tell.
        let before = self.0.range(..=last).next_back();
        assert!(before.is_none_or(|(_, &(end, _))| end < first), "the range is free");
        self.0.insert(first, (last, value));
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        let (_, &(last, value)) = self.0.range(..=index).next_back()?;
        (index <= last).then_some(value)
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first, (last, value));
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        match self.0.range_mut(..=index).next_back() {
            Some((_, entry)) if index <= entry.0 => {
                entry.1 = value;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn erase(&mut self, first: u64, _last: u64) {
        self.0.remove(&first).expect("it is there");
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|(&first, &(last, value))| first ^ last ^ value as u64).fold(0, u64::wrapping_add)
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        let sum = |sum: u64, (&first, &(last, value)): (&u64, &(u64, usize))| {
            sum.wrapping_add(first ^ last ^ value as u64)
        };
        if back {
            self.0.range(..=index).rev().skip(1).take(steps).fold(0, sum)
        } else {
            self.0.range(index + 1..).take(steps).fold(0, sum)
        }
    }
}

impl GapSearch for BTree {
    fn new(_last: u64) -> Self {
        Self(BTreeMap::new())
    }

    fn insert(&mut self, first: u64, last: u64) {
        self.0.insert(first, (last, 1));
    }

    fn find(&self, search: &Search) -> Option<u64> {
        if search.top_down {
            let mut end = search.last;
            for (&first, &(last, _)) in self.0.range(..=search.last).rev() {
                if last < end
                    && let Some(found) = search.fit(last + 1, end)
                {
                    return Some(found);
                }
                if first <= search.first {
                    return None;
                }
                end = first - 1;
            }
            search.fit(search.first, end)
        } else {
            let before = self.0.range(..search.first).next_back();
            let mut start = before.map_or(0, |(_, &(last, _))| last + 1).max(search.first);
            for (&first, &(last, _)) in self.0.range(search.first..=search.last) {
                if start < first
                    && let Some(found) = search.fit(start, first - 1)
                {
                    return Some(found);
                }
                start = last + 1;
            }
            (start <= search.last).then(|| search.fit(start, search.last)).flatten()
        }
    }
}
