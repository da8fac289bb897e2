//! Storing over whatever is there, under readers: they see all of it at once.
//!
//! In the draft everything is taken out that lies wholly in the range ([`carve`]). What is left to do is what a tree of
//! one owner does: insert, or divide an entry and widen another.
//!
//! Without a cut, clearing a range is erasing its entries one by one, and needs no memory. Else it is storing a
//! reservation over the range (and what is free beside it) and erasing that.

use super::draft::{Draft, coalesce_all};
use super::{Replaced, Writer};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;
use crate::raw::store::FirstStep;
use crate::raw::summarize::refresh_whole;
use crate::raw::{Found, InsertFailure, PreparedStore, RawTree};

/// A store that cannot fail any more. The tree is as readers see it; the draft is set aside.
#[derive(Debug)]
pub(crate) struct PreparedShared<L: Layout> {
    range: IndexRange,
    step: Step<L>,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is on the stack, for a moment, and a box would take memory"
)]
enum Step<L: Layout> {
    /// By one store into the slot of just this range.
    Replace,
    /// By publishing a draft, or the first leaf, which covers the range.
    Publish { draft: Option<Draft<L>>, store: PreparedStore<L> },
    /// By erasing one entry after the other.
    Erase,
}

impl<L: Layout> PreparedShared<L> {
    /// The range that is to be stored over.
    pub(crate) fn range(&self) -> IndexRange {
        self.range
    }

    /// As for `PreparedStore`.
    pub(crate) fn duplicate(&mut self) -> Option<&mut Option<Held>> {
        match &mut self.step {
            Step::Publish { store, .. } => store.duplicate(),
            Step::Replace | Step::Erase => None,
        }
    }

    /// As for `PreparedStore`.
    pub(crate) fn divided(&self) -> Option<IndexRange> {
        match &self.step {
            Step::Publish { store, .. } => store.divided(),
            Step::Replace | Step::Erase => None,
        }
    }

