//! How high a tree is and what its nodes take.

use crate::node::{Layout, Link, Node, Shape};
use crate::raw::RawTree;

/// Numbers about a tree; made by [`MapleTree::stats`](crate::MapleTree::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Levels of nodes: 0 for an empty tree, 1 for a single leaf.
    pub height: usize,
    /// How many leaves there are.
    pub leaves: usize,
    /// How many branches there are.
    pub branches: usize,
    /// What they take together, in bytes.
    pub node_bytes: usize,
    /// Entries.
    pub entries: usize,
    /// Ranges that are reserved.
    pub reserved: usize,
}

impl Stats {
    pub(crate) fn of<L: Layout, A>(tree: &RawTree<L, A>) -> Self {
        let (leaves, branches) = (tree.memory().leaves(), tree.memory().branches());
        Self {
            height: tree.height(),
            leaves,
            branches,
            node_bytes: leaves * size_of::<L::Leaf>() + branches * size_of::<L::Branch>(),
            entries: tree.entries(),
            reserved: tree.reserved(),
        }
    }
}

/// What the slots of a tree's nodes are used for, by kind of node; made by
/// [`MapleTree::slots`](crate::MapleTree::slots).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotStats {
    /// The slots of leaves: a live one holds an entry or is reserved.
    pub leaves: SlotCounts,
    /// The slots of branches: a live one holds a node.
    pub branches: SlotCounts,
}

/// What the slots of some nodes are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotCounts {
    /// Slots that are taken.
    pub live: usize,
    /// Slots that stand for free space: gaps, or fragments of them.
    pub empty: usize,
    /// Slots that are not in use.
    pub unused: usize,
}

impl SlotStats {
    pub(crate) fn of<L: Layout, A>(tree: &RawTree<L, A>) -> Self {
        let mut stats = Self::default();
        if let Some(root) = tree.root() {
            stats.count(root);
        }
        stats
    }

    fn count<L: Layout>(&mut self, link: &Link<L>) {
        match link.node() {
            Node::Leaf(leaf) => self.leaves.count(leaf),
            Node::Branch(branch) => {
                self.branches.count(branch);
                for child in branch.slots().iter().flatten() {
                    self.count(child);
                }
            }
        }
    }
}

impl SlotCounts {
    fn count<S: Shape>(&mut self, node: &S) {
        self.live += node.live().count_ones() as usize;
        self.empty += node.empty().count_ones() as usize;
        self.unused += S::CAPACITY - node.len();
    }
}
