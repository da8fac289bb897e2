//! Looking at a tree while it is written: no lock, no store, no second attempt.
//!
//! Each walk begins at the root as it is then. A node that was found may be replaced at any moment; it stays as it was when
//! that happened, so a reader in it goes on as if it had been faster.

use crate::entry::Held;
use crate::node::{Layout, PinnedRoot, Seen, SeenNode};
use crate::range::IndexRange;
use crate::raw::Toward;

/// A tree that is written by others, of which nothing is given back during `'g`.
#[derive(Debug)]
pub(crate) struct Reading<'g, L: Layout> {
    root: PinnedRoot<'g, L>,
    bounds: IndexRange,
}

impl<L: Layout> Clone for Reading<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Reading<'_, L> {}

/// A slot of a leaf as readers see it: from there on nothing has been passed.
#[derive(Debug)]
pub(crate) struct SeenPlace<'g, L: Layout> {
    leaf: Seen<'g, L::Leaf>,
    bounds: IndexRange,
    /// Nothing, if all of the leaf has been passed.
    slot: Option<usize>,
}

impl<L: Layout> SeenPlace<'_, L> {
    pub(crate) fn bounds(&self) -> IndexRange {
        self.bounds
    }

    /// Passes slots up to the next entry, if there is one.
    #[inline]
    pub(crate) fn pass_entry(&mut self, toward: Toward) -> Option<(IndexRange, Held)> {
        loop {
            let slot = self.slot?;
            let range = self.leaf.range_of(slot, self.bounds);
            self.slot = match toward {
                Toward::Higher => (range.last() < self.bounds.last()).then_some(slot + 1),
                Toward::Lower => slot.checked_sub(1),
            };
            if let Some(word) = self.leaf.word(slot) {
                return Some((range, word));
            }
        }
    }
}

impl<'g, L: Layout> Reading<'g, L> {
    pub(crate) fn new(root: PinnedRoot<'g, L>, bounds: IndexRange) -> Self {
        Self { root, bounds }
    }

    fn node(self, index: u64) -> Option<SeenNode<'g, L>> {
        if self.bounds.contains(index) { self.root.load() } else { None }
    }

    /// The word of the entry that covers `index`.
    #[inline]
    pub(crate) fn get(self, index: u64) -> Option<Held> {
        let mut node = self.node(index)?;
        loop {
            match node {
                SeenNode::Leaf(leaf) => {
                    leaf.prefetch_slots();
                    return leaf.word(leaf.find(index));
                }
                SeenNode::Branch(branch) => node = branch.child(branch.find(index))?,
            }
        }
    }

    /// The entry that covers `index`.
    pub(crate) fn find(self, index: u64) -> Option<(IndexRange, Held)> {
        let mut node = self.node(index)?;
        let mut bounds = self.bounds;
        loop {
            match node {
                SeenNode::Leaf(leaf) => {
                    let slot = leaf.find(index);
                    return Some((leaf.range_of(slot, bounds), leaf.word(slot)?));
                }
                SeenNode::Branch(branch) => {
                    let slot = branch.find(index);
                    bounds = branch.range_of(slot, bounds);
                    node = branch.child(slot)?;
                }
            }
        }
    }

    /// The first entry that begins at or after `index`, or the last one that ends at or before it. One walk, and another for
    /// each leaf without such an entry.
    pub(crate) fn entry_from(self, index: u64, toward: Toward) -> Option<(IndexRange, Held)> {
        let mut near = index;
        loop {
            let mut place = self.leaf_toward(near, toward)?;
            while let Some((range, word)) = place.pass_entry(toward) {
                let from_there = match toward {
                    Toward::Higher => range.first() >= index,
                    Toward::Lower => range.last() <= index,
                };
                if from_there {
                    return Some((range, word));
                }
            }
            near = toward.near_edge(toward.beyond_range(place.bounds)?);
        }
    }

    /// The slot that covers `index` in its leaf, or if there is none the first one of the next leaf in a direction.
    pub(crate) fn leaf_toward(self, index: u64, toward: Toward) -> Option<SeenPlace<'g, L>> {
        let near = index.clamp(self.bounds.first(), self.bounds.last());
        if near != index && (index > near) == (toward == Toward::Higher) {
            return None;
        }
        leaf_below(self.root.load()?, self.bounds, near, toward)
    }
}

/// The same in a subtree, within whose bounds `index` lies. A child may be
/// without leaves for a moment, before it is taken out.
fn leaf_below<'g, L: Layout>(
    node: SeenNode<'g, L>,
    bounds: IndexRange,
    index: u64,
    toward: Toward,
) -> Option<SeenPlace<'g, L>> {
    let branch = match node {
        SeenNode::Leaf(leaf) => return Some(SeenPlace { leaf, bounds, slot: Some(leaf.find(index)) }),
        SeenNode::Branch(branch) => branch,
    };
    let mut slot = branch.find(index);
    loop {
        let range = branch.range_of(slot, bounds);
        let near = index.clamp(range.first(), range.last());
        let found = branch.child(slot).and_then(|child| leaf_below(child, range, near, toward));
        if found.is_some() {
            return found;
        }
        slot = match toward {
            Toward::Higher if range.last() < bounds.last() => slot + 1,
            Toward::Lower => slot.checked_sub(1)?,
            Toward::Higher => return None,
        };
    }
}
