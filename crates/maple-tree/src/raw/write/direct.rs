//! Writing at once: one walk, without a plan.
//!
//! An insertion mostly goes into one empty slot, of a leaf that has room for what remains of the slot; a store mostly
//! goes over just what is there. Then one slot of one leaf is all that changes, but for summaries, and no node is needed.
//! Whether it is so is seen at the leaf. If not, nothing has changed yet, and the write is planned; but a full leaf first
//! shares its slots with one beside it that has room.

use crate::entry::Held;
use crate::node::{Layout, Link, NodeMut, Shape};
use crate::range::IndexRange;
use crate::raw::path::Path;
use crate::raw::summarize::{Run, lower};
use crate::raw::{Found, RawTree, balance};

/// A write on its way down the tree and up again.
struct Direct<W> {
    way: W,
    range: IndexRange,
    word: Option<Held>,
    over: Over,
    displaced: Option<Found>,
    /// The run that becomes smaller, as the node has it that was left last.
    run: Run,
    /// Whether the leaf has no room, and that is all that it lacks.
    is_full: bool,
    /// Whether slots have moved, so that the way has to be looked for again.
    has_moved: bool,
}

/// What a write may go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// What is free.
    Free,
    /// And an entry or a reserved range with the same indices.
    Same,
}

/// How a write finds its way.
trait Way {
    /// The slot to go to in a node with `depth` branches above it.
    fn slot<S: Shape>(&self, node: &S, depth: usize) -> usize;
}

/// By its first index.
struct Searched(u64);

impl Way for Searched {
    #[inline]
    fn slot<S: Shape>(&self, node: &S, _depth: usize) -> usize {
        node.find(self.0)
    }
}

/// Along a path, to a slot of the leaf at its end.
struct Noted<'a> {
    path: &'a Path,
    slot: usize,
}

impl Way for Noted<'_> {
    #[inline]
    fn slot<S: Shape>(&self, _node: &S, depth: usize) -> usize {
        if depth < self.path.depth() { self.path.slot(depth) } else { self.slot }
    }
}

impl<L: Layout, A> RawTree<L, A> {
    /// Stores `word` over `range`, or reserves the range, if all of it lies in an empty slot of a leaf that has room. Else
    /// nothing has changed.
    #[inline]
    pub(in crate::raw) fn insert_directly(&mut self, range: IndexRange, word: Option<Held>) -> Option<()> {
        self.write_directly(Searched(range.first()), range, word, Over::Free).map(|_| ())
    }

    /// Like [`insert_directly`](Self::insert_directly), and also where there is an entry or a reserved range of just this
    /// range, which is displaced then and returned.
    #[inline]
    pub(crate) fn store_directly(&mut self, range: IndexRange, word: Option<Held>) -> Option<Option<Found>> {
        self.write_directly(Searched(range.first()), range, word, Over::Same)
    }

    /// Like [`insert_directly`](Self::insert_directly) where the way is known: a gap search found `range` in `slot`, which is
    /// empty, of the leaf at the end of `path`.
    #[inline]
    pub(in crate::raw) fn insert_along(
        &mut self,
        path: &Path,
        slot: usize,
        range: IndexRange,
        word: Option<Held>,
    ) -> Option<()> {
        self.write_directly(Noted { path, slot }, range, word, Over::Free).map(|_| ())
    }

    fn write_directly(
        &mut self,
        way: impl Way,
        range: IndexRange,
        word: Option<Held>,
        over: Over,
    ) -> Option<Option<Found>> {
        let bounds = self.bounds;
        let mut write = Direct {
            way,
            range,
            word,
            over,
            displaced: None,
            run: Run::UNKNOWN,
            is_full: false,
            has_moved: false,
        };
        write.below(self.root.as_mut()?, 0, bounds)?;
        if let Some(displaced) = write.displaced {
            *self.counter(displaced.word) -= 1;
        }
        *self.counter(word) += 1;
        Some(write.displaced)
    }
}

/// Whether the summary of a node changed.
type Changed = bool;

