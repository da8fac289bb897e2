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

/// Where entries lie: how many indices two of them take, and where each begins and how long it is.
type Places = (u64, fn(u64) -> (u64, u64));

const PLACES: [Places; 4] = [
    (2, |i| (i, 1)),
    (4, |i| (i * 2, 1)),
    (8, |i| (i * 4, 3)),
    // Two that adjoin, and a gap.
    (5, |i| (i / 2 * 5 + i % 2 * 2, 2)),
];

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
        for (pair, place) in PLACES {
            for thinned in THINNED {
                let pairs = indices / pair;
                let count = pairs * 2;
                let mut state = State::empty(base, (pairs * pair) as usize, bounded);
                for i in (0..count).map(|i| order(i, count)) {
                    let (first, length) = place(i);
                    let range = IndexRange::sized(base + first, length).expect("in the space");
                    state.apply(if i % 7 == 3 { Op::Reserve(range) } else { Op::Insert(range) });
                }
                for i in (0..count).filter(|&i| thinned(i)) {
                    state.apply(Op::Erase(base + place(i).0));
                }
                starts.push(state);
            }
        }
    }
    starts
}
