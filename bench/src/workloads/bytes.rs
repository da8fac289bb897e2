//! Memory per range.

use super::data::insert_all;
use super::pair::{Random, any_size};
use crate::measure::Lap;
use crate::memory;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::{Allocator, RangeMap};
#[cfg(feature = "kernel")]
use crate::subjects::kernel::{KernelIova, KernelIovaMaple, KernelMaple};
use crate::subjects::{
    btree::BTree,
    iset::Iset,
    maple::{Maple, MapleNoGaps, MapleOnMalloc},
    nodit::Nodit,
    offset_allocator::OffsetAllocator,
    range_alloc::RangeAlloc,
    rangemap::Rangemap,
    vm_allocator::VmAllocator,
};

macro_rules! row {
    ($name:literal, $work:ident, $what:literal) => {
        Row { unit: Unit::Bytes, ..super::map::row!($name, $work, $what) }
    };
}

pub fn rows() -> Vec<Row> {
    vec![
        row!("bytes-sequential", sequential, "memory of a map that was filled upwards, values included"),
        row!("bytes-random", random, "memory of a map that was filled in random order, values included"),
        Row {
            name: "bytes-steady",
            what: "memory of an allocator after many pairs of pair-any",
            unit: Unit::Bytes,
            entrants: entrants!(steady [
                Maple,
                #[cfg(feature = "kernel")]
                KernelMaple,
                #[cfg(feature = "kernel")]
                KernelIova,
                #[cfg(feature = "kernel")]
                KernelIovaMaple,
                VmAllocator,
                RangeAlloc,
                OffsetAllocator,
            ]),
        },
    ]
}

fn sequential<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    map::<M>(&(0..setup.n as u32).collect::<Vec<_>>())
}

fn random<M: RangeMap + 'static>(setup: &Setup) -> Laps {
    map::<M>(&Numbers::new(setup.seed).order(setup.n))
}

fn map<M: RangeMap + 'static>(order: &[u32]) -> Laps {
    // The order is not the map's memory: it is there before and after.
    once(order.len(), || {
        let mut map = M::new();
        insert_all(&mut map, order);
        map
    })
}

fn steady<A: Allocator + 'static>(setup: &Setup) -> Laps {
    let setup = *setup;
    // The workload's own list of live ranges is not the allocator's memory.
    let list = (setup.n * size_of::<A::Range>()) as i64;
    let mut laps = once(setup.n, move || Random::<A>::aged(&setup, false, any_size));
    Box::new(move || {
        let lap = laps();
        Lap { value: lap.value - list as f64 / setup.n as f64, ..lap }
    })
}

/// The same number comes out each time, so it is built once.
fn once<T>(n: usize, build: impl FnOnce() -> T) -> Laps {
    let before = memory::live_bytes();
    let built = build();
    let bytes = memory::live_bytes() - before;
    drop(built);
    let lap = Lap { value: bytes as f64 / n as f64, ..Lap::default() };
    Box::new(move || lap)
}
