//! The tree of words: what a [`MapleTree`](crate::MapleTree) is under its types.
//!
//! Invariants, on top of those of the nodes (`crate::node`):
//!
//! - **T1** The slots of a node cover its bounds; the root's bounds are the tree's, which never change.
//! - **T2** All leaves are `height - 1` branches away from the root. A tree without entries has no nodes.
//! - **T3** Every node has a live slot. So an empty slot stands for a free subtree at any level, and the walk
//!   along a run of free slots never has to cross a node that is wholly free.
//! - **T4** The gap summary of each branch is what `summarize` says.
//! - **T5** `memory` counts just the nodes that are linked, `entries` the live slots of leaves.
//!
//! An entry lies in one slot of one leaf. A free range may lie in any number of slots at any level.

mod balance;
mod erase;
mod insert;
mod longest;
mod search;
mod seek;
mod split;
mod summarize;
mod trim;
mod way;

pub(crate) use insert::InsertFailure;
pub(crate) use seek::{Found, LeafView};

use crate::alloc::NodeAlloc;
use crate::entry::Word;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;

/// The tallest tree. Each level multiplies the number of insertions that are needed to build it by more than
/// two, so 2^64 insertions do not reach it.
pub(crate) const MAX_HEIGHT: usize = 64;

/// A tree whose entries are words.
#[derive(Debug)]
pub(crate) struct RawTree<L: Layout, A> {
    bounds: IndexRange,
    root: Option<Link<L>>,
    height: usize,
    entries: usize,
    memory: Memory<A>,
}

impl<L: Layout, A> RawTree<L, A> {
    pub(crate) const fn new(bounds: IndexRange, alloc: A) -> Self {
        Self { bounds, root: None, height: 0, entries: 0, memory: Memory::new(alloc) }
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

    #[cfg(test)]
    pub(crate) fn entries_mut(&mut self) -> &mut usize {
        &mut self.entries
    }

    pub(crate) fn memory(&self) -> &Memory<A> {
        &self.memory
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Takes all nodes off the tree and gives their memory back. The words in the leaves are the caller's, who
    /// passes a function that receives each of them.
    pub(crate) fn clear(&mut self, mut receive: impl FnMut(Word)) {
        // Should `receive` panic, what was not passed on yet is leaked and the tree is empty.
        self.height = 0;
        self.entries = 0;
        if let Some(mut root) = self.root.take() {
            drain(&mut root, &mut receive);
            self.memory.release_all(root);
        }
    }
}

fn drain<L: Layout>(link: &mut Link<L>, receive: &mut impl FnMut(Word)) {
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
                    drain(child, receive);
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

/// The range of a slot together with the slot to its right, which is what the two cover when joined.
fn joined<S: Shape>(node: &S, left: usize, right: usize, bounds: IndexRange) -> IndexRange {
    node.range_of(left, bounds).ending_at(node.last_of(right, bounds))
}