impl<W: Way> Direct<W> {
    /// Writes in the subtree under `link`, or changes nothing.
    #[inline]
    fn below<L: Layout>(&mut self, link: &mut Link<L>, depth: usize, bounds: IndexRange) -> Option<Changed> {
        match link.node_mut() {
            NodeMut::Leaf(leaf) => self.in_leaf(leaf, depth, bounds),
            NodeMut::Branch(branch) => self.in_branch::<L>(branch, depth, bounds),
        }
    }

    fn in_branch<L: Layout>(
        &mut self,
        branch: &mut L::Branch,
        depth: usize,
        bounds: IndexRange,
    ) -> Option<Changed> {
        let slot = self.way.slot(branch, depth);
        match self.through::<L>(branch, slot, depth, bounds) {
            Some(changed) => Some(changed),
            None if self.is_full => self.beside_full_leaf::<L>(branch, slot, depth, bounds),
            None => None,
        }
    }

    /// Writes in the child in a slot, and brings the summary of the branch up to date.
    #[inline(always)]
    fn through<L: Layout>(
        &mut self,
        branch: &mut L::Branch,
        slot: usize,
        depth: usize,
        bounds: IndexRange,
    ) -> Option<Changed> {
        let child = branch.range_of(slot, bounds);
        let changed = self.below(branch.slot_mut(slot)?, depth + 1, child)?;
        Some(changed && lower::<L>(&mut branch.in_place(), slot, child, bounds, &mut self.run, self.range))
    }

    /// Evens out the leaf in `slot`, which is full, with one beside it, and writes then. `None` if none has room.
    #[cold]
    fn beside_full_leaf<L: Layout>(
        &mut self,
        branch: &mut L::Branch,
        slot: usize,
        depth: usize,
        bounds: IndexRange,
    ) -> Option<Changed> {
        self.is_full = false;
        balance::spill::<L>(branch, slot, bounds)?;
        self.has_moved = true;
        let slot = branch.find(self.range.first());
        self.through::<L>(branch, slot, depth, bounds)
    }

    #[inline]
    fn in_leaf<S: Shape<Live = Held>>(
        &mut self,
        leaf: &mut S,
        depth: usize,
        bounds: IndexRange,
    ) -> Option<Changed> {
        let slot = if self.has_moved { leaf.find(self.range.first()) } else { self.way.slot(leaf, depth) };
        debug_assert_eq!(slot, leaf.find(self.range.first()), "not the way to the range");
        let there = leaf.range_of(slot, bounds);
        if !leaf.is_empty(slot) {
            let same = self.over == Over::Same && there == self.range;
            return same.then(|| {
                reached!(StoredDirectly);
                self.displaced = Some(Found { range: there, word: leaf.occupy(slot, self.word) });
                false
            });
        }
        if self.range.last() > there.last() {
            return None;
        }
        if !fill(leaf, slot, there, self.range, self.word) {
            self.is_full = !self.has_moved;
            return None;
        }
        // No two empty slots are neighbours in a tree of one owner, so this was a whole run of the leaf.
        self.run = Run::of(there);
        Some(true)
    }
}

/// Puts `word` over `range` into an empty slot, which covers `free`; what remains of that on either side stays empty.
/// Whether the leaf has room for it.
#[inline]
fn fill<S: Shape<Live = Held>>(
    leaf: &mut S,
    slot: usize,
    free: IndexRange,
    range: IndexRange,
    word: Option<Held>,
) -> bool {
    let before = free.first() < range.first();
    let after = range.last() < free.last();
    let more = usize::from(before) + usize::from(after);
    if leaf.len() + more > S::CAPACITY {
        return false;
    }
    reached!(InsertedDirectly);
    reached!([InsertFillsGap, InsertLeavesOneGap, InsertLeavesTwoGaps][more]);
    let mut slot = slot;
    if more > 0 {
        // The slot's own end moves along with what is behind it.
        leaf.splice(slot, 0, more);
        if before {
            leaf.set_last(slot, range.first() - 1);
            slot += 1;
        }
        if after {
            leaf.set_last(slot, range.last());
        }
    }
    leaf.occupy(slot, word);
    true
}

#[cfg(test)]
mod tests;
