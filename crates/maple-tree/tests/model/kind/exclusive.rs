//! A tree of one owner.

use std::ops::{Deref, RangeBounds};

use maple_faults::FaultyAlloc;
use maple_tree::reclaim::Epochs;
use maple_tree::{
    AllocError, AllocMode, AllocateError, Compaction, Cyclic, ExtendError, GapRequest, IndexRange,
    InsertError, InsertErrorKind, MapleTree, Placed, Prepared,
};

use super::{Kind, Tree};
use crate::apply::Done;
use crate::layouts::Tested;
use crate::programs::Use;
use crate::values::Value;

pub(crate) struct Exclusive;

impl Kind for Exclusive {
    type Tree<'a, V: Value, L: Tested> = MapleTree<V, L, &'a FaultyAlloc>;

    const SHARED: bool = false;
    const MOST_IF_REFUSED: usize = 0;
    const MOST_OF_REPLACEMENT: usize = 0;
    const COMPACTED: Done = Done::WithoutMemory;

    fn most_of_insertion(height: usize) -> usize {
        height + 1
    }
}

impl<'a, V: Value, L: Tested> Tree<'a, V, L> for MapleTree<V, L, &'a FaultyAlloc> {
    fn new(bounds: IndexRange, alloc: &'a FaultyAlloc, _epochs: &'a Epochs) -> Self {
        Self::bounded_in(bounds, alloc)
    }

    fn look(&self) -> impl Deref<Target = Self> {
        self
    }

    fn insert(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
    ) -> Result<(), InsertError<V>> {
        self.insert_with(range, value, mode)
    }

    fn reserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<(), InsertErrorKind> {
        self.reserve_with(range, mode)
    }

    fn store(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
        mut displaced: impl FnMut(IndexRange, u64),
    ) -> Result<(), InsertError<V>> {
        self.store_with(range, value, mode, |range, value| displaced(range, value.key_of()))
    }

    fn clear_range(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        mut cleared: impl FnMut(IndexRange, u64),
    ) -> Result<(), AllocError> {
        self.clear_range_with(range, mode, |range, value| cleared(range, value.key_of()))
    }

    fn prepare_insert(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind> {
        let alloc = *self.allocator();
        self.prepare_insert(range, mode).map(|prepared| finish(prepared, used, value, alloc))
    }

    fn prepare_store(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind> {
        let alloc = *self.allocator();
        self.prepare_store(range, mode).map(|prepared| finish(prepared, used, value, alloc))
    }

    fn allocate(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
    ) -> Option<Result<IndexRange, AllocateError<V>>> {
        L::allocate(self, request, value, mode)
    }

    fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Option<Result<Placed, AllocateError<V>>> {
        L::allocate_cyclic(self, request, value, mode, cyclic)
    }

    fn erase(&mut self, index: u64) -> Option<(IndexRange, u64)> {
        self.erase(index).map(|(range, value)| (range, value.key_of()))
    }

    fn unreserve(&mut self, index: u64) -> Option<IndexRange> {
        self.unreserve(index)
    }

    fn replace(&mut self, index: u64, value: V) -> Result<Option<u64>, (V, bool)> {
        self.replace(index, value).map(|old| old.map(V::key_of)).map_err(|value| (value, false))
    }

    fn merge_by(&mut self, window: impl RangeBounds<u64>, mut same: impl FnMut(u64, u64) -> bool) -> usize {
        self.merge_by(window, |left, right| same(left.key_of_ref(), right.key_of_ref()))
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn compact(&mut self) -> usize {
        self.compact()
    }

    fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        self.compact_step(state, budget)
    }

    fn extend_sorted(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, V)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<V>> {
        self.extend_sorted_with(entries, mode)
    }
}

fn finish<'a, V: Value, L: Tested>(
    prepared: Prepared<'_, V, L, &'a FaultyAlloc>,
    used: Use,
    value: V,
    alloc: &'a FaultyAlloc,
) {
    // From here on nothing may fail, nor ask.
    let calls = alloc.counts().calls;
    match used {
        Use::Store => prepared.store(value),
        Use::Reserve => prepared.reserve(),
        Use::Clear => prepared.clear(),
        Use::Drop => drop(prepared),
    }
    assert_eq!(alloc.counts().calls, calls, "what was prepared asked for memory");
}
