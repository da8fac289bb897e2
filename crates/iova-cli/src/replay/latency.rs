//! How long operations take.

use std::time::Instant;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// The latencies of one kind of operation, in nanoseconds; none if there was no such operation.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) count: u64,
    pub(crate) mean: Option<f64>,
    pub(crate) p50: Option<u64>,
    pub(crate) p90: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) p999: Option<u64>,
    pub(crate) max: Option<u64>,
}

/// Collects latencies of allocations and of frees.
#[derive(Debug)]
pub(crate) struct Latencies {
    allocate: Histogram<u64>,
    free: Histogram<u64>,
    clock: u64,
}

impl Latencies {
    pub(crate) fn new() -> Result<Self> {
        // Three digits, up to a minute; what takes longer counts as a minute.
        let histogram = || Histogram::new_with_max(60_000_000_000, 3);
        Ok(Self { allocate: histogram()?, free: histogram()?, clock: clock_cost() })
    }

    /// Times an allocation.
    pub(crate) fn allocate<R>(&mut self, operation: impl FnOnce() -> R) -> R {
        timed(&mut self.allocate, operation)
    }

    /// Times a free.
    pub(crate) fn free<R>(&mut self, operation: impl FnOnce() -> R) -> R {
        timed(&mut self.free, operation)
    }

    pub(crate) fn of_allocate(&self) -> Latency {
        percentiles(&self.allocate)
    }

    pub(crate) fn of_free(&self) -> Latency {
        percentiles(&self.free)
    }

    /// What measuring adds to each figure: the shortest distance of two looks at the clock.
    pub(crate) fn clock_cost_ns(&self) -> u64 {
        self.clock
    }
}

fn timed<R>(histogram: &mut Histogram<u64>, operation: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = operation();
    let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    histogram.saturating_record(nanoseconds);
    result
}

fn clock_cost() -> u64 {
    let look = || u64::try_from(Instant::now().elapsed().as_nanos()).unwrap_or(u64::MAX);
    (0..1000).map(|_| look()).min().unwrap_or(0)
}

fn percentiles(histogram: &Histogram<u64>) -> Latency {
    let any = !histogram.is_empty();
    let at = |quantile| any.then(|| histogram.value_at_quantile(quantile));
    Latency {
        count: histogram.len(),
        mean: any.then(|| histogram.mean()),
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: any.then(|| histogram.max()),
    }
}

#[cfg(test)]
mod tests;
