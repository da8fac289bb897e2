//! The tree of words: what a [`MapleTree`](crate::MapleTree) is under its types.
//!
//! Invariants, on top of those of the nodes (`crate::node`):
//!
//! - **T1** The slots of a node cover its bounds; the root's bounds are the tree's, which never change.
//! - **T2** All leaves are `height - 1` branches away from the root. A tree without live slots has no nodes.
//! - **T3** Every node has a live slot. So an empty slot stands for a free subtree at any level, and the walk
//!   along a run of free slots never has to cross a node that is wholly free.
//! - **T4** The gap summary of each branch is what `summarize` says.
//! - **T5** `memory` counts just the nodes that are linked, `entries` and `reserved` the live slots of leaves.
//!
//! An entry lies in one slot of one leaf, and so does a reserved range. A free range may lie in any number of slots at
//! any level.

mod allocate;
mod balance;
mod build;
mod compact;
mod copy;
mod erase;
mod leaves;
mod longest;
mod path;
mod search;
mod seek;
pub(crate) mod shared;
mod split;
mod store;
mod summarize;
mod sweep;
mod toward;
mod trim;
mod write;

pub use compact::Compaction;
pub(crate) use leaves::{Found, LeafView, PlacedLeaf, Reached};
pub(crate) use store::PreparedStore;
pub(crate) use toward::Toward;
pub(crate) use write::InsertFailure;

use crate::alloc::NodeAlloc;
use crate::entry::Held;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;

/// The tallest tree. A root splits only when it is full, and a tree of a million entries has 6 levels in the worst
/// order that was tried. A tree that gets here all the same refuses to grow, with an error for node memory.
pub(crate) const MAX_HEIGHT: usize = 64;

/// A tree whose entries are words.
#[derive(Debug)]
pub(crate) struct RawTree<L: Layout, A> {
    bounds: IndexRange,
    root: Option<Link<L>>,
    height: usize,
    entries: usize,
    reserved: usize,
    memory: Memory<L, A>,
}

impl<L: Layout, A> RawTree<L, A> {
    pub(crate) const fn new(bounds: IndexRange, alloc: A) -> Self {
        Self { bounds, root: None, height: 0, entries: 0, reserved: 0, memory: Memory::new(alloc) }
    }

    pub(crate) fn bounds(&self) -> IndexRange {
        self.bounds
    }

    pub(crate) fn root(&self) -> Option<&Link<L>> {
        self.root.as_ref()
    }

    pub(crate) fn root_mut(&mut self) -> Option<&mut Link<L>> {
        self.root.as_mut()
    }

    pub(crate) fn height(&self) -> usize {
        self.height
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// How many ranges are reserved.
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    /// The counter of entries, or of reserved ranges: the one for what holds `word`.
    fn counter(&mut self, word: Option<Held>) -> &mut usize {
        if word.is_some() { &mut self.entries } else { &mut self.reserved }
    }

    #[cfg(test)]
    pub(crate) fn entries_mut(&mut self) -> &mut usize {
        &mut self.entries
    }

    pub(crate) fn memory(&self) -> &Memory<L, A> {
        &self.memory
    }

    pub(crate) fn memory_mut(&mut self) -> &mut Memory<L, A> {
        &mut self.memory
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Takes out all entries and gives all nodes back. The words are the caller's, who passes a function that
    /// receives each of them. Should that panic, the others are passed on all the same before the panic goes on.
    pub(crate) fn clear(&mut self, mut receive: impl FnMut(Held)) {
        let finish = Finish { tree: self, receive: &mut receive };
        finish.tree.drain(finish.receive);
    }

    /// Does the work of `clear`, and goes on with it where it was interrupted.
    fn drain(&mut self, receive: &mut impl FnMut(Held)) {
        if let Some(root) = self.root.as_mut() {
            drain_below(root, receive, &mut self.memory);
        }
        if let Some(root) = self.root.take() {
            self.memory.release(root);
        }
        self.height = 0;
        self.entries = 0;
        self.reserved = 0;
    }
}

/// Completes a `drain` when it is dropped.
struct Finish<'a, L: Layout, A: NodeAlloc, F: FnMut(Held)> {
    tree: &'a mut RawTree<L, A>,
    receive: &'a mut F,
}

impl<L: Layout, A: NodeAlloc, F: FnMut(Held)> Drop for Finish<'_, L, A, F> {
    fn drop(&mut self) {
        self.tree.drain(self.receive);
    }
}

/// Empties all leaves under a link and gives back the nodes below it. A word leaves its slot before it is passed
/// on, so that none is passed on twice.
fn drain_below<L: Layout, A: NodeAlloc>(
    link: &mut Link<L>,
    receive: &mut impl FnMut(Held),
    memory: &mut Memory<L, A>,
) {
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            for slot in 0..leaf.len() {
                if let Some(word) = leaf.put(slot, None) {
                    receive(word);
                }
            }
        }
        NodeMut::Branch(branch) => {
            for slot in 0..branch.len() {
                if let Some(child) = branch.slot_mut(slot) {
                    drain_below(child, receive, memory);
                }
                if let Some(child) = branch.put(slot, None) {
                    memory.release(child);
                }
            }
        }
    }
}

/// How many slots of the node under a link are in use.
fn len_of<L: Layout>(link: &Link<L>) -> usize {
    match link.node() {
        Node::Leaf(leaf) => leaf.len(),
        Node::Branch(branch) => branch.len(),
    }
}

/// How many slots of a node would be in use if empty ones that stand side by side were one, as they are in a tree of one
/// owner, and in each copy that is made for readers.
fn tidy_len_of<L: Layout>(link: &Link<L>) -> usize {
    match link.node() {
        Node::Leaf(leaf) => leaf.tidy_len(),
        Node::Branch(branch) => branch.tidy_len(),
    }
}

/// What the slots from `left` to `right` cover together.
fn joined<S: Shape>(node: &S, left: usize, right: usize, bounds: IndexRange) -> IndexRange {
    node.range_of(left, bounds).ending_at(node.last_of(right, bounds))
}