    /// Gives the nodes back, and the tree.
    pub(crate) fn release<A: NodeAlloc>(self, tree: &mut RawTree<L, A>) {
        if let Step::Publish { draft, store } = self.step {
            store.release(tree);
            if let Some(mut draft) = draft {
                draft.exchange(tree);
                draft.discard(tree);
            }
        }
    }
}

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Prepares an insertion as a store.
    pub(crate) fn prepare_insert_as_store(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedShared<L>, InsertFailure> {
        self.make_room_to_insert(range, 1, mode)?;
        let (draft, prepared) = self.draft_insert(range, mode)?;
        Ok(self.set_aside(range, draft, PreparedStore::of_insert(range, prepared)))
    }

    /// What was prepared in the draft, which is the tree, if there is one.
    fn set_aside(
        &mut self,
        range: IndexRange,
        draft: Option<Draft<L>>,
        store: PreparedStore<L>,
    ) -> PreparedShared<L> {
        let mut draft = draft;
        if let Some(draft) = draft.as_mut() {
            draft.exchange(self.tree);
        }
        PreparedShared { range, step: Step::Publish { draft, store } }
    }

    /// Prepares to store over `range`, which lies within the bounds.
    pub(crate) fn prepare_store(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedShared<L>, AllocError> {
        // One for the value, and one for an entry that is cut in two.
        self.make_room(2, mode)?;
        match self.tree.first_in(range) {
            None => {
                let (draft, prepared) = self.draft_insert(range, mode).map_err(|failure| match failure {
                    InsertFailure::NoMemory(error) => error,
                    InsertFailure::Occupied(_) => AllocError,
                })?;
                Ok(self.set_aside(range, draft, PreparedStore::of_insert(range, prepared)))
            }
            Some(found) if found.range == range => Ok(PreparedShared { range, step: Step::Replace }),
            Some(_) => {
                let depth = depth_around(self.tree, range);
                let mut draft = self.begin(range.first(), depth, mode)?;
                match self.draft_store(&mut draft, range, mode) {
                    Ok(store) => Ok(self.set_aside(range, Some(draft), store)),
                    Err(error) => {
                        draft.discard(self.tree);
                        Err(error)
                    }
                }
            }
        }
    }

    fn draft_store(
        &mut self,
        draft: &mut Draft<L>,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedStore<L>, AllocError> {
        self.carve(range, mode)?;
        while self.tree.root.is_none() && !draft.is_whole() {
            draft.rise(self.tree, Some(mode))?;
        }
        if self.tree.root.is_none() {
            self.tree.height = 0;
        }
        let settled = draft.settle(self.tree, mode, |tree| match tree.first_step(range) {
            FirstStep::Insert => tree.plan_insert(range),
            FirstStep::Divide { part, free } => tree.plan_divide_or_beside(part, free).ok_or(part),
            // Not reached: what lay in the range was taken out.
            FirstStep::Takeover(own) => Err(own),
        });
        settled.map_err(|failure| match failure {
            InsertFailure::NoMemory(error) => error,
            InsertFailure::Occupied(_) => AllocError,
        })?;
        self.tree.prepare_store(range, mode)
    }

    /// Prepares to clear `range`, which lies within the bounds.
    pub(crate) fn prepare_clear(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedShared<L>, AllocError> {
        let tree = &*self.tree;
        let cut = |index: u64| tree.find(index).is_some_and(|found| !range.contains_range(found.range));
        if cut(range.first()) || cut(range.last()) {
            let range = tree.with_gaps_beside(range);
            self.prepare_store(range, mode)
        } else {
            Ok(PreparedShared { range, step: Step::Erase })
        }
    }

    /// Does what was prepared, with `word` for the range, or reserves the range if there is none. What lay wholly in
    /// the range is passed to a function and retired. Should that panic, the store is complete all the same.
    pub(crate) fn commit_store(
        &mut self,
        prepared: PreparedShared<L>,
        word: Option<Held>,
        displaced: &mut impl FnMut(Found),
    ) {
        let PreparedShared { range, step } = prepared;
        match step {
            Step::Replace => {
                if let Some(old) = self.replace(range.first(), word) {
                    displaced(Found { range, word: old });
                }
            }
            Step::Publish { draft, store } => {
                let replaced = self.publish_store(range, draft, store, word);
                self.retire_shown(replaced, displaced);
            }
            // Not reached: this is a way to clear.
            Step::Erase => debug_assert!(false, "erasing does not store"),
        }
    }

    /// Does what was prepared, but leaves nothing in the range. Otherwise like `commit_store`.
    pub(crate) fn commit_clear(&mut self, prepared: PreparedShared<L>, displaced: &mut impl FnMut(Found)) {
        let PreparedShared { range, step } = prepared;
        if let Step::Publish { draft, store } = step {
            let replaced = self.publish_store(range, draft, store, None);
            self.retire_shown_and_erase(replaced, Some(range.first()), displaced);
        } else {
            let mut clearing = Clearing { writer: self, range };
            while let Some(found) = clearing.erase_next() {
                displaced(found);
            }
        }
    }

    /// Shows readers a store that was prepared in a draft.
    fn publish_store(
        &mut self,
        range: IndexRange,
        draft: Option<Draft<L>>,
        store: PreparedStore<L>,
        word: Option<Held>,
    ) -> Option<Replaced<L>> {
        let mut draft = draft;
        if let Some(draft) = draft.as_mut() {
            draft.exchange(self.tree);
        }
        self.tree.commit_store(store, word, |_| ());
        self.publish(draft, Some(range))
    }

    /// Takes everything out of the part that lies wholly in `range`. Nodes that are cut by an end of the range are made
    /// private. The part may be without nodes then.
    pub(super) fn carve(&mut self, range: IndexRange, mode: AllocMode) -> Result<(), AllocError> {
        let RawTree { bounds, root, entries, reserved, memory, .. } = &mut *self.tree;
        let Some(link) = root.as_mut() else { return Ok(()) };
        let mut counts = (0, 0);
        let live = carve_below(link, *bounds, range, memory, mode, &mut counts)?;
        *entries -= counts.0;
        *reserved -= counts.1;
        if !live {
            if let Some(link) = root.take() {
                memory.release(link);
            }
        }
        Ok(())
    }
}

/// Erases what lies wholly in a range, one by one; the rest when it is dropped.
struct Clearing<'a, 'w, L: Layout, A: NodeAlloc, C> {
    writer: &'a mut Writer<'w, L, A, C>,
    range: IndexRange,
}

impl<L: Layout, A: NodeAlloc, C> Clearing<'_, '_, L, A, C> {
    fn erase_next(&mut self) -> Option<Found> {
        let next = self.writer.tree.first_in(self.range)?;
        if self.range.contains_range(next.range) {
            self.writer.erase_if(next.range.first(), |_| true)
        } else {
            None
        }
    }
}

impl<L: Layout, A: NodeAlloc, C> Drop for Clearing<'_, '_, L, A, C> {
    fn drop(&mut self) {
        while self.erase_next().is_some() {}
    }
}

/// How many branches lie above the lowest node that covers `range`.
pub(super) fn depth_around<L: Layout, A>(tree: &RawTree<L, A>, range: IndexRange) -> usize {
    let (mut depth, mut bounds, mut link) = (0, tree.bounds(), tree.root());
    while let Some(Node::Branch(branch)) = link.map(Link::node) {
        let slot = branch.find(range.first());
        bounds = branch.range_of(slot, bounds);
        link = branch.slot(slot).filter(|_| bounds.contains_range(range));
        if link.is_some() {
            depth += 1;
        }
    }
    depth
}

/// Empties a private subtree where it lies in `range`; whether anything is left. Counts entries and reserved ranges.
fn carve_below<L: Layout, A: NodeAlloc>(
    link: &mut Link<L>,
    bounds: IndexRange,
    range: IndexRange,
    memory: &mut Memory<L, A>,
    mode: AllocMode,
    counts: &mut (usize, usize),
) -> Result<bool, AllocError> {
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            for slot in 0..leaf.len() {
                if !leaf.is_empty(slot) && range.contains_range(leaf.range_of(slot, bounds)) {
                    *(if leaf.put(slot, None).is_some() { &mut counts.0 } else { &mut counts.1 }) += 1;
                }
            }
            coalesce_all(leaf, |_, _| ());
            Ok(leaf.live() != 0)
        }
        NodeMut::Branch(branch) => {
            for slot in 0..branch.len() {
                let child_range = branch.range_of(slot, bounds);
                if branch.is_empty(slot) || !range.overlaps(child_range) {
                    continue;
                }
                let left = if range.contains_range(child_range) {
                    if let Some(child) = branch.slot(slot) {
                        reached!(CarvedWhole);
                        count(child, counts);
                    }
                    branch.put(slot, None);
                    continue;
                } else {
                    RawTree::own_child(branch, slot, bounds, memory, Some(mode))?;
                    match branch.slot_mut(slot) {
                        Some(child) => carve_below(child, child_range, range, memory, mode, counts)?,
                        None => true,
                    }
                };
                reached!(if left { CarvedInPart } else { CarvedEmpty });
                if !left {
                    if let Some(child) = branch.put(slot, None) {
                        memory.release(child);
                    }
                }
            }
            coalesce_all(branch, |_, _| ());
            if branch.live() == 0 {
                return Ok(false);
            }
            refresh_whole::<L>(branch, bounds);
            Ok(true)
        }
    }
}

/// Counts the entries and the reserved ranges of a subtree.
fn count<L: Layout>(link: &Link<L>, counts: &mut (usize, usize)) {
    match link.node() {
        Node::Leaf(leaf) => {
            let entries = leaf.slots().iter().flatten().count();
            counts.0 += entries;
            counts.1 += leaf.live().count_ones() as usize - entries;
        }
        Node::Branch(branch) => branch.slots().iter().flatten().for_each(|child| count(child, counts)),
    }
}
