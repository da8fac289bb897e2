//! Looking things up, going over them, and changing values.

use super::data::{filled, inside, range, value};
use crate::measure::Clock;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::RangeMap;
#[cfg(feature = "kernel")]
use crate::subjects::kernel::KernelMaple;
use crate::subjects::{
    btree::BTree,
    iset::Iset,
    maple::{Maple, MapleNoGaps, MapleOnMalloc},
    nodit::Nodit,
    rangemap::Rangemap,
};

macro_rules! row {
    ($name:literal, $work:ident, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [
                Maple,
                MapleOnMalloc,
                MapleNoGaps,
                #[cfg(feature = "kernel")]
                KernelMaple,
                BTree,
                Rangemap,
                Nodit,
                Iset,
            ]),
        }
    };
}
pub(super) use row;

/// Those that lend a place to walk from, in both directions.
macro_rules! walk_row {
    ($name:literal, $work:ident, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [
                Maple,
                MapleNoGaps,
                #[cfg(feature = "kernel")]
                KernelMaple,
                BTree,
                Rangemap,
                Nodit,
            ]),
        }
    };
}

pub fn rows() -> Vec<Row> {
    vec![
        row!("lookup", lookup, "get the value at a random index; one does not wait for the other"),
        row!("lookup-dependent", lookup_dependent, "get at an index that follows from the last value"),
        row!("iterate", iterate, "one range of a pass over all, in order"),
        walk_row!("cursor-next", next, "go to a random range with a cursor, and to the next one"),
        walk_row!("cursor-prev", prev, "go to a random range with a cursor, and to the one before"),
        walk_row!("cursor-walk-next", walk_next, "one of 32 steps of a cursor to the next range"),
        walk_row!("cursor-walk-prev", walk_prev, "one of 32 steps of a cursor to the range before"),
        row!("overwrite", overwrite, "store over a random range that is there, exactly"),
        row!("replace", replace, "change the value at a random index"),
    ]
}

fn lookup<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let map: M = filled(n, seed);
    Box::new(move || {
        let mut clock = Clock::default();
        let sum = clock.time(|| {
            let mut numbers = Numbers::new(seed);
            (0..operations).fold(0_u64, |sum, _| {
                let index = inside(numbers.below(n) as u64);
                sum.wrapping_add(map.get(index).map_or(0, |value| value as u64))
            })
        });
        clock.lap(operations, sum)
    })
}

fn lookup_dependent<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let map: M = filled(n, seed);
    Box::new(move || {
        let mut clock = Clock::default();
        let sum = clock.time(|| {
            let mut numbers = Numbers::new(seed);
            for _ in 0..operations {
                let index = inside(numbers.below(n) as u64);
                numbers.absorb(map.get(index).map_or(0, |value| value as u64));
            }
            numbers.draw()
        });
        clock.lap(operations, sum)
    })
}

fn iterate<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let map: M = filled(n, seed);
    let rounds = operations.div_ceil(n);
    Box::new(move || {
        let mut clock = Clock::default();
        let sum = clock.time(|| (0..rounds).fold(0, |sum: u64, _| sum.wrapping_add(map.sum())));
        clock.lap(rounds * n, sum)
    })
}

/// How far the longer walks go.
const STEPS: usize = 32;

fn next<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    walk::<M>(setup, 1, false)
}

fn prev<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    walk::<M>(setup, 1, true)
}

fn walk_next<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    walk::<M>(setup, STEPS, false)
}

fn walk_prev<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    walk::<M>(setup, STEPS, true)
}

/// From random places, so many steps each; there are always so many ranges to go to, if `n` is larger than that.
fn walk<M: RangeMap + 'static>(setup: &Setup, steps: usize, back: bool) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let map: M = filled(n, seed);
    let (walks, places) = (operations.div_ceil(steps), n.saturating_sub(steps).max(1));
    Box::new(move || {
        let mut clock = Clock::default();
        let sum = clock.time(|| {
            let mut numbers = Numbers::new(seed);
            (0..walks).fold(0_u64, |sum, _| {
                let number = numbers.below(places);
                let number = if back { n - 1 - number } else { number };
                sum.wrapping_add(map.walk(inside(number as u64), steps, back))
            })
        });
        clock.lap(walks * steps, sum)
    })
}

fn overwrite<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let mut map: M = filled(n, seed);
    Box::new(move || {
        let mut clock = Clock::default();
        clock.time(|| {
            let mut numbers = Numbers::new(seed);
            for _ in 0..operations {
                let number = numbers.below(n) as u64;
                let (first, last) = range(number);
                map.store(first, last, value(number + operations as u64));
            }
        });
        clock.lap(operations, map.sum())
    })
}

fn replace<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let mut map: M = filled(n, seed);
    Box::new(move || {
        let mut clock = Clock::default();
        let done = clock.time(|| {
            let mut numbers = Numbers::new(seed);
            (0..operations)
                .filter(|_| {
                    let number = numbers.below(n) as u64;
                    map.replace(inside(number), value(number + operations as u64))
                })
                .count()
        });
        clock.lap(operations, map.sum().wrapping_add(done as u64))
    })
}
