//! Trees to start with, of more levels than a few operations from nothing make.

use std::vec::Vec;

use super::explore::State;
use super::ops::Op;
use crate::node::TracksGaps;
use crate::range::IndexRange;

/// The orders in which places are filled.
type Order = fn(u64, u64) -> u64;

const ORDERS: [Order; 4] = [
    |i, _| i,
    |i, count| count - 1 - i,
    // Outside in.
    |i, count| if i % 2 == 0 { i / 2 } else { count - 1 - i / 2 },
    // Inside out.
    |i, count| if i % 2 == 0 { count / 2 + i / 2 } else { count / 2 - 1 - i / 2 },
];

/// The distance of two entries, and how long they are.
const PLACES: [(u64, u64); 3] = [(1, 1), (2, 1), (4, 3)];

/// What is done to the entries when they are all there.
const THINNED: [fn(u64) -> bool; 3] = [
    |_| false,
    |i| i % 2 == 1,
    // All but one of a leaf, or of a few.
    |i| i % 5 != 2,
];

/// Trees over `indices` indices from `base` on, filled in all orders, with and without gaps, thinned in all ways. Every seventh
/// range is reserved.
pub(super) fn prepared<L: TracksGaps>(base: u64, indices: u64, bounded: bool) -> Vec<State<L>> {
    let mut starts = Vec::new();
    for order in ORDERS {
        for (pitch, length) in PLACES {
            for thinned in THINNED {
                let count = indices / pitch / 2 * 2;
                let mut state = State::empty(base, (count * pitch) as usize, bounded);
                let place = |i: u64| base + i * pitch;
                for i in (0..count).map(|i| order(i, count)) {
                    let range = IndexRange::sized(place(i), length).expect("in the space");
                    state.apply(if i % 7 == 3 { Op::Reserve(range) } else { Op::Insert(range) });
                }
                for i in (0..count).filter(|&i| thinned(i)) {
                    state.apply(Op::Erase(place(i)));
                }
                starts.push(state);
            }
        }
    }
    starts
}
