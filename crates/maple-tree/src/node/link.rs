//! Owning pointers to nodes, and the memory behind them: the only place that dereferences a node pointer.
//!
//! A [`Link`] owns a node the way a `Box` owns its value, but does not free it: freeing needs the allocator,
//! which the tree has. So the tree below a link is plain Rust data: `&Link` lends `&Node`, `&mut Link` lends
//! `&mut Node`, and the borrow checker does the rest.
//!
//! Invariants:
//!
//! - **L1** A link points to an initialised node of the kind that its tag says, which no other link points to that is
//!   used to own it. (While a branch and its private copy are both there, the links in one of the two are not.)
//! - **L2** Links are made by [`Memory`] only, and given back to the [`Memory`] that made them. A tree has one
//!   `Memory` and never takes a link from another tree.
#![expect(unsafe_code, reason = "nodes are raw memory from a fallible allocator that can be chosen")]

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::block::{SlotWord, Stage};
use super::in_place::InPlace;
use super::layout::Layout;
use super::prefetch::prefetch;
use super::shape::Shape;
use super::visits;

/// The bit of a link's address that says "branch". Nodes are aligned to cache lines, so it is free.
const BRANCH: usize = 1;

/// An owning pointer to a node.
#[derive(Debug)]
#[repr(transparent)]
pub struct Link<L> {
    tagged: NonNull<()>,
    layout: PhantomData<L>,
}

// SAFETY: a link owns its node, and nodes are plain data. What entries need to cross threads is decided where
// their type is known (`MapleTree` has a `PhantomData` of it).
unsafe impl<L> Send for Link<L> {}
// SAFETY: as above; a shared link gives shared access to plain data only.
unsafe impl<L> Sync for Link<L> {}

// SAFETY: it is transparent and has no destructor.
unsafe impl<L> SlotWord for Link<L> {
    #[inline]
    fn pointer(&self) -> NonNull<()> {
        self.tagged
    }

    #[inline]
    unsafe fn with_pointer(tagged: NonNull<()>) -> Self {
        Self { tagged, layout: PhantomData }
    }
}

/// A node, seen through a shared link.
pub(crate) enum Node<'a, L: Layout> {
    Leaf(&'a L::Leaf),
    Branch(&'a L::Branch),
}

impl<L: Layout> Clone for Node<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Node<'_, L> {}

/// A node, seen through an exclusive link.
pub(crate) enum NodeMut<'a, L: Layout> {
    Leaf(&'a mut L::Leaf),
    Branch(&'a mut L::Branch),
}

/// A node in the hands of its writer, while readers may be in it.
pub(crate) enum NodeInPlace<'a, L: Layout> {
    Leaf(InPlace<'a, L::Leaf>),
    Branch(InPlace<'a, L::Branch>),
}

impl<L: Layout> NodeInPlace<'_, L> {
    /// The node, to look at.
    pub(crate) fn as_node(&self) -> Node<'_, L> {
        match self {
            Self::Leaf(leaf) => Node::Leaf(&**leaf),
            Self::Branch(branch) => Node::Branch(&**branch),
        }
    }

    /// Who may be in the node.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Leaf(leaf) => leaf.stage(),
            Self::Branch(branch) => branch.stage(),
        }
    }

    /// Says who may be in the node from now on.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        match self {
            Self::Leaf(leaf) => leaf.set_stage(stage),
            Self::Branch(branch) => branch.set_stage(stage),
        }
    }
}

impl<L: Layout> Link<L> {
    /// The link of a leaf that is the caller's alone.
    pub(super) fn of_leaf(node: NonNull<L::Leaf>) -> Self {
        Self { tagged: node.cast(), layout: PhantomData }
    }

    /// The link of a branch that is the caller's alone.
    pub(super) fn of_branch(node: NonNull<L::Branch>) -> Self {
        let tagged = node.cast::<()>().as_ptr().map_addr(|address| address | BRANCH);
        // SAFETY: setting a bit does not make a non-null address null.
        Self { tagged: unsafe { NonNull::new_unchecked(tagged) }, layout: PhantomData }
    }

    #[inline]
    pub(super) fn is_branch(&self) -> bool {
        self.tagged.addr().get() & BRANCH != 0
    }

    /// The node, which is a leaf.
    #[inline]
    pub(super) fn leaf(&self) -> NonNull<L::Leaf> {
        debug_assert!(!self.is_branch());
        self.tagged.cast()
    }

    /// The node, which is a branch.
    ///
    /// The tag is subtracted, not masked: processors add a constant to an address for nothing.
    #[inline]
    pub(super) fn branch(&self) -> NonNull<L::Branch> {
        debug_assert!(self.is_branch());
        let untagged = self.tagged.as_ptr().map_addr(|address| address.wrapping_sub(BRANCH));
        // SAFETY: without the tag it is the address of a node (L1), which is not null.
        unsafe { NonNull::new_unchecked(untagged) }.cast()
    }

    /// Has the node fetched, which is a leaf.
    #[inline]
    pub(crate) fn prefetch_leaf(&self) {
        prefetch(self.leaf().as_ptr());
    }

    /// Has the node fetched, which is a branch.
    #[inline]
    pub(crate) fn prefetch_branch(&self) {
        prefetch(self.branch().as_ptr());
    }

