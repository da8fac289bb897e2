//! Erasing under readers: no memory, no failure, no waiting.
//!
//! The slot becomes empty by one store, which readers see at once. A node without a live slot is taken out of its parent
//! by another one, and so on upwards. All of this is in place. Then, if there are nodes at hand that readers have left,
//! a sparse node is joined with one beside it; no allocator is asked for that.

use super::write::empty_run;
use super::{Replaced, Writer};
use crate::alloc::NodeAlloc;
use crate::entry::Held;
use crate::node::{Chain, Layout, NodeInPlace, Shape};
use crate::range::IndexRange;
use crate::raw::Found;
use crate::raw::balance::is_sparse;
use crate::raw::summarize::{Change, refresh};

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Takes out the entry or the reserved range that covers `index`, if it is `wanted`. The word is retired.
    pub(crate) fn erase_if(&mut self, index: u64, wanted: impl FnOnce(Found) -> bool) -> Option<Found> {
        let bounds = self.tree.bounds;
        let root = self.tree.root.as_mut().filter(|_| bounds.contains(index))?;
        let mut traces = Traces { unlinked: Chain::new(), sparse: 0 };
        let erased = erase_below(root.in_place(), 0, bounds, index, wanted, &mut traces);
        let (found, _) = erased?;
        *self.tree.counter(found.word) -= 1;
        if self.tree.root.as_ref().is_some_and(|root| !has_live(root)) {
            reached!(RootUnlinked);
            self.root.publish(None);
            self.tree.height = 0;
            if let Some(root) = self.tree.root.take() {
                traces.unlinked.push(root);
            }
        }
        self.tree.memory.uncount(traces.unlinked.leaves(), traces.unlinked.branches());
        while let Some(link) = traces.unlinked.pop() {
            self.retired.push_node(link);
        }
        self.retire_word(found.word);
        self.mend(index, traces.sparse);
        Some(found)
    }

    /// Replaces the word of the entry or reserved range that covers `index`, if there is one; returns the old word,
    /// which a reserved range does not have, and which is retired. There must be room for that.
    pub(crate) fn replace(&mut self, index: u64, word: Option<Held>) -> Option<Option<Held>> {
        let bounds = self.tree.bounds;
        let root = self.tree.root.as_mut().filter(|_| bounds.contains(index))?;
        let old = replace_below(root.in_place(), index, word)?;
        reached!(ReplacedInPlace);
        *self.tree.counter(old) -= 1;
        *self.tree.counter(word) += 1;
        self.retire_word(old);
        Some(old)
    }

    /// Takes out everything.
    pub(crate) fn clear(&mut self) {
        self.root.publish(None);
        let bounds = self.tree.bounds;
        self.tree.height = 0;
        self.tree.entries = 0;
        self.tree.reserved = 0;
        let root = self.tree.root.take();
        self.retire(root.map(|link| Replaced { link, bounds, gone: Some(bounds) }));
    }
}

fn has_live<L: Layout>(link: &crate::node::Link<L>) -> bool {
    match link.node() {
        crate::node::Node::Leaf(leaf) => leaf.live() != 0,
        crate::node::Node::Branch(branch) => branch.live() != 0,
    }
}

/// What an erase leaves behind.
struct Traces<L> {
    /// Nodes that were taken out of their parents.
    unlinked: Chain<L>,
    /// The depths of branches above sparse nodes on the way, a bit for each.
    sparse: u64,
}

/// Erases in a subtree. The node may be left without a live slot, for its parent to see.
fn erase_below<L: Layout>(
    node: NodeInPlace<'_, L>,
    depth: usize,
    bounds: IndexRange,
    index: u64,
    wanted: impl FnOnce(Found) -> bool,
    traces: &mut Traces<L>,
) -> Option<(Found, Change)> {
    match node {
        NodeInPlace::Leaf(mut leaf) => {
            let slot = leaf.find(index);
            if leaf.is_empty(slot) {
                return None;
            }
            let found = Found { range: leaf.range_of(slot, bounds), word: leaf.slot(slot).copied() };
            if !wanted(found) {
                return None;
            }
            leaf.empty_slot(slot);
            let change = if leaf.live() == 0 {
                Change::Rebuilt
            } else {
                Change::Grown(empty_run::<L>(&leaf, slot, bounds))
            };
            Some((found, change))
        }
        NodeInPlace::Branch(mut branch) => {
            let slot = branch.find(index);
            let child_bounds = branch.range_of(slot, bounds);
            let erased = erase_below(branch.child(slot)?, depth + 1, child_bounds, index, wanted, traces);
            let (found, mut change) = erased?;
            let child = branch.slot(slot)?;
            if !has_live(child) {
                if let Some(child) = branch.empty_slot(slot) {
                    reached!(UnlinkedInPlace);
                    traces.unlinked.push(child);
                }
                change = Change::Rebuilt;
                if branch.live() == 0 {
                    return Some((found, change));
                }
            } else if is_sparse(child) {
                traces.sparse |= 1 << depth;
            }
            Some((found, refresh::<L>(&mut branch, slot, bounds, change)))
        }
    }
}

fn replace_below<L: Layout>(
    node: NodeInPlace<'_, L>,
    index: u64,
    word: Option<Held>,
) -> Option<Option<Held>> {
    match node {
        NodeInPlace::Leaf(mut leaf) => {
            let slot = leaf.find(index);
            (!leaf.is_empty(slot)).then(|| leaf.occupy_slot(slot, word))
        }
        NodeInPlace::Branch(mut branch) => {
            let slot = branch.find(index);
            replace_below(branch.child(slot)?, index, word)
        }
    }
}
