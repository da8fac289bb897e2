//! `nodit::NoditMap`.

use nodit::interval::ii;
use nodit::{Interval, NoditMap};

use crate::subject::{GapSearch, RangeMap, Search, Subject};

pub struct Nodit(NoditMap<u64, Interval<u64>, usize>);

impl Subject for Nodit {
    const NAME: &'static str = "nodit";
    const CANNOT: &'static [(&'static str, &'static str)] = &[
        ("gap-near-top", "goes over gaps upwards only"),
        ("gap-deep-top", "goes over gaps upwards only"),
        ("gap-absent-top", "goes over gaps upwards only"),
        ("gap-window-top", "goes over gaps upwards only"),
        ("gap-natural-top", "goes over gaps upwards only"),
        ("gap-odd-top", "goes over gaps upwards only"),
    ];
    const LINEAR: &'static [&'static str] = &["gap-deep*", "gap-absent*"];
}

impl RangeMap for Nodit {
    fn new() -> Self {
        Self(NoditMap::new())
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert_strict(ii(first, last), value).expect("it is free");
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.0.get_at_point(&index).copied()
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        let _ = self.0.insert_overwrite(ii(first, last), value);
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        self.0.get_at_point_mut(&index).is_some_and(|there| {
            *there = value;
            true
        })
    }

    #[inline]
    fn erase(&mut self, first: u64, last: u64) {
        let _ = self.0.remove_overlapping(&ii(first, last));
    }

    fn sum(&self) -> u64 {
        self.0
            .iter()
            .map(|(range, &value)| range.start() ^ range.end() ^ value as u64)
            .fold(0, u64::wrapping_add)
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        let sum = |sum: u64, (range, &value): (&Interval<u64>, &usize)| {
            sum.wrapping_add(range.start() ^ range.end() ^ value as u64)
        };
        if back {
            self.0.overlapping(&ii(0, index)).rev().skip(1).take(steps).fold(0, sum)
        } else {
            self.0.overlapping(&ii(index, u64::MAX)).skip(1).take(steps).fold(0, sum)
        }
    }
}

impl GapSearch for Nodit {
    fn new(_last: u64) -> Self {
        Self(NoditMap::new())
    }

    fn insert(&mut self, first: u64, last: u64) {
        self.0.insert_strict(ii(first, last), 1).expect("it is free");
    }

    fn find(&self, search: &Search) -> Option<u64> {
        self.0
            .gaps_trimmed(&ii(search.first, search.last))
            .find_map(|gap: Interval<u64>| search.fit(*gap.start(), *gap.end()))
    }
}
