//! Nodes out of order, for the tests of the checker; and searches in pivots.

use core::mem::swap;
use core::num::NonZeroUsize;
use std::vec::Vec;

use super::block::Block;
use super::{Gaps, Layout, NoGaps, Shape, SlotWord, SmallGaps, SmallNoGaps, Store};
use crate::entry::Held;
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

/// All numbers of pivots in use, and all indices that could be mistaken.
fn find_slots<S: Shape>(live: impl Fn(usize) -> Option<S::Live>) {
    for used in 0..S::CAPACITY {
        for top in [10 * used as u64, u64::MAX] {
            let mut node = S::vacant();
            for slot in 0..S::CAPACITY {
                node.parts().slots[slot] = live(slot);
            }
            for slot in 0..used {
                // The last of them may be the highest index, too.
                node.parts().pivots[slot] = top - 10 * (used - 1 - slot) as u64;
            }
            let pivots = Vec::from(node.pivots());
            let near = |&pivot: &u64| [pivot.saturating_sub(1), pivot, pivot.saturating_add(1)];
            for index in pivots.iter().flat_map(near).chain([0]) {
                let expected = pivots.iter().position(|&pivot| index <= pivot).unwrap_or(pivots.len());
                assert_eq!(node.find(index), expected, "{index} in {pivots:?}");
                let held = |held: Option<S::Live>| held.map(|held| held.pointer());
                assert_eq!(held(node.at(index)), held(live(expected)), "{index} in {pivots:?}");
            }
        }
    }
}

#[test]
fn slots_are_found_by_index() {
    let held =
        |slot: usize| (slot % 3 > 0).then(|| crate::map::words::keep(NonZeroUsize::MIN.saturating_add(slot)));
    find_slots::<<Gaps as Layout>::Leaf>(held);
    find_slots::<<SmallGaps as Layout>::Leaf>(held);
    // With as many slots as branches have, whose links cannot be made up.
    find_slots::<Block<Held, (), 16, 17>>(held);
    find_slots::<Block<Held, (), 30, 31>>(held);
    find_slots::<<Gaps as Layout>::Branch>(|_| None);
    find_slots::<<NoGaps as Layout>::Branch>(|_| None);
    find_slots::<<SmallNoGaps as Layout>::Branch>(|_| None);
}
