//! Inserting under readers.

use super::draft::{Draft, seal};
use super::{Replaced, Writer};
use crate::alloc::{AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{InPlace, Layout, NodeInPlace, Shape};
use crate::range::IndexRange;
use crate::raw::summarize::{Change, refresh};
use crate::raw::{InsertFailure, joined};

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Stores `word` over `range`, which must be free and within the bounds, or reserves the range if there is none. Needs
    /// no node if a slot of just this range is there, empty.
    pub(crate) fn insert(
        &mut self,
        range: IndexRange,
        word: Option<Held>,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        self.make_room_to_insert(range, usize::from(word.is_some()), mode)?;
        if let Some(root) = self.tree.root.as_mut() {
            if occupy_exactly(root.in_place(), self.tree.bounds, range, word).is_some() {
                *self.tree.counter(word) += 1;
                return Ok(());
            }
        }
        let (draft, prepared) = self.draft_insert(range, mode)?;
        self.tree.commit(prepared, word);
        let replaced = self.publish(draft, None);
        self.retire(replaced);
        Ok(())
    }

    /// Sees to it that a value can be retired later that is going to be stored over `range`, if that is free.
    pub(super) fn make_room_to_insert(
        &mut self,
        range: IndexRange,
        values: usize,
        mode: AllocMode,
    ) -> Result<(), InsertFailure> {
        self.make_room(values, mode).map_err(|error| match self.tree.first_in(range) {
            Some(found) => InsertFailure::Occupied(found.range),
            None => InsertFailure::NoMemory(error),
        })
    }

    /// A draft in which inserting over `range`, which must be free, is prepared; nothing if the tree has no nodes.
    pub(super) fn draft_insert(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<(Option<Draft<L>>, crate::raw::write::Prepared<L>), InsertFailure> {
        if self.tree.root.is_none() {
            self.retired.check_limit(0).map_err(InsertFailure::NoMemory)?;
            return Ok((None, self.tree.prepare_insert(range, mode)?));
        }
        let depth = self.tree.plan_insert(range).map_err(InsertFailure::Occupied)?.top();
        let mut draft = self.begin(range.first(), depth, mode).map_err(InsertFailure::NoMemory)?;
        let settled = draft.settle(self.tree, mode, |tree| tree.plan_insert(range));
        match settled.and_then(|()| self.tree.prepare_insert(range, mode)) {
            Ok(prepared) => Ok((Some(draft), prepared)),
            Err(failure) => {
                draft.discard(self.tree);
                Err(failure)
            }
        }
    }

    /// Shows readers what was drafted, or the first leaf of a tree that had none.
    pub(super) fn publish(
        &mut self,
        draft: Option<Draft<L>>,
        gone: Option<IndexRange>,
    ) -> Option<Replaced<L>> {
        match draft {
            Some(draft) => draft.publish(self, gone),
            None => {
                if let Some(root) = self.tree.root.as_mut() {
                    seal(root);
                }
                self.root.publish(self.tree.root.as_ref());
                None
            }
        }
    }
}

/// Puts a word into the empty slot of just this range, if there is one.
fn occupy_exactly<L: Layout>(
    node: NodeInPlace<'_, L>,
    bounds: IndexRange,
    range: IndexRange,
    word: Option<Held>,
) -> Option<Change> {
    match node {
        NodeInPlace::Leaf(mut leaf) => {
            let slot = leaf.find(range.first());
            if !leaf.is_empty(slot) || leaf.range_of(slot, bounds) != range {
                return None;
            }
            let run = empty_run::<L>(&leaf, slot, bounds);
            reached!(OccupiedInPlace);
            leaf.occupy_slot(slot, word);
            Some(Change::Shrunk { run, taken: range })
        }
        NodeInPlace::Branch(mut branch) => {
            let slot = branch.find(range.first());
            let child_bounds = branch.range_of(slot, bounds);
            if range.last() > child_bounds.last() {
                return None;
            }
            let change = occupy_exactly(branch.child(slot)?, child_bounds, range, word)?;
            Some(refresh::<L>(&mut branch, slot, bounds, change))
        }
    }
}

/// What the empty slots around one that is empty cover together.
pub(super) fn empty_run<L: Layout>(
    leaf: &InPlace<'_, L::Leaf>,
    slot: usize,
    bounds: IndexRange,
) -> IndexRange {
    let before = slot.checked_sub(1).and_then(|before| leaf.live_at_or_before(before));
    let after = leaf.live_at_or_after(slot + 1);
    joined(&**leaf, before.map_or(0, |live| live + 1), after.unwrap_or(leaf.len()) - 1, bounds)
}
