//! A flush timer gives back n ranges in one go; what does an allocation take meanwhile, on another processor? By the time
//! of day, so waiting counts.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::measure::Lap;
use crate::processors::stay_on;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::Convoy;
use crate::subjects::cached::CachedConvoy;
#[cfg(feature = "kernel")]
use crate::subjects::kernel::{KernelIovaMaple, KernelSharedCached};

const LAST: u64 = (1 << 36) - 1;

/// More than caches hold by default.
const SIZE: u64 = 64;

macro_rules! row {
    ($name:literal, $work:ident, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [
                CachedConvoy,
                #[cfg(feature = "kernel")]
                KernelSharedCached,
                #[cfg(feature = "kernel")]
                KernelIovaMaple,
            ]),
        }
    };
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row!("convoy", median, "free and allocate 64 pages while n pages are given back: the median"),
        row!("convoy-worst", worst, "the same: the slowest"),
    ]
}

fn median<D: Convoy + 'static>(setup: &Setup) -> Laps {
    convoy::<D>(setup, |times| times[times.len() / 2])
}

fn worst<D: Convoy + 'static>(setup: &Setup) -> Laps {
    convoy::<D>(setup, |times| times[times.len() - 1])
}

/// `choose` picks one of the times, which are in order.
fn convoy<D: Convoy + 'static>(setup: &Setup, choose: fn(&[u64]) -> u64) -> Laps {
    let n = setup.n;
    Box::new(move || {
        D::enter(0, true);
        let domain = D::new(LAST, n);
        let (ready, done) = (Barrier::new(2), AtomicBool::new(false));
        let times = thread::scope(|scope| {
            let allocating = scope.spawn(|| {
                stay_on(1);
                D::enter(1, true);
                domain.pair(SIZE);
                let mut times = Vec::with_capacity(1 << 16);
                ready.wait();
                while times.is_empty() || !done.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    domain.pair(SIZE);
                    times.push(start.elapsed().as_nanos() as u64);
                }
                times
            });
            scope.spawn(|| {
                stay_on(0);
                D::enter(0, true);
                ready.wait();
                domain.give_back();
                done.store(true, Ordering::Relaxed);
            });
            let mut times = allocating.join().expect("the thread does not panic");
            times.sort_unstable();
            times
        });
        D::enter(0, false);
        drop(domain);
        Lap { value: choose(&times) as f64, operations: times.len(), ..Lap::default() }
    })
}
