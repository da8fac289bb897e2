//! A shared tree behind its write guard. After each write readers are asked, too.

use std::ops::{Deref, RangeBounds};

use fastrand::Rng;
use maple_faults::FaultyAlloc;
use maple_tree::reclaim::{Epochs, Guard, Reclaim};
use maple_tree::shared::{ReplaceErrorKind, SharedMapleTree, SharedPrepared};
use maple_tree::{
    AllocError, AllocMode, AllocateError, Compaction, Cyclic, ExtendError, GapRequest, IndexRange,
    InsertError, InsertErrorKind, MapleTree, Placed,
};

use super::{Beside, Kind, Tree};
use crate::apply::Done;
use crate::check::{assert_same, assert_same_backwards, from_both_ends};
use crate::layouts::Tested;
use crate::programs::Use;
use crate::values::Value;

pub(crate) type Lock = spin::Mutex<()>;

pub(crate) struct Shared;

impl Kind for Shared {
    type Tree<'a, V: Value, L: Tested> = SharedTree<'a, V, L>;

    const SHARED: bool = true;
    /// Room for values that will be retired is made before anything else.
    const MOST_IF_REFUSED: usize = 4;
    const MOST_OF_REPLACEMENT: usize = 4;
    const COMPACTED: Done = Done::LikeBuild;

    /// A copy of each node on two ways down, the halves of those that are full, and what is joined.
    fn most_of_insertion(height: usize) -> usize {
        4 * (height + 1) + Self::MOST_IF_REFUSED
    }
}

pub(crate) struct SharedTree<'a, V: Value, L: Tested> {
    tree: SharedMapleTree<V, Lock, &'a Epochs, L, &'a FaultyAlloc>,
    alloc: &'a FaultyAlloc,
    epochs: &'a Epochs,
    /// A reader that stays.
    stays: Option<Guard<'a>>,
}

