//! Nodes out of order, for the tests of the checker; and the search in a branch's orders.

use core::mem::swap;

use super::store::GapStore;
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

#[test]
fn orders_are_compared_eight_at_a_time() {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..if cfg!(miri) { 5 } else { 2000 } {
        let mut store = GapStore::<19, 3>::default();
        for slot in 0..19 {
            store.set(slot, Summary { longest: 0, order: rng.u8(0..=65) });
        }
        for least in 0..=65 {
            let expected = (0..19)
                .filter(|&slot| store.order()[slot] >= least)
                .fold(0u32, |slots, slot| slots | 1 << slot);
            assert_eq!(store.order_at_least(least) & ((1 << 19) - 1), expected);
        }
    }
}
