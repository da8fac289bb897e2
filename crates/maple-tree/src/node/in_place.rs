//! Nodes in the hands of their writer, while readers may be in them.
//!
//! An [`InPlace`] is to a published node what `&mut` is to a private one: there is one at a time. It can be had only
//! from the link that owns the node, borrowed exclusively, or from the `InPlace` of its parent. It changes what readers
//! do not look at (header and summary), and slots, each by one atomic store.
#![expect(unsafe_code, reason = "changes parts of a node while readers are in it")]

use core::ops::Deref;
use core::ptr::{self, NonNull};

use super::block::{SlotWord, Stage};
use super::layout::Layout;
use super::link::{Link, NodeInPlace};
use super::shape::Shape;
#[cfg(not(loom))]
use crate::sync::AtomicPtr;
use crate::sync::Ordering;

/// A node whose slots may be changed one by one, and whose summary may.
///
/// - **P1** There is one `InPlace` of a node at a time, and no `&mut` to the node; all that its writer has borrowed
///   from the node ends before it is changed. Readers use [`Shape::load`], pivots and nothing else.
#[derive(Debug)]
pub struct InPlace<'a, S>(&'a S);

impl<S> Deref for InPlace<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        self.0
    }
}

impl<'a, S: Shape> InPlace<'a, S> {
    #[inline]
    pub(super) fn of(node: &'a mut S) -> Self {
        // P1: there is no other way to the node.
        Self(node)
    }

    /// # Safety
    ///
    /// P1.
    #[inline]
    pub(super) unsafe fn of_published(node: &'a S) -> Self {
        Self(node)
    }

    /// Empties a slot; what it held. Readers that come later find nothing there.
    pub(crate) fn empty_slot(&mut self, slot: usize) -> Option<S::Live> {
        let cells = self.0.cells();
        // SAFETY: P1.
        unsafe { (*cells.header).empty |= 1 << slot };
        self.exchange(slot, None)
    }

    /// Makes a slot hold something, or be reserved; what it held. Readers that find it see all that was written before.
    pub(crate) fn occupy_slot(&mut self, slot: usize, held: Option<S::Live>) -> Option<S::Live> {
        // Readers have the header's cache line, too: it is left alone if it stays as it is.
        if self.0.is_empty(slot) {
            let cells = self.0.cells();
            // SAFETY: P1.
            unsafe { (*cells.header).empty &= !(1 << slot) };
        }
        self.exchange(slot, held)
    }

    fn exchange(&mut self, slot: usize, held: Option<S::Live>) -> Option<S::Live> {
        debug_assert!(slot < self.0.len());
        if slot >= S::CAPACITY {
            return held;
        }
        let word = held.as_ref().map_or(ptr::null_mut(), |held| held.pointer().as_ptr());
        let cells = self.0.cells();
        // SAFETY: the slot is within the array, and a pointer or null (`SlotWord`). Nobody else writes to it (P1), and
        // nothing is borrowed from it; readers load it atomically. What it held is passed on, and `held` has no
        // destructor.
        unsafe {
            let cell = cells.slots.add(slot);
            let old =
                NonNull::new(cell.cast::<*mut ()>().read()).map(|pointer| S::Live::with_pointer(pointer));
            #[cfg(not(loom))]
            AtomicPtr::from_ptr(cell.cast::<*mut ()>()).store(word, Ordering::Release);
            #[cfg(loom)]
            {
                cell.cast::<*mut ()>().write(word);
                (&(*cells.mirror))[slot].store(word, Ordering::Release);
            }
            old
        }
    }

    /// What is kept beside the slots, to change.
    #[inline]
    pub(crate) fn store_mut(&mut self) -> &mut S::Store {
        // SAFETY: P1, and readers do not look at it.
        unsafe { &mut *self.0.cells().store }
    }

    /// Says who may be in the node from now on.
    pub(crate) fn set_stage(&mut self, stage: Stage) {
        #[cfg(loom)]
        if self.0.stage() == Stage::Private {
            self.reflect();
        }
        // SAFETY: P1, and readers do not look at it.
        unsafe { (*self.0.cells().header).stage = stage };
    }

    /// Shows readers under loom what the slots hold, once the node is complete.
    #[cfg(loom)]
    fn reflect(&mut self) {
        self.0.mark(true);
        let cells = self.0.cells();
        for (slot, held) in self.0.slots().iter().enumerate() {
            let word = held.as_ref().map_or(ptr::null_mut(), |held| held.pointer().as_ptr());
            // SAFETY: P1; the mirror is as long as the slots.
            unsafe { (&(*cells.mirror))[slot].store(word, Ordering::Relaxed) };
        }
    }
}

impl<'a, B> InPlace<'a, B> {
    /// The node in a slot of a branch.
    #[inline]
    pub(crate) fn child<L: Layout<Branch = B>>(&mut self, slot: usize) -> Option<NodeInPlace<'_, L>>
    where
        B: Shape<Live = Link<L>>,
    {
        // SAFETY: P1: this branch is borrowed exclusively as long as its child.
        self.0.slot(slot).map(|link| unsafe { link.in_place_below() })
    }

    /// The node in a slot of a branch, which is not needed any more.
    pub(crate) fn into_child<L: Layout<Branch = B>>(self, slot: usize) -> Option<NodeInPlace<'a, L>>
    where
        B: Shape<Live = Link<L>>,
    {
        // SAFETY: P1: there is no `InPlace` of this branch any more as long as that of its child is there.
        self.0.slot(slot).map(|link| unsafe { link.in_place_below() })
    }
}