impl<'a, V: Value, L: Tested> Tree<'a, V, L> for SharedTree<'a, V, L> {
    fn new(bounds: IndexRange, alloc: &'a FaultyAlloc, epochs: &'a Epochs) -> Self {
        let tree = SharedMapleTree::from_tree(MapleTree::bounded_in(bounds, alloc), epochs)
            .expect("there is memory");
        Self { tree, alloc, epochs, stays: None }
    }

    fn look(&self) -> impl Deref<Target = MapleTree<V, L, &'a FaultyAlloc>> {
        self.tree.write()
    }

    fn insert(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
    ) -> Result<(), InsertError<V>> {
        self.tree.write().insert_with(range, value, mode)
    }

    fn reserve(&mut self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<(), InsertErrorKind> {
        self.tree.write().reserve_with(range, mode)
    }

    fn store(
        &mut self,
        range: impl RangeBounds<u64>,
        value: V,
        mode: AllocMode,
        mut displaced: impl FnMut(IndexRange, u64),
    ) -> Result<(), InsertError<V>> {
        let receive = |range, lent: V::Borrowed<'_>| displaced(range, V::key_of_lent(lent));
        self.tree.write().store_with(range, value, mode, receive)
    }

    fn clear_range(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        mut cleared: impl FnMut(IndexRange, u64),
    ) -> Result<(), AllocError> {
        let receive = |range, lent: V::Borrowed<'_>| cleared(range, V::key_of_lent(lent));
        self.tree.write().clear_range_with(range, mode, receive)
    }

    fn prepare_insert(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind> {
        let mut writer = self.tree.write();
        let prepared = writer.prepare_insert(range, mode)?;
        finish(prepared, used, value, self.alloc);
        Ok(())
    }

    fn prepare_store(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        used: Use,
        value: V,
    ) -> Result<(), InsertErrorKind> {
        let mut writer = self.tree.write();
        let prepared = writer.prepare_store(range, mode)?;
        finish(prepared, used, value, self.alloc);
        Ok(())
    }

    fn allocate(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
    ) -> Option<Result<IndexRange, AllocateError<V>>> {
        L::allocate_shared(&mut self.tree.write(), request, value, mode)
    }

    fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: V,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Option<Result<Placed, AllocateError<V>>> {
        L::allocate_cyclic_shared(&mut self.tree.write(), request, value, mode, cyclic)
    }

    fn erase(&mut self, index: u64) -> Option<(IndexRange, u64)> {
        // Either way of erasing.
        let mut writer = self.tree.write();
        let erased = if index % 2 == 0 { writer.erase(index) } else { writer.erase_if(index, |_, _| true) };
        erased.map(|(range, lent)| (range, V::key_of_lent(lent)))
    }

    fn unreserve(&mut self, index: u64) -> Option<IndexRange> {
        self.tree.write().unreserve(index)
    }

    fn replace(&mut self, index: u64, value: V) -> Result<Option<u64>, (V, bool)> {
        match self.tree.write().replace(index, value) {
            Ok(old) => Ok(old.map(V::key_of_lent)),
            Err(error) => Err((error.value, error.kind != ReplaceErrorKind::Free)),
        }
    }

    fn merge_by(&mut self, window: impl RangeBounds<u64>, mut same: impl FnMut(u64, u64) -> bool) -> usize {
        let same =
            |left: V::Borrowed<'_>, right: V::Borrowed<'_>| same(V::key_of_lent(left), V::key_of_lent(right));
        self.tree.write().merge_by(window, same)
    }

    fn clear(&mut self) {
        self.tree.write().clear();
    }

    fn compact(&mut self) -> usize {
        self.tree.write().compact()
    }

    fn compact_step(&mut self, state: &mut Compaction, budget: usize) -> bool {
        self.tree.write().compact_step(state, budget)
    }

    fn extend_sorted(
        &mut self,
        entries: impl IntoIterator<Item = (IndexRange, V)>,
        mode: AllocMode,
    ) -> Result<(), ExtendError<V>> {
        self.tree.write().extend_sorted_with(entries, mode)
    }

    fn beside(&self) -> Beside {
        let stats = self.tree.write().shared_stats();
        let nodes = stats.retired_leaves + stats.retired_branches + stats.kept_nodes;
        Beside { nodes, bytes: stats.bytes, values: stats.retired_values }
    }

    fn may_refuse(&self) -> bool {
        let stats = self.tree.write().shared_stats();
        stats.retired_leaves + stats.retired_branches >= 256 || stats.retired_values >= 4096
    }

    fn disturb(&mut self, rng: &mut Rng) {
        if rng.u8(..32) == 0 {
            self.stays = rng.bool().then(|| self.epochs.pin());
        }
    }

    fn settle(&mut self) {
        self.stays = None;
        self.tree.synchronize();
        let stats = self.tree.write().shared_stats();
        assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
    }

    fn read_at(&self, index: u64, expected: Option<(IndexRange, u64)>) {
        let reader = self.tree.read();
        let found = reader.get_entry(index).map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_eq!(found, expected, "a reader's get_entry({index:#x})");
        assert_eq!(reader.get(index).map(V::key_of_lent), expected.map(|(_, key)| key));
        let current = reader.cursor_at(index).current().map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_eq!(current, expected, "a reader's cursor at {index:#x}");
    }

    fn read_within(&self, window: IndexRange, expected: &[(IndexRange, u64)], rng: &mut Rng) {
        let reader = self.tree.read();
        let found = || reader.range(window).map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_same(found(), expected);
        assert_same_backwards(found(), expected);
        assert_eq!(from_both_ends(found(), rng), expected, "{window}");
        let next = reader.find(window.first()).map(|(range, lent)| (range, V::key_of_lent(lent)));
        if let Some(&first) = expected.first() {
            assert_eq!(next, Some(first));
        } else {
            assert!(next.is_none_or(|(range, _)| range.first() > window.last()));
        }

        // A cursor from before the window to behind it, and back.
        let (mut cursor, mut ahead) = (reader.cursor_at(window.first()), Vec::new());
        ahead.extend(cursor.current());
        while let Some(entry) = cursor.next_entry().filter(|(range, _)| range.first() <= window.last()) {
            ahead.push(entry);
        }
        assert_same(ahead.into_iter().map(|(range, lent)| (range, V::key_of_lent(lent))), expected);
        cursor.seek(window.last());
        let mut back = Vec::from_iter(cursor.current());
        while let Some(entry) = cursor.prev_entry().filter(|(range, _)| range.last() >= window.first()) {
            back.push(entry);
        }
        back.reverse();
        assert_same(back.into_iter().map(|(range, lent)| (range, V::key_of_lent(lent))), expected);
    }

    fn read_all(&self, expected: &[(IndexRange, u64)]) {
        let reader = self.tree.read();
        let found = || reader.iter().map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_same(found(), expected);
        assert_same_backwards(found(), expected);
    }
}

fn finish<V: Value, L: Tested>(
    prepared: SharedPrepared<'_, '_, V, Lock, &Epochs, L, &FaultyAlloc>,
    used: Use,
    value: V,
    alloc: &FaultyAlloc,
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
