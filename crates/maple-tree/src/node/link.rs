//! Owning pointers to nodes, and the memory behind them: the only place that dereferences a node pointer.
//!
//! A [`Link`] owns a node the way a `Box` owns its value, but does not free it: freeing needs the allocator,
//! which the tree has. So the tree below a link is plain Rust data: `&Link` lends `&Node`, `&mut Link` lends
//! `&mut Node`, and the borrow checker does the rest.
//!
//! Invariants:
//!
//! - **L1** A link points to an initialised node of the kind that its tag says, which no other link points to.
//! - **L2** Links are made by [`Memory`] only, and given back to the [`Memory`] that made them. A tree has one
//!   `Memory` and never takes a link from another tree.
#![expect(unsafe_code, reason = "nodes are raw memory from a fallible allocator that can be chosen")]

use core::alloc::Layout as MemoryLayout;
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::layout::Layout;
use super::shape::Shape;
use super::visits;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};

/// The bit of a link's address that says "branch". Nodes are aligned to cache lines, so it is free.
const BRANCH: usize = 1;

/// An owning pointer to a node.
#[derive(Debug)]
pub struct Link<L> {
    tagged: NonNull<()>,
    layout: PhantomData<L>,
}

// SAFETY: a link owns its node, and nodes are plain data. What entries need to cross threads is decided where
// their type is known (`MapleTree` has a `PhantomData` of it).
unsafe impl<L> Send for Link<L> {}
// SAFETY: as above; a shared link gives shared access to plain data only.
unsafe impl<L> Sync for Link<L> {}

/// A node, seen through a shared link.
pub(crate) enum Node<'a, L: Layout> {
    Leaf(&'a L::Leaf),
    Branch(&'a L::Branch),
}

/// A node, seen through an exclusive link.
pub(crate) enum NodeMut<'a, L: Layout> {
    Leaf(&'a mut L::Leaf),
    Branch(&'a mut L::Branch),
}

impl<L: Layout> Link<L> {
    #[inline]
    fn is_branch(&self) -> bool {
        self.tagged.addr().get() & BRANCH != 0
    }

    #[inline]
    fn address<N>(&self) -> NonNull<N> {
        let untagged = self.tagged.as_ptr().map_addr(|address| address & !BRANCH);
        // SAFETY: clearing the tag gives the address of a node (L1), which is not null.
        unsafe { NonNull::new_unchecked(untagged) }.cast()
    }

    /// The node.
    #[inline]
    pub(crate) fn node(&self) -> Node<'_, L> {
        visits::count();
        // SAFETY: by L1 the node is of this kind, initialised, and borrowed through this link only.
        unsafe {
            if self.is_branch() {
                Node::Branch(self.address().as_ref())
            } else {
                Node::Leaf(self.address().as_ref())
            }
        }
    }

    /// The node, to change.
    #[inline]
    pub(crate) fn node_mut(&mut self) -> NodeMut<'_, L> {
        visits::count();
        // SAFETY: as in `node`, and this link is borrowed exclusively.
        unsafe {
            if self.is_branch() {
                NodeMut::Branch(self.address().as_mut())
            } else {
                NodeMut::Leaf(self.address().as_mut())
            }
        }
    }
}

/// The node memory of one tree: its allocator and how many nodes it has.
#[derive(Debug)]
pub(crate) struct Memory<A> {
    alloc: A,
    leaves: usize,
    branches: usize,
}

impl<A> Memory<A> {
    pub(crate) const fn new(alloc: A) -> Self {
        Self { alloc, leaves: 0, branches: 0 }
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
    pub(super) fn count(&mut self, leaves: usize, branches: usize) {
        self.leaves += leaves;
        self.branches += branches;
    }

    /// Does not count nodes for now.
    pub(super) fn uncount(&mut self, leaves: usize, branches: usize) {
        self.leaves -= leaves;
        self.branches -= branches;
    }
}

impl<A: NodeAlloc> Memory<A> {
    fn node<N>(&self, vacant: N, mode: AllocMode) -> Result<NonNull<N>, AllocError> {
        let memory = self.alloc.allocate(MemoryLayout::new::<N>(), mode)?.cast::<N>();
        // SAFETY: by the contract of `NodeAlloc` the memory is unused, and sized and aligned for an `N`.
        unsafe { memory.write(vacant) };
        Ok(memory)
    }

    /// A leaf without slots.
    pub(crate) fn new_leaf<L: Layout>(&mut self, mode: AllocMode) -> Result<Link<L>, AllocError> {
        let node = self.node(L::Leaf::vacant(), mode)?;
        self.leaves += 1;
        // L1: just written, tag 0.
        Ok(Link { tagged: node.cast(), layout: PhantomData })
    }

    /// A branch without slots.
    pub(crate) fn new_branch<L: Layout>(&mut self, mode: AllocMode) -> Result<Link<L>, AllocError> {
        let node = self.node(L::Branch::vacant(), mode)?.cast::<()>();
        self.branches += 1;
        let tagged = node.as_ptr().map_addr(|address| address | BRANCH);
        // SAFETY: setting a bit does not make a non-null address null. L1: just written, tag 1.
        Ok(Link { tagged: unsafe { NonNull::new_unchecked(tagged) }, layout: PhantomData })
    }

    /// Takes back one node, whose slots must not hold anything any more.
    pub(crate) fn release<L: Layout>(&mut self, link: Link<L>) {
        // SAFETY: by L1 and L2 the node came from this allocator, with the layout of its kind; the link is
        // gone after this, so nobody uses it. Nodes have no destructor: slots that hold something leak it.
        unsafe {
            if link.is_branch() {
                self.branches -= 1;
                self.alloc.deallocate(link.address(), MemoryLayout::new::<L::Branch>());
            } else {
                self.leaves -= 1;
                self.alloc.deallocate(link.address(), MemoryLayout::new::<L::Leaf>());
            }
        }
    }
}
