//! Clocks, laps, and what becomes of them.

use std::hint::black_box;
use std::sync::LazyLock;

use rustix::time::{ClockId, clock_gettime};

use crate::memory;

/// One measurement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lap {
    /// Nanoseconds per operation, or bytes per range.
    pub value: f64,
    /// What came out of the operations: the same for all subjects that do the same work.
    pub check: u64,
    /// How many operations it had; 0 where nothing is timed.
    pub operations: usize,
    /// Calls to an allocator per operation.
    pub allocations: f64,
    /// Nodes of our trees that an operation looked at, on average; 0 without the feature `visits`.
    pub visits: f64,
    /// Operations that the subject refused.
    pub refused: u64,
    /// Nanoseconds per operation of a writer that was there beside what is measured.
    pub writer: Option<f64>,
}

/// Adds up the time that this thread was running. Other programs on the machine disturb that less than the time of day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    nanos: i64,
    allocations: u64,
    visits: u64,
}

impl Clock {
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let calls = memory::calls();
        take_visits();
        let start = now();
        let done = counted(work);
        self.nanos += now() - start - *COST;
        self.visits += take_visits();
        self.allocations += memory::calls() - calls;
        done
    }

    /// The lap, of so many operations.
    pub fn lap(self, operations: usize, check: u64) -> Lap {
        Lap {
            value: self.nanos.max(0) as f64 / operations as f64,
            check,
            operations,
            allocations: self.allocations as f64 / operations as f64,
            visits: self.visits as f64 / operations as f64,
            ..Lap::default()
        }
    }
}

/// What is timed, in a function of its own, so that `--instructions` can tell it from what is not.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Nodes of our trees that this thread looked at since the last call, if these are counted.
fn take_visits() -> u64 {
    #[cfg(feature = "visits")]
    return maple_tree::visits::take();
    #[cfg(not(feature = "visits"))]
    0
}

/// What reading the clock twice adds to the time.
static COST: LazyLock<i64> = LazyLock::new(|| {
    let cost = (0..1000).map(|_| {
        let start = now();
        now() - start
    });
    cost.min().unwrap_or(0)
});

fn now() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// What several laps say.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    /// How many operations a lap had.
    pub operations: usize,
    /// The fewest that a lap had, since the first ones may include what is done only once.
    pub allocations: f64,
    /// Operations that were refused in one lap, at most.
    pub refused: u64,
    /// The median of what an operation of a writer took, if there was one.
    pub writer: Option<f64>,
}

impl Summary {
    pub fn of(laps: &[Lap]) -> Option<Self> {
        let (least, median, most) = spread(laps.iter().map(|lap| lap.value).collect())?;
        Some(Self {
            median,
            least,
            most,
            operations: laps.first()?.operations,
            allocations: laps.iter().map(|lap| lap.allocations).fold(f64::INFINITY, f64::min),
            refused: laps.iter().map(|lap| lap.refused).max()?,
            writer: spread(laps.iter().filter_map(|lap| lap.writer).collect()).map(|(_, median, _)| median),
        })
    }
}

/// The least, the median and the most.
fn spread(mut values: Vec<f64>) -> Option<(f64, f64, f64)> {
    values.sort_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let median = if even { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] };
    Some((least, median, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laps(values: &[f64]) -> Vec<Lap> {
        values.iter().map(|&value| Lap { value, allocations: 1.0, ..Lap::default() }).collect()
    }

    #[test]
    fn medians_of_odd_and_even_counts() {
        let summary = Summary::of(&laps(&[3.0, 1.0, 2.0])).unwrap();
        assert_eq!((summary.median, summary.least, summary.most), (2.0, 1.0, 3.0));
        assert_eq!(Summary::of(&laps(&[4.0, 1.0, 2.0, 3.0])).unwrap().median, 2.5);
        assert!(Summary::of(&[]).is_none());
    }

    #[test]
    fn a_clock_counts_time_and_allocations() {
        let mut clock = Clock::default();
        let boxes: Vec<Box<u8>> = clock.time(|| (0..1000).map(|_| Box::new(1)).collect());
        let lap = clock.lap(boxes.len(), 0);
        assert!(lap.value > 0.0);
        assert_eq!(lap.allocations, 1001.0 / 1000.0);
    }
}
