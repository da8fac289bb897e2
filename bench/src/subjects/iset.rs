//! `iset::IntervalMap`, an interval tree: ranges may overlap in it, so an insertion does not look for others.

use iset::IntervalMap;

use crate::subject::{RangeMap, Subject};

pub struct Iset(IntervalMap<u64, usize>);

impl Subject for Iset {
    const NAME: &'static str = "iset";
}

impl RangeMap for Iset {
    fn new() -> Self {
        Self(IntervalMap::new())
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first..last + 1, value);
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.0.values_overlap(index).next().copied()
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first..last + 1, value);
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        self.0.values_overlap_mut(index).next().is_some_and(|there| {
            *there = value;
            true
        })
    }

    #[inline]
    fn erase(&mut self, first: u64, last: u64) {
        self.0.remove(first..last + 1).expect("it is there");
    }

    fn sum(&self) -> u64 {
        self.0
            .iter(..)
            .map(|(range, &value)| range.start ^ (range.end - 1) ^ value as u64)
            .fold(0, u64::wrapping_add)
    }
}
