//! How long a cache line takes to another thread and back: what decides how much a reader pays for what a writer changes.

use std::hint::spin_loop;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::processors::stay_on;

/// How many trips are timed together.
const TRIPS: u64 = 256;

/// How long the machine is watched: where a system runs its threads, and another one below it, may change.
const TIME: Duration = Duration::from_secs(5);

/// Prints how long a trip there and back took, in nanoseconds: quantiles of many measurements.
///
/// # Errors
///
/// Those of writing.
pub fn round_trips(out: &mut impl Write) -> Result<()> {
    let mut trips = watch(TIME);
    trips.sort_by(f64::total_cmp);
    let last = trips.len() - 1;
    let [least, quarter, median, three, nine] =
        [0, 25, 50, 75, 90].map(|percent| trips[last * percent / 100]);
    writeln!(
        out,
        "a cache line to another thread and back, in ns: {least:.0} at least, {median:.0} in the median, \
         {quarter:.0} to {three:.0} for half of them, {nine:.0} for nine of ten"
    )?;
    Ok(())
}

/// A line that two threads give to each other: odd numbers go there, even ones come back.
#[repr(align(128))]
struct Ball(AtomicU64);

const END: u64 = u64::MAX;

/// The time of a trip, once or more often.
fn watch(time: Duration) -> Vec<f64> {
    let ball = Ball(AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            stay_on(1);
            loop {
                match ball.0.load(Ordering::Acquire) {
                    END => return,
                    number if number % 2 == 1 => ball.0.store(number + 1, Ordering::Release),
                    _ => spin_loop(),
                }
            }
        });
        let thrower = scope.spawn(|| {
            stay_on(0);
            let trips = throw(&ball, time);
            ball.0.store(END, Ordering::Release);
            trips
        });
        thrower.join().expect("it does not panic")
    })
}

fn throw(ball: &Ball, time: Duration) -> Vec<f64> {
    let begin = Instant::now();
    let mut trips = Vec::new();
    let mut number = 0;
    while trips.is_empty() || begin.elapsed() < time {
        let start = Instant::now();
        for _ in 0..TRIPS {
            ball.0.store(number + 1, Ordering::Release);
            number += 2;
            while ball.0.load(Ordering::Acquire) != number {
                spin_loop();
            }
        }
        trips.push(start.elapsed().as_nanos() as f64 / TRIPS as f64);
    }
    trips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trip_takes_time() {
        assert!(watch(Duration::ZERO).iter().all(|&trip| trip > 0.0));
    }
}
