use std::time::Duration;

use super::*;

#[test]
fn each_operation_is_counted_where_it_belongs() {
    let mut latencies = Latencies::new().unwrap();
    assert_eq!(latencies.allocate(|| 1), 1);
    assert_eq!(latencies.allocate(|| 2), 2);
    latencies.free(|| ());
    assert_eq!((latencies.of_allocate().count, latencies.of_free().count), (2, 1));
}

#[test]
fn long_durations_are_not_cut_off() {
    const LONG: Duration = Duration::from_micros(300);
    let mut latencies = Latencies::new().unwrap();
    latencies.free(|| {
        let start = Instant::now();
        while start.elapsed() < LONG {}
    });
    let latency = latencies.of_free();
    assert!(latency.max >= Some(300_000) && latency.p50 >= Some(300_000), "{latency:?}");
    assert!(latency.mean >= Some(299_000.0), "{latency:?}");
}

#[test]
fn what_takes_longer_than_is_recorded_counts_as_the_longest() {
    let mut latencies = Latencies::new().unwrap();
    latencies.free.saturating_record(u64::MAX);
    let latency = latencies.of_free();
    assert!(latency.max.is_some_and(|max| (60_000_000_000..70_000_000_000).contains(&max)), "{latency:?}");
    assert!(latency.p50 >= Some(60_000_000_000), "{latency:?}");
}

#[test]
fn percentiles_are_those_of_the_recorded_durations() {
    let mut histogram = Histogram::new(3).unwrap();
    for nanoseconds in 1..=1000 {
        histogram.record(nanoseconds).unwrap();
    }
    let Latency { count, p50, p90, p99, p999, max, mean } = percentiles(&histogram);
    assert_eq!([Some(count), p50, p90, p99, p999, max], [1000, 500, 900, 990, 999, 1000].map(Some));
    assert!(mean.is_some_and(|mean| (mean - 500.5).abs() < 0.01), "{mean:?}");
}

#[test]
fn no_operations_have_no_latency() {
    let latency = Latencies::new().unwrap().of_allocate();
    assert_eq!((latency.count, latency.max, latency.mean), (0, None, None));
}
