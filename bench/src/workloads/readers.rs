//! Readers of a map that threads share, alone and beside a writer. Measured by the time of day.
//!
//! Readers get values at random indices. The writer erases a random range and inserts another one that begins there as
//! well, of another length, so that a tree which could put the very same range back in place has to do more.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::data::{inside, range, value};
use crate::measure::Lap;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::SharedMap;
#[cfg(feature = "kernel")]
use crate::subjects::kernel::KernelMapleRcu;
use crate::subjects::{
    arc_swap::Swapped,
    btree::BTree,
    maple::MapleOnMalloc,
    rw_lock::Locked,
    scc::SccTree,
    shared::{SharedEpochs, SharedGlobal},
    skiplist::SkipList,
};

/// How many lookups a reader does at a time in the rows named `-batch`.
const BATCH: usize = 64;

/// How long the writer sleeps between two pairs in the rows named `-pausing-writer`.
const PAUSE: Duration = Duration::from_micros(100);

/// Who takes part.
#[derive(Clone, Copy)]
struct Cast {
    readers: usize,
    /// How many lookups a reader does before it says that it is gone.
    batch: usize,
    /// How long the writer waits after each pair, if there is a writer.
    writer: Option<Duration>,
}

macro_rules! rows {
    ($($name:literal, $what:literal, $work:ident: $readers:literal, $batch:expr, $writer:expr;)+) => {
        $(
            fn $work<M: SharedMap + 'static>(setup: &Setup) -> Laps {
                laps::<M>(setup, Cast { readers: $readers, batch: $batch, writer: $writer })
            }
        )+

        pub fn rows() -> Vec<Row> {
            vec![$(Row {
                name: $name,
                what: concat!("get the value at a random index: ", $what, " (time of day)"),
                unit: Unit::Nanoseconds,
                entrants: entrants!($work [
                    SharedGlobal,
                    SharedEpochs,
                    #[cfg(feature = "kernel")]
                    KernelMapleRcu,
                    Locked<BTree>,
                    Locked<MapleOnMalloc>,
                    SkipList,
                    SccTree,
                    Swapped,
                ]),
            }),+]
        }
    };
}

rows! {
    "read-1", "one reader", one: 1, 1, None;
    "read-1-batch", "one reader, 64 at a time", one_batch: 1, BATCH, None;
    "read-1-writer", "one reader and a writer", one_writer: 1, 1, Some(Duration::ZERO);
    "read-1-batch-writer", "one reader, 64 at a time, and a writer",
        one_batch_writer: 1, BATCH, Some(Duration::ZERO);
    "read-1-pausing-writer", "one reader and a writer that pauses", one_pausing: 1, 1, Some(PAUSE);
    "read-2", "two readers", two: 2, 1, None;
    "read-2-batch", "two readers, 64 at a time", two_batch: 2, BATCH, None;
    "read-2-writer", "two readers and a writer", two_writer: 2, 1, Some(Duration::ZERO);
    "read-2-batch-writer", "two readers, 64 at a time, and a writer",
        two_batch_writer: 2, BATCH, Some(Duration::ZERO);
    "read-2-pausing-writer", "two readers and a writer that pauses", two_pausing: 2, 1, Some(PAUSE);
}

fn laps<M: SharedMap + 'static>(setup: &Setup, cast: Cast) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let mut map = M::new();
    map.fill((0..n as u64).map(|number| entry(number, range(number).1)));
    let map = Arc::new(map);
    let mut lasts: Vec<u64> = (0..n as u64).map(|number| range(number).1).collect();
    let mut writes = Numbers::new(!seed);
    Box::new(move || {
        let barrier = Barrier::new(cast.readers + usize::from(cast.writer.is_some()));
        let done = AtomicBool::new(false);
        let refused = map.refused();
        let (lasts, writes) = (&mut lasts, &mut writes);
        thread::scope(|scope| {
            let writer = cast.writer.map(|pause| {
                let (map, barrier, done) = (&*map, &barrier, &done);
                scope.spawn(move || {
                    barrier.wait();
                    let (start, mut pairs) = (Instant::now(), 0_usize);
                    while pairs == 0 || !done.load(Ordering::Relaxed) {
                        write(map, lasts, writes);
                        pairs += 1;
                        if !pause.is_zero() {
                            thread::sleep(pause);
                        }
                    }
                    start.elapsed().as_nanos() as f64 / pairs as f64
                })
            });
            let readers: Vec<_> = (0..cast.readers as u64)
                .map(|reader| {
                    let (map, barrier) = (&*map, &barrier);
                    scope.spawn(move || {
                        let mut numbers = Numbers::new(seed + reader);
                        look_up(map, n, BATCH, cast.batch, &mut numbers);
                        barrier.wait();
                        let start = Instant::now();
                        let found = look_up(map, n, operations, cast.batch, &mut numbers);
                        (start.elapsed(), found)
                    })
                })
                .collect();
            let read: Vec<_> =
                readers.into_iter().map(|reader| reader.join().expect("no reader panics")).collect();
            done.store(true, Ordering::Relaxed);
            let slowest = read.iter().map(|(time, _)| time.as_nanos()).max().unwrap_or(0);
            let found = read.iter().map(|(_, found)| found).sum();
            Lap {
                value: slowest as f64 / operations as f64,
                operations,
                // Beside a writer it is chance what is there.
                check: if cast.writer.is_some() { 0 } else { found },
                writer: writer.map(|writer| writer.join().expect("the writer does not panic")),
                refused: map.refused() - refused,
                ..Lap::default()
            }
        })
    })
}

/// How many of so many lookups found something; what they find must be right.
#[inline(never)]
fn look_up<M: SharedMap>(map: &M, n: usize, operations: usize, batch: usize, numbers: &mut Numbers) -> u64 {
    let mut found = 0;
    for _ in 0..operations / batch {
        let reader = map.read(batch > 1);
        for _ in 0..batch {
            let number = numbers.below(n) as u64;
            if let Some(there) = black_box(M::get(&reader, inside(number))) {
                assert_eq!(there, value(number), "the value of another range");
                found += 1;
            }
        }
    }
    found
}

/// Erases a random range and inserts it with another length.
fn write<M: SharedMap>(map: &M, lasts: &mut [u64], numbers: &mut Numbers) {
    let number = numbers.below(lasts.len());
    let last = inside(number as u64) + numbers.below(32) as u64;
    let (first, last, value) = entry(number as u64, last);
    map.erase(first, lasts[number]);
    map.insert(first, last, value);
    lasts[number] = last;
}

fn entry(number: u64, last: u64) -> (u64, u64, usize) {
    (range(number).0, last, value(number))
}
