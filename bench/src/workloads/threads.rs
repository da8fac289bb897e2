//! Two threads that free and allocate in one domain. This one is measured by the time of day.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::measure::Lap;
use crate::numbers::Numbers;
use crate::processors::stay_on;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::SharedDomain;
use crate::subjects::cached::{SharedCached, SharedUncached};
use crate::subjects::domain::Shared;
#[cfg(feature = "kernel")]
use crate::subjects::kernel::{KernelIovaMaple, KernelShared, KernelSharedCached};

const LAST: u64 = (1 << 36) - 1;

/// How many pairs a thread does before the clock runs, at most.
const AGEING: usize = 50_000;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "threads-2",
            what: "free a random page and allocate one, by two threads in one domain (time of day)",
            unit: Unit::Nanoseconds,
            entrants: entrants!(pairs [
                Shared,
                SharedUncached,
                #[cfg(feature = "kernel")]
                KernelShared,
                #[cfg(feature = "kernel")]
                KernelIovaMaple,
            ]),
        },
        Row {
            name: "threads-2-cached",
            what: "the same with caches for each",
            unit: Unit::Nanoseconds,
            entrants: entrants!(pairs [
                SharedCached,
                #[cfg(feature = "kernel")]
                KernelSharedCached,
            ]),
        },
    ]
}

fn pairs<D: SharedDomain + 'static>(setup: &Setup) -> Laps {
    let Setup { n, operations, seed } = *setup;
    Box::new(move || {
        let domain = D::new(LAST);
        let barrier = Barrier::new(2);
        let work = |thread: u32| {
            stay_on(thread as usize);
            D::enter(thread, true);
            let mut numbers = Numbers::new(seed + u64::from(thread));
            let mut live: Vec<D::Range> =
                (0..n / 2).map(|_| domain.allocate(1).expect("there is space")).collect();
            let mut pair = || {
                let victim = numbers.below(live.len());
                domain.free(live[victim]);
                live[victim] = domain.allocate(1).expect("there is space");
            };
            // Free pages get scattered, however few operations a lap has.
            (0..AGEING.min(2 * n)).for_each(|_| pair());
            barrier.wait();
            let start = Instant::now();
            (0..operations).for_each(|_| pair());
            let time = start.elapsed();
            barrier.wait();
            live.into_iter().for_each(|range| domain.free(range));
            time
        };
        let times = thread::scope(|scope| {
            let threads = [0, 1].map(|thread| scope.spawn(move || work(thread)));
            threads.map(|thread| thread.join().expect("no thread panics"))
        });
        D::enter(0, false);
        let nanos = times.iter().max().map_or(0, std::time::Duration::as_nanos);
        // Both threads' pairs in the time of the slower one.
        let value = nanos as f64 / (2 * operations) as f64;
        Lap { value, operations: 2 * operations, ..Lap::default() }
    })
}