    /// The node.
    #[inline]
    pub(crate) fn node(&self) -> Node<'_, L> {
        visits::count();
        #[cfg(loom)]
        self.visit();
        // SAFETY: by L1 the node is of this kind, initialised, and borrowed through this link only.
        unsafe {
            if self.is_branch() {
                Node::Branch(self.branch().as_ref())
            } else {
                Node::Leaf(self.leaf().as_ref())
            }
        }
    }

    /// The node, to change.
    #[inline]
    pub(crate) fn node_mut(&mut self) -> NodeMut<'_, L> {
        visits::count();
        #[cfg(loom)]
        self.visit();
        debug_assert_eq!(self.stage(), Stage::Private, "readers may be in this node");
        // SAFETY: as in `node`, and this link is borrowed exclusively. The node is private.
        unsafe {
            if self.is_branch() {
                NodeMut::Branch(self.branch().as_mut())
            } else {
                NodeMut::Leaf(self.leaf().as_mut())
            }
        }
    }

    /// The node, to change while readers may be in it.
    #[inline]
    pub(crate) fn in_place(&mut self) -> NodeInPlace<'_, L> {
        // SAFETY: this link is borrowed exclusively, so there is one `InPlace` at a time (P1).
        unsafe { self.in_place_below() }
    }

    /// # Safety
    ///
    /// The branch with this link is borrowed exclusively (P1).
    #[inline]
    pub(super) unsafe fn in_place_below(&self) -> NodeInPlace<'_, L> {
        visits::count();
        #[cfg(loom)]
        self.visit();
        // SAFETY: as in `node`; P1 is the caller's promise.
        unsafe {
            if self.is_branch() {
                NodeInPlace::Branch(InPlace::of_published(self.branch().as_ref()))
            } else {
                NodeInPlace::Leaf(InPlace::of_published(self.leaf().as_ref()))
            }
        }
    }

    /// Who may be in the node.
    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        // SAFETY: as in `node`.
        unsafe {
            if self.is_branch() { stage_of(self.branch().as_ref()) } else { stage_of(self.leaf().as_ref()) }
        }
    }

    /// Says who may be in the node from now on.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        self.in_place().set_stage(stage);
    }

    /// Whether only its writer knows the node.
    #[inline]
    pub(crate) fn is_private(&self) -> bool {
        self.stage() == Stage::Private
    }

    /// The link of a node that nobody is in any more, without slots.
    pub(super) fn renewed(self) -> Self {
        #[cfg(loom)]
        self.end();
        // SAFETY: by L1 the node is of this kind, and nobody uses it.
        unsafe {
            if self.is_branch() {
                self.branch().write(L::Branch::vacant());
            } else {
                self.leaf().write(L::Leaf::vacant());
            }
        }
        self
    }

    /// Tells loom that somebody looks at the node.
    #[cfg(loom)]
    fn visit(&self) {
        // SAFETY: as in `node`.
        unsafe {
            if self.is_branch() {
                self.branch().as_ref().visit();
            } else {
                self.leaf().as_ref().visit();
            }
        }
    }

    /// Tells loom that nobody is in the node any more.
    #[cfg(loom)]
    pub(super) fn end(&self) {
        match self.node() {
            Node::Leaf(leaf) => leaf.mark(false),
            Node::Branch(branch) => branch.mark(false),
        }
    }

    fn next_cell(&self) -> *mut Option<NonNull<()>> {
        // SAFETY: as in `node`.
        unsafe {
            if self.is_branch() {
                self.branch().as_ref().cells().next
            } else {
                self.leaf().as_ref().cells().next
            }
        }
    }
}

/// Who may be in a node, which is not retired.
#[inline]
fn stage_of<S: Shape>(node: &S) -> Stage {
    debug_assert!(Stage::ALL.contains(&node.stage_byte()), "a retired node has no header");
    node.stage()
}

/// Nodes that are not linked any more, chained through their headers, which nobody needs then. Readers may still be in
/// them, and find their way.
#[derive(Debug)]
pub(crate) struct Chain<L> {
    top: Option<Link<L>>,
    leaves: usize,
    branches: usize,
}

impl<L: Layout> Chain<L> {
    pub(crate) const fn new() -> Self {
        Self { top: None, leaves: 0, branches: 0 }
    }

    pub(crate) fn leaves(&self) -> usize {
        self.leaves
    }

    pub(crate) fn branches(&self) -> usize {
        self.branches
    }

    pub(crate) fn len(&self) -> usize {
        self.leaves + self.branches
    }

    /// Adds a node. Its slots are left as they are, and own nothing from now on.
    pub(crate) fn push(&mut self, link: Link<L>) {
        *self.counter(&link) += 1;
        let next = self.top.take().map(|next| next.tagged);
        // SAFETY: the node is not linked any more, so its header is nobody's; readers do not look at it.
        unsafe { link.next_cell().write(next) };
        self.top = Some(link);
    }

    /// Takes out the node that was added last.
    pub(crate) fn pop(&mut self) -> Option<Link<L>> {
        let link = self.top.take()?;
        *self.counter(&link) -= 1;
        // SAFETY: `push` wrote a link there that owns its node.
        self.top = unsafe { link.next_cell().read().map(|next| Link::with_pointer(next)) };
        Some(link)
    }

    /// For tests: all nodes, those that were added last first.
    #[cfg(test)]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Link<L>)) {
        let mut next = self.top.as_ref().map(|link| link.tagged);
        while let Some(tagged) = next {
            let link = Link { tagged, layout: PhantomData };
            visit(&link);
            // SAFETY: as in `pop`; here only `link` is used, which owns nothing.
            next = unsafe { link.next_cell().read() };
        }
    }

    /// Counts a node, or does not count it any more.
    fn counter(&mut self, link: &Link<L>) -> &mut usize {
        if link.is_branch() { &mut self.branches } else { &mut self.leaves }
    }
}
