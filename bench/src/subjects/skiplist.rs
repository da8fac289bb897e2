//! `crossbeam_skiplist::SkipMap` as a range map: first index to last index and value. It does not check for overlaps.

use std::ops::Bound;

use crossbeam_epoch::Guard;
use crossbeam_skiplist::SkipMap;

use crate::subject::{SharedMap, Subject};

pub struct SkipList(SkipMap<u64, (u64, usize)>);

impl Subject for SkipList {
    const NAME: &'static str = "crossbeam-skiplist";
}

impl SharedMap for SkipList {
    /// Each of its functions pins; that is cheap within another pin.
    type Reader<'a> = (&'a Self, Option<Guard>);

    fn new() -> Self {
        Self(SkipMap::new())
    }

    #[inline]
    fn read(&self, several: bool) -> Self::Reader<'_> {
        (self, several.then(crossbeam_epoch::pin))
    }

    #[inline]
    fn get((map, _): &Self::Reader<'_>, index: u64) -> Option<usize> {
        let entry = map.0.upper_bound(Bound::Included(&index))?;
        let (last, value) = *entry.value();
        (index <= last).then_some(value)
    }

    #[inline]
    fn insert(&self, first: u64, last: u64, value: usize) {
        self.0.insert(first, (last, value));
    }

    #[inline]
    fn erase(&self, first: u64, _last: u64) {
        self.0.remove(&first).expect("it is there");
    }

    fn sum(&self) -> u64 {
        let entries = self.0.iter().map(|entry| (*entry.key(), *entry.value()));
        entries.map(|(first, (last, value))| first ^ last ^ value as u64).fold(0, u64::wrapping_add)
    }
}
