//! Maps of one owner in a lock that readers share: `parking_lot::RwLock`.

use parking_lot::{RwLock, RwLockReadGuard};

use super::btree::BTree;
use super::maple::MapleOnMalloc;
use crate::subject::{RangeMap, SharedMap, Subject};

pub struct Locked<M>(RwLock<M>);

impl Subject for Locked<BTree> {
    const NAME: &'static str = "RwLock, std BTreeMap";
}

impl Subject for Locked<MapleOnMalloc> {
    const NAME: &'static str = "RwLock, maple-tree";
}

impl<M: RangeMap + Send + Sync + 'static> SharedMap for Locked<M>
where
    Self: Subject,
{
    type Reader<'a> = RwLockReadGuard<'a, M>;

    fn new() -> Self {
        Self(RwLock::new(M::new()))
    }

    #[inline]
    fn read(&self, _several: bool) -> Self::Reader<'_> {
        self.0.read()
    }

    #[inline]
    fn get(reader: &Self::Reader<'_>, index: u64) -> Option<usize> {
        reader.get(index)
    }

    #[inline]
    fn insert(&self, first: u64, last: u64, value: usize) {
        self.0.write().insert(first, last, value);
    }

    #[inline]
    fn erase(&self, first: u64, last: u64) {
        self.0.write().erase(first, last);
    }

    fn sum(&self) -> u64 {
        self.0.read().sum()
    }
}
