//! One workload as the kernel, `perf script` and `trace-cmd report` print it: all of it has to be read.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its input has to stop")]

mod common;

use std::collections::BTreeMap;

use iova_trace::{EventName, Options, Requests, Source};

/// What each file holds, counted with other tools.
const FILES: &[(&str, &[(EventName, u64)])] = &[
    (
        "ftrace-6.12.117-strict",
        &[
            (EventName::Map, 1152),
            (EventName::Unmap, 690),
            (EventName::DmaMapPage, 817),
            (EventName::DmaUnmapPage, 562),
            (EventName::DmaMapSg, 128),
            (EventName::DmaUnmapSg, 128),
            (EventName::DmaAlloc, 18),
        ],
    ),
    ("ftrace-latency", &[(EventName::Map, 12)]),
    (
        "ftrace-noirqinfo",
        &[(EventName::Map, 21), (EventName::Unmap, 1), (EventName::DmaMapSg, 1), (EventName::DmaUnmapSg, 1)],
    ),
    (
        "perf-script-6.12.117-strict",
        &[
            (EventName::Map, 1072),
            (EventName::Unmap, 53),
            (EventName::DmaMapPage, 4),
            (EventName::DmaUnmapPage, 4),
            (EventName::DmaMapSg, 49),
            (EventName::DmaUnmapSg, 49),
        ],
    ),
    ("perf-script-F", &[(EventName::Map, 20)]),
    (
        "trace-cmd-report-6.12.117-strict",
        &[
            (EventName::Map, 726),
            (EventName::Unmap, 53),
            (EventName::DmaMapPage, 15),
            (EventName::DmaUnmapPage, 15),
            (EventName::DmaMapSg, 38),
            (EventName::DmaUnmapSg, 38),
        ],
    ),
];

#[test]
fn every_line_is_an_event_or_a_header() {
    let mut paths = common::captures("formats");
    for (name, events) in FILES {
        let index = paths.iter().position(|path| common::stem(path) == *name).unwrap();
        let (records, counts) = common::read(&paths.swap_remove(index));
        assert_eq!((counts.malformed, counts.unknown, counts.lost_events), (0, 0, 0), "{name}");
        let expected: BTreeMap<EventName, u64> = events.iter().copied().collect();
        assert_eq!(counts.events, expected, "{name}");
        for record in &records {
            assert!(
                record.cpu.is_some() && record.pid.is_some() && record.time_ns.is_some(),
                "{name}: {record:?}"
            );
        }
        assert!(records.is_sorted_by_key(|record| record.time_ns), "{name}");
    }
    assert!(paths.is_empty(), "not listed above: {paths:?}");
}

/// All unmaps of these captures pair up with maps, printed raw or not, and the page tables tell the same. Only
/// two buffers of a network card were mapped before the tools began to record.
#[test]
fn requests_of_all_forms() {
    for (name, allocations, frees, unmatched) in [
        ("ftrace-6.12.117-strict", 963, 690, 0),
        ("perf-script-6.12.117-strict", 53, 51, 2),
        ("trace-cmd-report-6.12.117-strict", 53, 51, 2),
    ] {
        let path = common::captures("formats").into_iter().find(|path| common::stem(path) == name).unwrap();
        let (records, _) = common::read(&path);
        let dma = Requests::from_records(records.clone(), &Options::default());
        assert_eq!(dma.source, Some(Source::Dma), "{name}");
        assert_eq!((dma.counts.allocations, dma.counts.frees), (allocations, frees), "{name}");
        let counts = &dma.counts;
        assert_eq!((counts.unmatched_frees, counts.replaced, counts.overlapped), (unmatched, 0, 0), "{name}");
        assert_eq!(
            (counts.resized_frees, counts.scattered_lists, counts.truncated_lists),
            (0, 0, 0),
            "{name}"
        );

        if !name.starts_with("ftrace") {
            let options = Options { source: Some(Source::Iommu), ..Options::default() };
            let iommu = Requests::from_records(records, &options);
            assert_eq!(common::allocations(&iommu, false), common::allocations(&dma, false), "{name}");
        }
    }
}
