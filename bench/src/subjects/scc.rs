//! `scc::TreeIndex` as a range map: first index to last index and value. It does not check for overlaps.

use scc::{Guard, TreeIndex};

use crate::subject::{SharedMap, Subject};

pub struct SccTree(TreeIndex<u64, (u64, usize)>);

impl Subject for SccTree {
    const NAME: &'static str = "scc TreeIndex";
}

impl SharedMap for SccTree {
    type Reader<'a> = (&'a Self, Guard);

    fn new() -> Self {
        Self(TreeIndex::new())
    }

    #[inline]
    fn read(&self, _several: bool) -> Self::Reader<'_> {
        (self, Guard::new())
    }

    #[inline]
    fn get((map, guard): &Self::Reader<'_>, index: u64) -> Option<usize> {
        let (_, &(last, value)) = map.0.range(..=index, guard).next_back()?;
        (index <= last).then_some(value)
    }

    #[inline]
    fn insert(&self, first: u64, last: u64, value: usize) {
        self.0.insert_sync(first, (last, value)).expect("the range is free");
    }

    #[inline]
    fn erase(&self, first: u64, _last: u64) {
        assert!(self.0.remove_sync(&first), "it is there");
    }

    fn sum(&self) -> u64 {
        let guard = Guard::new();
        let entries = self.0.iter(&guard);
        entries.map(|(&first, &(last, value))| first ^ last ^ value as u64).fold(0, u64::wrapping_add)
    }
}
