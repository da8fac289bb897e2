//! Captures of a size at which anything quadratic would not end.

use super::*;
use crate::{DmaEvent, EventName, IovaAlloc, ScatterList};

fn record(line: u64, event: Event) -> Record {
    Record { line, cpu: Some(0), pid: Some(7), time_ns: None, event }
}

fn dma(line: u64, device: &Device, action: DmaAction) -> Record {
    let name = EventName::DmaMapSg;
    record(line, Event::Dma(DmaEvent { name, device: Arc::clone(device), direction: None, action }))
}

fn mapped(line: u64, device: &Device, physical: Vec<u64>) -> Record {
    let blocks = vec![DmaBlock { address: line << 12, size_bytes: 4096 }];
    dma(line, device, DmaAction::MapList(ScatterList { blocks, physical, truncated: false }))
}

#[test]
fn many_lists_that_start_alike() {
    const COUNT: u64 = 100_000;
    let device: Device = Arc::from("nic");
    let list = |number: u64| vec![0x1000, number << 12];
    let maps = (1..=COUNT).map(|number| mapped(number, &device, list(number)));
    // The youngest first, so that a search from the oldest on would be the longest.
    let unmaps = (1..=COUNT).rev().map(|number| DmaAction::UnmapList { physical: list(number) });
    let unmaps = unmaps.map(|action| dma(COUNT + 1, &device, action));
    let requests = Requests::from_records(maps.chain(unmaps), &Options::default());
    let counts = &requests.counts;
    assert_eq!((counts.allocations, counts.frees, counts.unmatched_frees), (COUNT, COUNT, 0));
    assert!(matches!(requests.operations.last().unwrap().kind, OperationKind::Free { first: 1, .. }));
}

#[test]
fn many_long_lists_that_start_alike_and_are_never_unmapped() {
    const COUNT: u64 = 20_000;
    let device: Device = Arc::from("nic");
    let list = |number: u64| (1..=128).chain([number]).map(|frame| frame << 12).collect::<Vec<_>>();
    let maps = (1..=COUNT).map(|number| mapped(number, &device, list(1000 + number)));
    let unmaps = (1..=COUNT).map(|_| DmaAction::UnmapList { physical: list(1) });
    let unmaps = unmaps.map(|action| dma(COUNT + 1, &device, action));
    let requests = Requests::from_records(maps.chain(unmaps), &Options::default());
    let counts = &requests.counts;
    assert_eq!((counts.allocations, counts.frees, counts.unmatched_frees), (COUNT, 0, COUNT));
}

#[test]
fn many_devices_of_one_domain() {
    const COUNT: u64 = 150_000;
    let records = (1..=COUNT).flat_map(|pfn| {
        let device: Device = Arc::from(format!("device{pfn:06}"));
        let alloc = IovaAlloc { iovad: 1, granules: 1, limit_pfn: 0xf_ffff, flush: None, pfn: Some(pfn) };
        let block = DmaBlock { address: pfn << 12, size_bytes: 4096 };
        let map = DmaAction::Map { block, physical: 0 };
        [record(pfn, Event::IovaAlloc(alloc)), dma(pfn, &device, map)]
    });
    let requests = Requests::from_records(records, &Options::default());
    assert_eq!(requests.domains.len(), 1);
    assert_eq!(requests.domains[0].devices.len(), 150_000);
    assert_eq!(&*requests.domains[0].devices[149_999], "device150000");
}
