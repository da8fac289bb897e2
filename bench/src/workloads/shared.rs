//! What it costs a writer that there might be readers: the shared mode beside the exclusive one. One thread, no readers.

use super::data::{filled, range, value};
use super::pair::{any, natural};
use super::write::{erase_random, insert_random, insert_sequential};
use crate::measure::Clock;
use crate::numbers::Numbers;
use crate::row::{Entrant, Laps, Row, Setup, Unit, entrants};
use crate::subject::{Alone, RangeMap, Subject};
use crate::subjects::{
    arc_swap::Swapped, btree::BTree, maple::Maple, rw_lock::Locked, scc::SccTree, shared::SharedGlobal,
    skiplist::SkipList,
};

macro_rules! map_row {
    ($name:literal, $work:ident, $what:literal) => {
        row($name, $what, entrants!($work [
            Alone<SharedGlobal>,
            Maple,
            Alone<Locked<BTree>>,
            Alone<SkipList>,
            Alone<SccTree>,
            Alone<Swapped>,
        ]))
    };
}

macro_rules! pair_row {
    ($name:literal, $work:ident, $what:literal) => {
        row($name, $what, entrants!($work [SharedGlobal, Maple]))
    };
}

pub fn rows() -> Vec<Row> {
    vec![
        map_row!("shared-insert-sequential", insert_sequential, "as insert-sequential, in shared mode"),
        map_row!("shared-insert-random", insert_random, "as insert-random, in shared mode"),
        map_row!("shared-erase-random", erase_random, "as erase-random, in shared mode"),
        map_row!("shared-again", again, "erase a random range and insert it again, in shared mode"),
        pair_row!("shared-pair-natural", natural, "as pair-natural, in shared mode"),
        pair_row!("shared-pair-any", any, "as pair-any, in shared mode"),
    ]
}

/// The shared tree is what others are compared with here, also the tree of one owner.
fn row(name: &'static str, what: &'static str, entrants: Vec<Entrant>) -> Row {
    let ours = |entrant: Entrant| Entrant { ours: entrant.subject == SharedGlobal::NAME, ..entrant };
    Row { name, what, unit: Unit::Nanoseconds, entrants: entrants.into_iter().map(ours).collect() }
}

fn again<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let mut map: M = filled(n, seed);
    Box::new(move || {
        let mut clock = Clock::default();
        clock.time(|| {
            let mut numbers = Numbers::new(seed);
            for _ in 0..operations {
                let number = numbers.below(n) as u64;
                let (first, last) = range(number);
                map.erase(first, last);
                map.insert(first, last, value(number));
            }
        });
        clock.lap(operations, map.sum())
    })
}
