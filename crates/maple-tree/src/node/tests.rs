//! Nodes out of order, for the tests of the checker.

use core::mem::swap;

use super::{Shape, Store};
use crate::gap::Summary;

/// Exchanges a pivot, in use or not.
pub(crate) fn swap_pivot<S: Shape>(node: &mut S, slot: usize, pivot: &mut u64) {
    swap(&mut node.parts().pivots[slot], pivot);
}

/// Exchanges the number of slots in use.
pub(crate) fn swap_len<S: Shape>(node: &mut S, len: &mut u8) {
    swap(node.parts().len, len);
}

/// Turns over what the bitmap says about a slot.
pub(crate) fn flip_empty<S: Shape>(node: &mut S, slot: usize) {
    *node.parts().empty ^= 1 << slot;
}

/// Exchanges what a slot holds, in use or not. The bitmap does not know.
pub(crate) fn swap_slot<S: Shape>(node: &mut S, slot: usize, held: &mut Option<S::Live>) {
    swap(&mut node.parts().slots[slot], held);
}

/// Exchanges the summary of a slot.
pub(crate) fn swap_summary<S: Shape>(branch: &mut S, slot: usize, summary: &mut Summary) {
    let stored = branch.store().get(slot);
    branch.store_mut().set(slot, *summary);
    *summary = stored;
}

/// Exchanges head and tail.
pub(crate) fn swap_edges<S: Shape>(branch: &mut S, edges: &mut (u64, u64)) {
    let stored = (branch.store().head(), branch.store().tail());
    branch.store_mut().set_edges(edges.0, edges.1);
    *edges = stored;
}
