//! The two kinds of trees, so that one program runs on both: one of one owner, and a shared one behind its write guard,
//! whose values are lent rather than handed back.

mod exclusive;
mod shared;

pub(crate) use exclusive::Exclusive;
pub(crate) use shared::{Lock, Shared};

use std::ops::{Deref, RangeBounds};

use fastrand::Rng;
use maple_faults::FaultyAlloc;
use maple_tree::reclaim::Epochs;
use maple_tree::{
    AllocError, AllocMode, AllocateError, Compaction, Cyclic, ExtendError, GapRequest, IndexRange,
    InsertError, InsertErrorKind, MapleTree, Placed,
};

use crate::apply::Done;
use crate::layouts::Tested;
use crate::programs::Use;
use crate::values::Value;

/// A kind of trees.
pub(crate) trait Kind {
    type Tree<'a, V: Value, L: Tested>: Tree<'a, V, L>;

    /// Whether there are readers.
    const SHARED: bool;

    /// How often a write that is refused asks for memory at most.
    const MOST_IF_REFUSED: usize;

    /// Likewise one that replaces a value.
    const MOST_OF_REPLACEMENT: usize;

    /// What a compaction asks for.
    const COMPACTED: Done;

    /// How often an insertion asks for memory at most, in a tree of this height.
    fn most_of_insertion(height: usize) -> usize;
}

/// What a shared tree has beside its linked nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside {
    pub(crate) nodes: usize,
    /// With what is kept for values that will be retired.
    pub(crate) bytes: usize,
    pub(crate) values: usize,
}

/// A tree whose memory may fail. Values that it hands out, or lends, are shown by what they are recognised by.
pub(crate) trait Tree<'a, V: Value, L: Tested> {
    fn new(bounds: IndexRange, alloc: &'a FaultyAlloc, epochs: &'a Epochs) -> Self;

    /// The tree, to look at.
    fn look(&self) -> impl Deref<Target = MapleTree<V, L, &'a FaultyAlloc>>;

    fn insert(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
    ) -> Result<(), InsertError<V>>;

    fn reserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<(), InsertErrorKind>;

    fn store(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
        displaced: impl FnMut(IndexRange, u64),
    ) -> Result<(), InsertError<V>>;

    fn clear_range(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        cleared: impl FnMut(IndexRange, u64),
    ) -> Result<(), AllocError>;

    /// Prepares an insertion and uses it, without a further call for memory.
    fn prepare_insert(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind>;

    /// Likewise a store.
    fn prepare_store(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind>;

    /// Nothing if there is no search.
    fn allocate(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
    ) -> Option<Result<IndexRange, AllocateError<V>>>;

    /// Likewise.
    fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Option<Result<Placed, AllocateError<V>>>;

    fn erase(&mut self, index: u64) -> Option<(IndexRange, u64)>;

    fn unreserve(&mut self, index: u64) -> Option<IndexRange>;

    /// The value comes back with whether that is for want of memory.
    fn replace(&mut self, index: u64, value: V) -> Result<Option<u64>, (V, bool)>;

    fn merge_by(&mut self, window: impl RangeBounds<u64>, same: impl FnMut(u64, u64) -> bool) -> usize;

    fn clear(&mut self);

    fn compact(&mut self) -> usize;

    fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool;

    fn extend_sorted(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, V)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<V>>;

    fn beside(&self) -> Beside {
        Beside::default()
    }

    /// Whether a write may be refused although there is memory.
    fn may_refuse(&self) -> bool {
        false
    }

    /// Lets a reader come, stay, or go.
    fn disturb(&mut self, _rng: &mut Rng) {}

    /// Lets all readers go, and takes back what was kept for them.
    fn settle(&mut self) {}

    /// Compares what a reader finds at an index.
    fn read_at(&self, _index: u64, _expected: Option<(IndexRange, u64)>) {}

    /// Compares what a reader finds in a window.
    fn read_within(&self, _window: IndexRange, _expected: &[(IndexRange, u64)], _rng: &mut Rng) {}

    /// Compares what a reader finds in all.
    fn read_all(&self, _expected: &[(IndexRange, u64)]) {}
}
