//! The node memory of one tree: where nodes come from and where they go.
#![expect(unsafe_code, reason = "nodes are raw memory from a fallible allocator that can be chosen")]

use core::alloc::Layout as MemoryLayout;
use core::ptr::NonNull;

use super::block::SlotWord;
use super::layout::Layout;
use super::link::{Chain, Link, Node, NodeMut};
use super::shape::Shape;
use super::visits::{self, Work};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};

/// How many nodes of each kind a tree keeps at most, of those that readers have left, for writes to come: about what comes
/// back at a time (`DUE` in `raw::shared`).
const KEPT: usize = 32;

/// The node memory of one tree: its allocator and how many nodes it has.
#[derive(Debug)]
pub(crate) struct Memory<L, A> {
    alloc: A,
    leaves: usize,
    branches: usize,
    /// Nodes that readers have left.
    kept_leaves: Chain<L>,
    kept_branches: Chain<L>,
    /// Whether nodes that are released are kept, too.
    keeps: bool,
}

impl<L: Layout, A> Memory<L, A> {
    pub(crate) const fn new(alloc: A) -> Self {
        let (kept_leaves, kept_branches) = (Chain::new(), Chain::new());
        Self { alloc, leaves: 0, branches: 0, kept_leaves, kept_branches, keeps: false }
    }

    /// How many leaves there are that were not given back.
    pub(crate) fn leaves(&self) -> usize {
        self.leaves
    }

    /// How many branches there are that were not given back.
    pub(crate) fn branches(&self) -> usize {
        self.branches
    }

    /// How many nodes there are of both kinds.
    pub(crate) fn nodes(&self) -> usize {
        self.leaves + self.branches
    }

    pub(crate) fn alloc(&self) -> &A {
        &self.alloc
    }

    /// Counts nodes that are the tree's again.
    pub(crate) fn count(&mut self, leaves: usize, branches: usize) {
        self.leaves += leaves;
        self.branches += branches;
    }

    /// Does not count nodes for now.
    pub(crate) fn uncount(&mut self, leaves: usize, branches: usize) {
        self.leaves -= leaves;
        self.branches -= branches;
    }
}

impl<L: Layout, A: NodeAlloc> Memory<L, A> {
    fn node<N>(&self, vacant: N, mode: AllocMode) -> Result<NonNull<N>, AllocError> {
        visits::note(Work::Allocate, 1);
        let memory = self.alloc.allocate(MemoryLayout::new::<N>(), mode)?.cast::<N>();
        // SAFETY: by the contract of `NodeAlloc` the memory is unused, and sized and aligned for an `N`.
        unsafe { memory.write(vacant) };
        Ok(memory)
    }

    /// A leaf without slots.
    pub(crate) fn new_leaf(&mut self, mode: AllocMode) -> Result<Link<L>, AllocError> {
        self.kept_leaf().or_else(|_| {
            let link = Link::of_leaf(self.node(L::Leaf::vacant(), mode)?);
            self.leaves += 1;
            Ok(link)
        })
    }

    /// A branch without slots.
    pub(crate) fn new_branch(&mut self, mode: AllocMode) -> Result<Link<L>, AllocError> {
        self.kept_branch().or_else(|_| {
            let link = Link::of_branch(self.node(L::Branch::vacant(), mode)?);
            self.branches += 1;
            Ok(link)
        })
    }

    /// A leaf without slots, if one is kept.
    fn kept_leaf(&mut self) -> Result<Link<L>, AllocError> {
        let link = self.kept_leaves.pop().ok_or(AllocError)?;
        self.leaves += 1;
        Ok(link.renewed())
    }

    /// A branch without slots, if one is kept.
    fn kept_branch(&mut self) -> Result<Link<L>, AllocError> {
        let link = self.kept_branches.pop().ok_or(AllocError)?;
        self.branches += 1;
        Ok(link.renewed())
    }

    /// Whether no node is kept for writes to come.
    pub(crate) fn kept_none(&self) -> bool {
        self.kept() == (0, 0)
    }

    /// How many nodes are kept for writes to come, leaves and branches.
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.kept_leaves.len(), self.kept_branches.len())
    }

    /// Takes back one node, whose slots must not hold anything any more.
    pub(crate) fn release(&mut self, link: Link<L>) {
        *(if link.is_branch() { &mut self.branches } else { &mut self.leaves }) -= 1;
        if self.keeps { self.recycle(link) } else { self.deallocate(link) }
    }

    fn deallocate(&self, link: Link<L>) {
        #[cfg(loom)]
        link.end();
        // SAFETY: by L1 and L2 the node came from this allocator, with the layout of its kind; the link is
        // gone after this, so nobody uses it. Nodes have no destructor: slots that hold something leak it.
        unsafe {
            if link.is_branch() {
                self.alloc.deallocate(link.branch().cast(), MemoryLayout::new::<L::Branch>());
            } else {
                self.alloc.deallocate(link.leaf().cast(), MemoryLayout::new::<L::Leaf>());
            }
        }
    }

    /// A private node like another one, with the same slots. What they hold is held by both: one of the two must not be
    /// used to own it.
    pub(crate) fn copy(&mut self, node: Node<'_, L>, mode: Option<AllocMode>) -> Result<Link<L>, AllocError> {
        visits::note(Work::Copy, 1);
        let mut copy = match (&node, mode) {
            (Node::Leaf(_), Some(mode)) => self.new_leaf(mode)?,
            (Node::Branch(_), Some(mode)) => self.new_branch(mode)?,
            (Node::Leaf(_), None) => self.kept_leaf()?,
            (Node::Branch(_), None) => self.kept_branch()?,
        };
        match (node, copy.node_mut()) {
            (Node::Leaf(leaf), NodeMut::Leaf(copy)) => {
                copy.copy_frame(leaf);
                copy.parts().slots.copy_from_slice(leaf.slots());
            }
            (Node::Branch(branch), NodeMut::Branch(copy)) => {
                copy.copy_frame(branch);
                for (slot, child) in copy.parts().slots.iter_mut().zip(branch.slots()) {
                    // SAFETY: one of the two links is not used to own the child, which is for the caller to see to.
                    *slot = child.as_ref().map(|child| unsafe { Link::with_pointer(child.pointer()) });
                }
            }
            // Not reached: the copy was made to be of the same kind.
            _ => debug_assert!(false, "a leaf as the copy of a branch"),
        }
        Ok(copy)
    }

    /// Whether nodes that are released are kept for writes to come. If not, those that are kept are given back.
    pub(crate) fn keep_released(&mut self, keeps: bool) {
        self.keeps = keeps;
        if keeps {
            return;
        }
        while let Some(link) = self.kept_leaves.pop().or_else(|| self.kept_branches.pop()) {
            self.deallocate(link);
        }
    }

    /// Takes back a node that was not counted any more and that all readers have left.
    pub(crate) fn recycle(&mut self, link: Link<L>) {
        let branch = link.is_branch();
        let kept = if branch { &mut self.kept_branches } else { &mut self.kept_leaves };
        if kept.len() < KEPT { kept.push(link) } else { self.deallocate(link) }
    }
}
