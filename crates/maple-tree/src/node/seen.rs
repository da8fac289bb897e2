//! Nodes as readers see them: pivots, and slots that are loaded one by one.
//!
//! A reader may be in a node that its writer changes. It knows neither how many slots are in use nor which are empty: it
//! looks at what they hold. Pivots that are not in use are `u64::MAX`, so the slot that it finds by index is in use, and
//! the last one ends where the node ends.
#![expect(unsafe_code, reason = "readers reach nodes by a pointer that others may exchange")]

use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use super::block::SlotWord;
use super::layout::Layout;
use super::link::{Link, Node};
use super::shape::Shape;
use crate::entry::Held;
use crate::range::IndexRange;
use crate::sync::{AtomicPtr, Ordering, const_unless_loom};

/// Where readers begin: the root as it was published last.
#[derive(Debug)]
pub(crate) struct Root<L> {
    pointer: AtomicPtr<()>,
    /// Threads share the root, not a layout.
    layout: PhantomData<fn() -> L>,
}

impl<L: Layout> Root<L> {
    const_unless_loom! {
        /// Of a tree without nodes.
        pub(crate) fn new() -> Self {
            Self { pointer: AtomicPtr::new(ptr::null_mut()), layout: PhantomData }
        }
    }

    /// Shows readers another root, and all that was written below it.
    pub(crate) fn publish(&self, link: Option<&Link<L>>) {
        self.pointer.store(link.map_or(ptr::null_mut(), |link| link.pointer().as_ptr()), Ordering::Release);
    }

    /// The root for a reader.
    ///
    /// # Safety
    ///
    /// During `'g` no node is given back that was linked at its beginning or later.
    #[inline]
    pub(crate) unsafe fn pinned<'g>(&'g self) -> PinnedRoot<'g, L> {
        PinnedRoot(self)
    }
}

/// The root of a tree from which no node is given back during `'g`.
#[derive(Debug)]
pub(crate) struct PinnedRoot<'g, L>(&'g Root<L>);

impl<L> Clone for PinnedRoot<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for PinnedRoot<'_, L> {}

impl<'g, L: Layout> PinnedRoot<'g, L> {
    /// The root as it is now, and through it the tree.
    #[inline]
    pub(crate) fn load(self) -> Option<SeenNode<'g, L>> {
        let pointer = NonNull::new(self.0.pointer.load(Ordering::Acquire))?;
        // SAFETY: what is published is the link of a node that was complete before, and it is not given back.
        Some(unsafe { SeenNode::at(pointer) })
    }
}

/// A node, as readers see it, of a tree from which no node is given back during `'g`.
#[derive(Debug)]
pub(crate) enum SeenNode<'g, L: Layout> {
    Leaf(Seen<'g, L::Leaf>),
    Branch(Seen<'g, L::Branch>),
}

impl<L: Layout> SeenNode<'_, L> {
    /// # Safety
    ///
    /// The pointer is the link of a published node that is not given back during the lifetime.
    #[inline]
    unsafe fn at(pointer: NonNull<()>) -> Self {
        // SAFETY: nobody owns the node by this link, which is gone at once. The node stays where it is.
        unsafe {
            let link: Link<L> = Link::with_pointer(pointer);
            match link.node() {
                Node::Leaf(leaf) => Self::Leaf(Seen(&*ptr::from_ref(leaf))),
                Node::Branch(branch) => Self::Branch(Seen(&*ptr::from_ref(branch))),
            }
        }
    }
}

/// A leaf or a branch, as readers see it.
#[derive(Debug)]
pub(crate) struct Seen<'g, S>(&'g S);

impl<S> Clone for Seen<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Seen<'_, S> {}

impl<S: Shape> Seen<'_, S> {
    /// The slot that covers `index`, which lies within the node's bounds.
    #[inline]
    pub(crate) fn find(self, index: u64) -> usize {
        self.0.find(index)
    }

    /// Has the slots fetched, see [`Shape::prefetch_slots`].
    #[inline]
    pub(crate) fn prefetch_slots(self) {
        self.0.prefetch_slots();
    }

    /// The range of a slot that is in use, in a node with these bounds.
    #[inline]
    pub(crate) fn range_of(self, slot: usize, bounds: IndexRange) -> IndexRange {
        let pivots = self.0.pivots();
        let before = slot.checked_sub(1).and_then(|before| pivots.get(before));
        let first = before.map_or(bounds.first(), |pivot| pivot.saturating_add(1));
        let last = pivots.get(slot).map_or(bounds.last(), |&pivot| pivot.min(bounds.last()));
        IndexRange::single(first).ending_at(last)
    }
}

impl<S: Shape<Live = Held>> Seen<'_, S> {
    /// The word in a slot.
    #[inline]
    pub(crate) fn word(self, slot: usize) -> Option<Held> {
        self.0.load(slot)
    }
}

impl<'g, B> Seen<'g, B> {
    /// The node in a slot of a branch.
    #[inline]
    pub(crate) fn child<L: Layout<Branch = B>>(self, slot: usize) -> Option<SeenNode<'g, L>>
    where
        B: Shape<Live = Link<L>>,
    {
        let link = self.0.load(slot)?;
        // SAFETY: a slot of a published branch holds the link of a published node; what was linked during `'g` is not
        // given back before its end.
        Some(unsafe { SeenNode::at(link.pointer()) })
    }
}
