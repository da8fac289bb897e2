//! Copying a tree in two steps: first all of its nodes, which may fail, then what the leaves hold, which is the
//! caller's code.
//!
//! Between the two, all that the tree holds is reserved ranges. So the copy is a valid tree at every moment,
//! and one that is given up is dropped like any other.

use core::iter::successors;

use super::shared::coalesce_all;
use super::summarize::refresh_all;
use super::{Found, LeafView, RawTree, drain_below};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Layout, Link, Memory, Node, NodeMut, Shape};
use crate::range::IndexRange;

impl<L: Layout, A> RawTree<L, A> {
    /// A tree of the same shape, node by node, in which all that is taken here is reserved. Only empty slots that stand side
    /// by side, as in a shared tree, are one.
    pub(crate) fn copy_frame<B: NodeAlloc>(
        &self,
        alloc: B,
        mode: AllocMode,
    ) -> Result<RawTree<L, B>, AllocError> {
        let mut copy = RawTree::new(self.bounds, alloc);
        if let Some(root) = self.root() {
            copy.root = Some(copy_below(root, self.bounds, &mut copy.memory, mode)?);
            copy.height = self.height;
            copy.reserved = self.entries + self.reserved;
        }
        Ok(copy)
    }

    /// Gives the reserved ranges of a copy, in order, what a function makes of the entries here. Where it makes
    /// nothing, and where a range is reserved here, too, it stays reserved.
    pub(crate) fn fill_copy<B>(
        &self,
        copy: &mut RawTree<L, B>,
        mut make: impl FnMut(IndexRange, Held) -> Option<Held>,
    ) {
        if let (Some(root), Some(root_of_copy)) = (self.root(), copy.root.as_mut()) {
            let (entries, reserved) = (&mut copy.entries, &mut copy.reserved);
            fill_below(root, root_of_copy, self.bounds, &mut |found| {
                let made = make(found.range, found.word?)?;
                *entries += 1;
                *reserved -= 1;
                Some(made)
            });
        }
    }
}

/// Copies a subtree. If that fails, what there is of the copy is given back.
fn copy_below<L: Layout, A: NodeAlloc>(
    link: &Link<L>,
    bounds: IndexRange,
    memory: &mut Memory<L, A>,
    mode: AllocMode,
) -> Result<Link<L>, AllocError> {
    let branch = match link.node() {
        Node::Branch(branch) => branch,
        Node::Leaf(leaf) => {
            let mut copy: Link<L> = memory.new_leaf(mode)?;
            if let NodeMut::Leaf(copy) = copy.node_mut() {
                copy.copy_frame(leaf);
                coalesce_all(copy, |_, _| ());
            }
            return Ok(copy);
        }
    };
    let mut link_of_copy: Link<L> = memory.new_branch(mode)?;
    if let NodeMut::Branch(copy) = link_of_copy.node_mut() {
        copy.copy_frame(branch);
        for (slot, child) in branch.slots().iter().enumerate() {
            let Some(child) = child else { continue };
            match copy_below(child, branch.range_of(slot, bounds), memory, mode) {
                Ok(child) => {
                    copy.put(slot, Some(child));
                }
                Err(error) => {
                    drain_below(&mut link_of_copy, &mut |_| {}, memory);
                    memory.release(link_of_copy);
                    return Err(error);
                }
            }
        }
        coalesce_all(copy, |copy, slot| {
            refresh_all::<L>(&mut copy.in_place(), slot, slot + 1, bounds);
        });
    }
    Ok(link_of_copy)
}

/// Goes over what is taken under a link, and puts what a function makes of it into the slots of a copy: its live slots are
/// as many, in the same order.
fn fill_below<L: Layout>(
    link: &Link<L>,
    copy: &mut Link<L>,
    bounds: IndexRange,
    make: &mut impl FnMut(Found) -> Option<Held>,
) {
    match (link.node(), copy.node_mut()) {
        (Node::Leaf(leaf), NodeMut::Leaf(copy)) => {
            let view = LeafView::<L> { leaf, bounds };
            for (slot, to) in slots_of(leaf.live()).zip(slots_of(copy.live())) {
                if let Some(made) = make(view.found(slot)) {
                    copy.occupy(to, Some(made));
                }
            }
        }
        (Node::Branch(branch), NodeMut::Branch(copy)) => {
            for (slot, to) in slots_of(branch.live()).zip(slots_of(copy.live())) {
                if let (Some(child), Some(copy)) = (branch.slot(slot), copy.slot_mut(to)) {
                    fill_below(child, copy, branch.range_of(slot, bounds), make);
                }
            }
        }
        // Not reached: the copy has the same shape.
        _ => debug_assert!(false, "a leaf as the copy of a branch"),
    }
}

/// The slots that have a bit.
fn slots_of(bits: u32) -> impl Iterator<Item = usize> {
    let rest = |&bits: &u32| Some(bits & (bits - 1)).filter(|&rest| rest != 0);
    successors(Some(bits).filter(|&bits| bits != 0), rest).map(|bits| bits.trailing_zeros() as usize)
}

#[cfg(test)]
impl<L: Layout, A> RawTree<L, A> {
    /// A tree of the same nodes, slot by slot: empty ones may stand side by side. The words are those that are here, too.
    pub(crate) fn copy_exactly<B: NodeAlloc>(&self, alloc: B) -> RawTree<L, B> {
        fn below<L: Layout, B: NodeAlloc>(link: &Link<L>, memory: &mut Memory<L, B>) -> Link<L> {
            let mut copied = memory.copy(link.node(), Some(AllocMode::Normal)).expect("there is memory");
            if let (Node::Branch(branch), NodeMut::Branch(copy)) = (link.node(), copied.node_mut()) {
                for (slot, child) in branch.slots().iter().enumerate() {
                    if let Some(child) = child {
                        // That of the original is left to own the child.
                        copy.put(slot, Some(below(child, memory)));
                    }
                }
            }
            copied
        }
        let mut copy = RawTree::new(self.bounds, alloc);
        copy.root = self.root().map(|root| below(root, &mut copy.memory));
        (copy.height, copy.entries, copy.reserved) = (self.height, self.entries, self.reserved);
        copy
    }
}
