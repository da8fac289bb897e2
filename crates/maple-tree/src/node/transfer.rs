//! Slots that move between neighbouring nodes: splitting, joining, evening out.
//!
//! These functions keep N1 to N3 and nothing else. A node gives up its bounds with its slots, so they pass the
//! index at which the left node ended; the caller stores in the parent where it ends now.

use super::shape::{Shape, below};
use super::store::Store;

/// Moves `count` slots out of `source` at `from` into `target` at `to`, where there is a run of empty slots
/// to receive them, with the pivots between them. The slots that they leave are empty.
fn carry<S: Shape>(source: &mut S, from: usize, target: &mut S, to: usize, count: usize) {
    let Some(between) = count.checked_sub(1) else { return };
    target.parts().store.copy_from(to, source.store(), from, count);
    let (source, target) = (source.parts(), target.parts());
    let slots = source.slots[from..from + count].iter_mut();
    for (slot, held) in target.slots[to..to + count].iter_mut().zip(slots) {
        *slot = held.take();
    }
    target.pivots[to..to + between].copy_from_slice(&source.pivots[from..from + between]);
    let all = below(count);
    *target.empty = *target.empty & !(all << to) | (*source.empty >> from & all) << to;
    *source.empty |= all << from;
}

/// Moves the slots from `at` on into `right`, which has none.
pub(crate) fn split_off<S: Shape>(left: &mut S, at: usize, right: &mut S) {
    let count = left.len() - at;
    right.splice(0, 0, count);
    carry(left, at, right, 0, count);
    left.splice(at, count, 0);
}

/// Moves all slots of `right` to the end of `left`, which ends at `boundary`.
pub(crate) fn append<S: Shape>(left: &mut S, boundary: u64, right: &mut S) {
    let count = right.len();
    move_to_left(left, boundary, right, count);
}

/// Moves `count` slots from the front of `right` to the end of `left`, which ends at `boundary`. Returns where
/// it ends then, unless `right` has no slots left.
pub(crate) fn move_to_left<S: Shape>(
    left: &mut S,
    boundary: u64,
    right: &mut S,
    count: usize,
) -> Option<u64> {
    let len = left.len();
    left.splice(len, 0, count);
    carry(right, 0, left, len, count);
    if len > 0 {
        left.set_last(len - 1, boundary);
    }
    let end = if count < right.len() { right.pivots().get(count - 1).copied() } else { None };
    right.splice(0, count, 0);
    end
}

/// Moves `count` slots from the end of `left`, which ends at `boundary`, to the front of `right`. Returns where
/// `left` ends then.
pub(crate) fn move_to_right<S: Shape>(
    left: &mut S,
    boundary: u64,
    right: &mut S,
    count: usize,
) -> Option<u64> {
    let from = left.len() - count;
    right.splice(0, 0, count);
    carry(left, from, right, 0, count);
    right.set_last(count - 1, boundary);
    let end = left.pivots().get(from.checked_sub(1)?).copied();
    left.splice(from, count, 0);
    end
}
