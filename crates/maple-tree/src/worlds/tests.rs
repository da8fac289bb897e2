use std::string::String;
use std::vec::Vec;

use super::explore::{Size, State, explore};
use super::ops::{Choice, Op};
use super::shared;
use super::starts::prepared;
use crate::node::{SmallGaps, TinyGaps, TracksGaps, WideGaps};
use crate::range::IndexRange;
use crate::reached::{Reached, counts};

/// A world, and how it is explored. How often each shape was met is counted per thread.
type World = (&'static str, fn() -> Size);

const WORLDS: [World; 10] = [
    ("all trees over a few indices", || {
        let empty = State::<TinyGaps>::empty(0, number("MAPLE_INDICES", 7), true);
        explore([empty].into(), Choice::All, usize::MAX, State::after)
    }),
    ("all trees with reserved ranges, at the top of all indices", || {
        let indices = number("MAPLE_INDICES", 7) - 2;
        let empty = State::<TinyGaps>::empty(top(indices as u64), indices, false);
        explore([empty].into(), Choice::AllAndReserve, usize::MAX, State::after)
    }),
    ("leaves of 5, branches of 3, at the top of all indices", || {
        explore(prepared::<TinyGaps>(top(28), 28, false), Choice::Near(3), depth(), State::after)
    }),
    ("some of these, one operation more", || {
        explore(some(prepared::<TinyGaps>(top(28), 28, false)), Choice::Near(1), 1 + depth(), State::after)
    }),
    ("leaves of 5, branches of 4", || {
        explore(prepared::<SmallGaps>(0, 40, true), Choice::Near(3), depth(), State::after)
    }),
    ("leaves of 8, branches of 6", || {
        explore(prepared::<WideGaps>(1 << 40, 72, true), Choice::Near(2), depth(), State::after)
    }),
    ("all shared trees over a few indices", || {
        let empty = State::<TinyGaps>::empty(0, number("MAPLE_INDICES", 7) - 1, true);
        explore([empty].into(), Choice::All, usize::MAX, shared::after)
    }),
    ("shared, leaves of 5, branches of 3", || {
        explore(prepared::<TinyGaps>(top(28), 28, false), Choice::Near(2), depth(), shared::after)
    }),
    ("some of these, one operation more", || {
        explore(some(prepared::<TinyGaps>(top(28), 28, false)), Choice::Near(1), 1 + depth(), shared::after)
    }),
    ("shared, leaves of 8, branches of 6", || {
        explore(prepared::<WideGaps>(0, 72, true), Choice::Near(1), depth(), shared::after)
    }),
];

/// Six of 36, with each order, each distance and each way of thinning among them.
fn some<S>(prepared: Vec<S>) -> Vec<S> {
    prepared.into_iter().step_by(7).collect()
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

fn depth() -> usize {
    number("MAPLE_DEPTH", 1)
}

/// The first of so many indices that end at `u64::MAX`.
fn top(count: u64) -> u64 {
    u64::MAX - (count - 1)
}

#[test]
fn every_shape_is_reached() {
    let explored: Vec<_> = std::thread::scope(|scope| {
        let start = |(name, world): World| {
            scope.spawn(move || {
                let size = world();
                std::eprintln!("{name}: {size:?}");
                (name, counts())
            })
        };
        let threads: Vec<_> = WORLDS.into_iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("a world is as it should be")).collect()
    });
    let mut missing = Vec::new();
    for &shape in Reached::ALL {
        let counts: Vec<_> = explored.iter().map(|(_, counts)| counts[shape as usize]).collect();
        let text: String = counts.iter().map(|count| std::format!("{count:>12}")).collect();
        std::eprintln!("{:>20}{text}", std::format!("{shape:?}"));
        if counts.iter().all(|&count| count == 0) {
            missing.push(shape);
        }
    }
    assert_eq!(missing, [], "no world comes through these");
}

/// Fills a space from either end, or every other place and then the others, and empties it from either end: roots of two and
/// more levels are left with a child that is as full as it gets.
fn fill_and_drain<L: TracksGaps>(base: u64, most: u64) {
    let every_other = |i: u64, count: u64| match i.checked_sub(count.div_ceil(2)) {
        None => 2 * i,
        Some(rest) => 2 * rest + 1,
    };
    let orders: [fn(u64, u64) -> u64; 3] = [|i, _| i, |i, count| count - 1 - i, every_other];
    for count in 1..=most {
        for (fill, drain) in orders.into_iter().flat_map(|fill| [(fill, orders[0]), (fill, orders[1])]) {
            let mut state = State::<L>::empty(base, count as usize, false);
            for i in 0..count {
                state.apply(Op::Insert(IndexRange::single(base + fill(i, count))));
            }
            for i in 0..count {
                state.apply(Op::Erase(base + drain(i, count)));
            }
        }
    }
}

#[test]
fn filled_and_drained() {
    fill_and_drain::<TinyGaps>(1 << 40, 40);
    fill_and_drain::<SmallGaps>(1 << 40, 60);
    fill_and_drain::<WideGaps>(1 << 40, 100);
}
