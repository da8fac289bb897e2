//! `rangemap::RangeInclusiveMap`.

use std::ops::RangeInclusive;

use rangemap::RangeInclusiveMap;

use crate::subject::{GapSearch, RangeMap, Search, Subject};

pub struct Rangemap(RangeInclusiveMap<u64, usize>);

impl Subject for Rangemap {
    const NAME: &'static str = "rangemap";
    const CANNOT: &'static [(&'static str, &'static str)] = &[
        ("replace", "does not lend values to change"),
        ("gap-near-top", "goes over gaps upwards only"),
        ("gap-deep-top", "goes over gaps upwards only"),
        ("gap-absent-top", "goes over gaps upwards only"),
        ("gap-window-top", "goes over gaps upwards only"),
        ("gap-natural-top", "goes over gaps upwards only"),
        ("gap-odd-top", "goes over gaps upwards only"),
    ];
    const LINEAR: &'static [&'static str] = &["gap-deep*", "gap-absent*", "cursor-prev", "cursor-walk-prev"];
}

impl RangeMap for Rangemap {
    fn new() -> Self {
        Self(RangeInclusiveMap::new())
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first..=last, value);
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.0.get(&index).copied()
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first..=last, value);
    }

    #[inline]
    fn erase(&mut self, first: u64, last: u64) {
        self.0.remove(first..=last);
    }

    fn sum(&self) -> u64 {
        self.0
            .iter()
            .map(|(range, &value)| range.start() ^ range.end() ^ value as u64)
            .fold(0, u64::wrapping_add)
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        let sum = |sum: u64, (range, &value): (&RangeInclusive<u64>, &usize)| {
            sum.wrapping_add(range.start() ^ range.end() ^ value as u64)
        };
        if back {
            self.0.overlapping(0..=index).rev().skip(1).take(steps).fold(0, sum)
        } else {
            self.0.overlapping(index..=u64::MAX).skip(1).take(steps).fold(0, sum)
        }
    }
}

impl GapSearch for Rangemap {
    fn new(_last: u64) -> Self {
        Self(RangeInclusiveMap::new())
    }

    fn insert(&mut self, first: u64, last: u64) {
        self.0.insert(first..=last, 1);
    }

    fn find(&self, search: &Search) -> Option<u64> {
        self.0.gaps(&(search.first..=search.last)).find_map(|gap| search.fit(*gap.start(), *gap.end()))
    }
}
