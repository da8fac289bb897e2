//! `arc_swap::ArcSwap` over a sorted `Vec`, which each write copies.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::subject::{SharedMap, Subject};

type Entries = Vec<(u64, u64, usize)>;

pub struct Swapped(ArcSwap<Entries>);

impl Swapped {
    /// How many entries begin at or before `index`.
    #[inline]
    fn until(entries: &Entries, index: u64) -> usize {
        entries.partition_point(|&(first, ..)| first <= index)
    }
}

impl Subject for Swapped {
    const NAME: &'static str = "arc-swap, sorted Vec";
    const LINEAR: &'static [&'static str] = &["shared-*"];
    const LINEAR_UP_TO: usize = 1000;
}

impl SharedMap for Swapped {
    type Reader<'a> = Guard<Arc<Entries>>;

    fn new() -> Self {
        Self(ArcSwap::default())
    }

    #[inline]
    fn read(&self, _several: bool) -> Self::Reader<'_> {
        self.0.load()
    }

    #[inline]
    fn get(reader: &Self::Reader<'_>, index: u64) -> Option<usize> {
        let (_, last, value) = *reader.get(Self::until(reader, index).checked_sub(1)?)?;
        (index <= last).then_some(value)
    }

    fn insert(&self, first: u64, last: u64, value: usize) {
        let old = self.0.load();
        let at = Self::until(&old, first);
        let (before, after) = old.split_at(at);
        let mut new = Vec::with_capacity(old.len() + 1);
        new.extend_from_slice(before);
        new.push((first, last, value));
        new.extend_from_slice(after);
        self.0.store(Arc::new(new));
    }

    fn erase(&self, first: u64, _last: u64) {
        let old = self.0.load();
        let (before, after) = old.split_at(Self::until(&old, first));
        let (_, before) = before.split_last().expect("it is there");
        self.0.store(Arc::new([before, after].concat()));
    }

    fn fill(&mut self, entries: impl Iterator<Item = (u64, u64, usize)>) {
        self.0.store(Arc::new(entries.collect()));
    }

    fn sum(&self) -> u64 {
        let entries = self.0.load();
        entries.iter().map(|&(first, last, value)| first ^ last ^ value as u64).fold(0, u64::wrapping_add)
    }
}
