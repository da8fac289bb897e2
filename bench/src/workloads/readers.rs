//! Readers of a map that threads share, alone and beside a writer. Measured by the time of day, in pieces: a lap's number is
//! that of its median piece, so that a thread which other programs keep from running does not count. Each thread has a
//! processor, as far as there are enough.
//!
//! Readers get values at random indices. The writer erases a random range and inserts another one that begins there as
//! well, of another length, so that a tree which could put the very same range back in place has to do more.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::data::{inside, range, value};
use crate::measure::Lap;
use crate::numbers::Numbers;
use crate::processors::stay_on;
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

/// How many lookups are timed together, at most. It takes much less time than a thread has before another one gets its turn.
const PIECE: usize = 1024;

/// How many times as many pieces a reader does at most, to be beside a writer who writes.
const PATIENCE: usize = 16;

/// How long the writer sleeps between two pairs in the rows named `-pausing-writer`.
const PAUSE: Duration = Duration::from_micros(100);

/// Who takes part.
#[derive(Clone, Copy)]
struct Cast {
    readers: usize,
    /// How many lookups a reader does before it says that it is gone.
    batch: usize,
    writer: Writer,
}

/// What is done beside the readers.
#[derive(Clone, Copy)]
enum Writer {
    None,
    /// Pairs in the readers' map, with this pause after each.
    Here(Duration),
    /// Pairs without a pause in another map of as many ranges: what a writer costs of whom no reader reads anything.
    Elsewhere,
}

impl Writer {
    const BUSY: Self = Self::Here(Duration::ZERO);
    const PAUSING: Self = Self::Here(PAUSE);

    fn is_there(self) -> bool {
        !matches!(self, Self::None)
    }

    /// Whether it works all the time, unless other programs keep it from that.
    fn is_busy(self) -> bool {
        self.is_there() && self.pause().is_none()
    }

    fn pause(self) -> Option<Duration> {
        match self {
            Self::Here(pause) if !pause.is_zero() => Some(pause),
            _ => None,
        }
    }
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
    "read-1", "one reader", one: 1, 1, Writer::None;
    "read-1-batch", "one reader, 64 at a time", one_batch: 1, BATCH, Writer::None;
    "read-1-writer", "one reader and a writer", one_writer: 1, 1, Writer::BUSY;
    "read-1-batch-writer", "one reader, 64 at a time, and a writer",
        one_batch_writer: 1, BATCH, Writer::BUSY;
    "read-1-other-writer", "one reader and a writer of another map", one_other: 1, 1, Writer::Elsewhere;
    "read-1-pausing-writer", "one reader and a writer that pauses", one_pausing: 1, 1, Writer::PAUSING;
    "read-2", "two readers", two: 2, 1, Writer::None;
    "read-2-batch", "two readers, 64 at a time", two_batch: 2, BATCH, Writer::None;
    "read-2-writer", "two readers and a writer", two_writer: 2, 1, Writer::BUSY;
    "read-2-batch-writer", "two readers, 64 at a time, and a writer",
        two_batch_writer: 2, BATCH, Writer::BUSY;
    "read-2-pausing-writer", "two readers and a writer that pauses", two_pausing: 2, 1, Writer::PAUSING;
}

fn laps<M: SharedMap + 'static>(setup: &Setup, cast: Cast) -> Laps {
    let Setup { n, operations, seed } = *setup;
    let map = Arc::new(filled::<M>(n));
    let written = if let Writer::Elsewhere = cast.writer { Arc::new(filled(n)) } else { Arc::clone(&map) };
    let mut lasts: Vec<u64> = (0..n as u64).map(|number| range(number).1).collect();
    let mut writes = Numbers::new(!seed);
    Box::new(move || {
        let barrier = Barrier::new(cast.readers + usize::from(cast.writer.is_there()));
        let done = AtomicBool::new(false);
        // How many pairs the writer has done.
        let pairs = AtomicUsize::new(0);
        let refused = written.refused();
        let (lasts, writes) = (&mut lasts, &mut writes);
        thread::scope(|scope| {
            let writer = cast.writer.is_there().then(|| {
                let (map, barrier, done, pairs) = (&*written, &barrier, &done, &pairs);
                scope.spawn(move || {
                    stay_on(cast.readers);
                    barrier.wait();
                    let (start, mut count) = (Instant::now(), 0_usize);
                    while count == 0 || !done.load(Ordering::Relaxed) {
                        write(map, lasts, writes);
                        count += 1;
                        pairs.store(count, Ordering::Relaxed);
                        if let Some(pause) = cast.writer.pause() {
                            thread::sleep(pause);
                        }
                    }
                    start.elapsed().as_nanos() as f64 / count as f64
                })
            });
            let readers: Vec<_> = (0..cast.readers as u64)
                .map(|reader| {
                    let (map, barrier, pairs) = (&*map, &barrier, &pairs);
                    scope.spawn(move || {
                        stay_on(reader as usize);
                        let mut numbers = Numbers::new(seed + reader);
                        look_up(map, n, BATCH, cast.batch, &mut numbers);
                        barrier.wait();
                        let piece = operations.min(PIECE);
                        let wanted = operations / piece;
                        let (mut times, mut found) = (Vec::with_capacity(wanted), 0);
                        let mut beside_writes = 0;
                        // More if the writer was kept from writing.
                        while times.len() < wanted
                            || cast.writer.is_busy()
                                && beside_writes < wanted
                                && times.len() < PATIENCE * wanted
                        {
                            let (before, start) = (pairs.load(Ordering::Relaxed), Instant::now());
                            found += look_up(map, n, piece, cast.batch, &mut numbers);
                            let time = start.elapsed().as_nanos() as f64 / piece as f64;
                            let written = pairs.load(Ordering::Relaxed) != before;
                            beside_writes += usize::from(written);
                            times.push((written, time));
                        }
                        (median(times, cast.writer.is_busy()), found)
                    })
                })
                .collect();
            let read: Vec<_> =
                readers.into_iter().map(|reader| reader.join().expect("no reader panics")).collect();
            done.store(true, Ordering::Relaxed);
            let slowest = read.iter().map(|&(time, _)| time).fold(0.0, f64::max);
            let found = read.iter().map(|(_, found)| found).sum();
            Lap {
                value: slowest,
                operations,
                // Beside a writer it is chance what is there.
                check: if cast.writer.is_there() { 0 } else { found },
                writer: writer.map(|writer| writer.join().expect("the writer does not panic")),
                refused: written.refused() - refused,
                ..Lap::default()
            }
        })
    })
}

/// The median time of the pieces: of those during which the writer wrote, if it is always to write and there is any.
fn median(pieces: Vec<(bool, f64)>, beside_writes: bool) -> f64 {
    let wanted = beside_writes && pieces.iter().any(|&(written, _)| written);
    let mut times: Vec<f64> =
        pieces.into_iter().filter(|&(written, _)| written || !wanted).map(|(_, time)| time).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(0.0)
}

fn filled<M: SharedMap>(n: usize) -> M {
    let mut map = M::new();
    map.fill((0..n as u64).map(|number| entry(number, range(number).1)));
    map
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pieces_beside_writes_count_where_there_are_any() {
        let pieces = |written: [bool; 3]| written.into_iter().zip([1.0, 5.0, 3.0]).collect();
        assert_eq!(median(pieces([true, false, false]), true), 1.0);
        assert_eq!(median(pieces([true, false, false]), false), 3.0);
        assert_eq!(median(pieces([false; 3]), true), 3.0);
        assert_eq!(median(Vec::new(), true), 0.0);
    }
}
