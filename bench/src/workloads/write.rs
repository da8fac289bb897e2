//! Building a map up and taking it down.

use std::mem::replace;

use super::data::{insert_all, range};
use super::map::row;
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

pub fn rows() -> Vec<Row> {
    vec![
        row!("insert-sequential", insert_sequential, "one of n insertions into an empty map, upwards"),
        row!("insert-random", insert_random, "one of n insertions into an empty map, in random order"),
        row!("erase-random", erase_random, "one of n removals, in random order, until nothing is left"),
    ]
}

pub fn insert_sequential<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    insert::<M>(setup, (0..setup.n as u32).collect())
}

pub fn insert_random<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    insert::<M>(setup, Numbers::new(setup.seed).order(setup.n))
}

fn insert<M: RangeMap + 'static>(setup: &Setup, order: Vec<u32>) -> Laps {
    let rounds = setup.operations.div_ceil(setup.n);
    Box::new(move || {
        let mut clock = Clock::default();
        let mut map = M::new();
        for _ in 0..rounds {
            // What is dropped here is not timed.
            drop(replace(&mut map, M::new()));
            clock.time(|| insert_all(&mut map, &order));
        }
        clock.lap(rounds * order.len(), map.sum())
    })
}

pub fn erase_random<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let mut numbers = Numbers::new(setup.seed);
    let (insertions, removals) = (numbers.order(setup.n), numbers.order(setup.n));
    let rounds = setup.operations.div_ceil(setup.n);
    let mut map = M::new();
    Box::new(move || {
        let mut clock = Clock::default();
        let mut check = 0;
        for _ in 0..rounds {
            insert_all(&mut map, &insertions);
            check ^= map.sum();
            clock.time(|| {
                for &number in &removals {
                    let (first, last) = range(number.into());
                    map.erase(first, last);
                }
            });
        }
        clock.lap(rounds * removals.len(), check ^ map.sum())
    })
}
