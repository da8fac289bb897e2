//! Nodes in reserve for one write.

use super::layout::Layout;
use super::link::{Link, NodeMut};
use super::memory::Memory;
use super::shape::Shape;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};

/// Nodes that were allocated before a write, so that the write itself cannot fail.
///
/// Branches are chained through their own first slot, so that any number of them needs no memory.
#[derive(Debug)]
pub(crate) struct Spare<L: Layout> {
    leaf: Option<Link<L>>,
    branches: Option<Link<L>>,
    /// How many branches are in the chain.
    length: usize,
}

/// Spare nodes that do not count as the tree's for now. Whoever owns them may be forgotten, and they with it; the
/// tree still counts right then.
#[derive(Debug)]
pub(crate) struct Aside<L: Layout>(Spare<L>);

impl<L: Layout> Aside<L> {
    /// Counts them again.
    pub(crate) fn bring_back<A>(self, memory: &mut Memory<L, A>) -> Spare<L> {
        memory.count(usize::from(self.0.leaf.is_some()), self.0.length);
        self.0
    }
}

impl<L: Layout> Spare<L> {
    /// No nodes.
    pub(crate) const fn none() -> Self {
        Self { leaf: None, branches: None, length: 0 }
    }

    /// Allocates `leaves` (0 or 1) leaves and `branches` branches, or none at all.
    pub(crate) fn allocate<A: NodeAlloc>(
        memory: &mut Memory<L, A>,
        leaves: usize,
        branches: usize,
        mode: AllocMode,
    ) -> Result<Self, AllocError> {
        let mut spare = Self::none();
        let filled = spare.fill(memory, leaves, branches, mode);
        match filled {
            Ok(()) => Ok(spare),
            Err(error) => {
                spare.release(memory);
                Err(error)
            }
        }
    }

    fn fill<A: NodeAlloc>(
        &mut self,
        memory: &mut Memory<L, A>,
        leaves: usize,
        branches: usize,
        mode: AllocMode,
    ) -> Result<(), AllocError> {
        debug_assert!(leaves <= 1);
        if leaves > 0 {
            self.leaf = Some(memory.new_leaf(mode)?);
        }
        for _ in 0..branches {
            let mut branch: Link<L> = memory.new_branch(mode)?;
            if let NodeMut::Branch(node) = branch.node_mut() {
                node.splice(0, 0, 1);
                node.put(0, self.branches.take());
            }
            self.branches = Some(branch);
            self.length += 1;
        }
        Ok(())
    }

    /// One leaf out of it.
    pub(crate) fn take_leaf(&mut self) -> Option<Link<L>> {
        self.leaf.take()
    }

    /// One branch out of it.
    pub(crate) fn take_branch(&mut self) -> Option<Link<L>> {
        let mut branch = self.branches.take()?;
        self.length -= 1;
        if let NodeMut::Branch(node) = branch.node_mut() {
            self.branches = node.put(0, None);
            node.splice(0, 1, 0);
        }
        Some(branch)
    }

    /// Takes the nodes out of the tree's count.
    pub(crate) fn set_aside<A>(self, memory: &mut Memory<L, A>) -> Aside<L> {
        memory.uncount(usize::from(self.leaf.is_some()), self.length);
        Aside(self)
    }

    /// Gives back what was not used.
    pub(crate) fn release<A: NodeAlloc>(mut self, memory: &mut Memory<L, A>) {
        if let Some(leaf) = self.take_leaf() {
            memory.release(leaf);
        }
        while let Some(branch) = self.take_branch() {
            memory.release(branch);
        }
    }
}
