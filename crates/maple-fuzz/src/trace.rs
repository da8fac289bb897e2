//! Captures from arbitrary bytes: reading ends without a panic, everything read is counted, and what was
//! understood is understood again if it is printed as Linux prints it.

use iova_trace::{
    Device, Direction, DmaAction, DmaBlock, DmaEvent, Error, Event, EventName, Line, OperationKind, Options,
    Reader, Record, Requests, Source,
};

/// Lines that are read at most: few compressed bytes may be many.
const LINES_MAX: usize = 4000;

/// Records that are printed and read again at most.
const PRINTED_MAX: usize = 64;

/// Reads bytes as a capture, plain or compressed, with everything that is made of it.
///
/// # Panics
///
/// If anything of it is wrong.
pub fn read_capture(bytes: &[u8]) {
    let Ok(mut reader) = Reader::from_bytes("bytes", bytes) else { return };
    let (mut records, mut items, mut failed) = (Vec::new(), 0, 0);
    for line in reader.by_ref().take(LINES_MAX) {
        items += 1;
        match line {
            Ok(Line::Record(record)) => records.push(record),
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().starts_with("bytes:"), "{error}");
                failed += u64::from(!matches!(error, Error::Malformed(_)));
            }
        }
    }
    let counts = reader.counts();
    assert_eq!(counts.records + counts.ignored + counts.unknown + counts.malformed + failed, items);
    assert_eq!(counts.records, records.len() as u64);
    assert!(failed == 0 || reader.next().is_none(), "read on after it failed");
    check_numbers(&records);
    records.iter().take(PRINTED_MAX).for_each(check_printed);
    for source in [None, Some(Source::Probes), Some(Source::Dma), Some(Source::Iommu)] {
        let requests = Requests::from_records(records.clone(), &Options { source, ..Options::default() });
        let freed = |kind: &OperationKind| matches!(kind, OperationKind::Free { .. });
        let frees = requests.operations.iter().filter(|operation| freed(&operation.kind)).count() as u64;
        assert_eq!(requests.counts.allocations, frees + requests.counts.live_at_end);
    }
}

/// Lines count upwards.
fn check_numbers(records: &[Record]) {
    for pair in records.windows(2) {
        assert!(pair[0].line < pair[1].line);
    }
}

/// Prints a record as `trace-cmd` does, and reads that.
fn check_printed(record: &Record) {
    let Some(body) = body(&record.event) else { return };
    let (name, time_ns) = (record.event.name(), record.time_ns.unwrap_or(0));
    let (seconds, nanos) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
    let (pid, cpu) = (record.pid.unwrap_or(1), record.cpu.unwrap_or(0));
    let text = format!("task-{pid} [{cpu:03}] d.h1. {seconds}.{nanos:09}: {name}: {body}");
    let mut reader = Reader::from_bytes("printed", text.as_bytes()).expect("text");
    let expected = Record {
        line: 1,
        cpu: Some(cpu),
        pid: Some(pid),
        time_ns: Some(time_ns),
        event: record.event.clone(),
    };
    match reader.next() {
        Some(Ok(Line::Record(read))) => assert_eq!(read, expected, "{text}"),
        other => unreachable!("{text}: {other:?}"),
    }
    assert!(reader.next().is_none(), "{text}");
}

/// What stands behind the event's name; nothing if that is not told by the event, or a name in it reads as
/// something else.
fn body(event: &Event) -> Option<String> {
    let at = |device: &Option<Device>| match device {
        Some(device) if device.contains(char::is_whitespace) => None,
        Some(device) => Some(format!(" dev={device}")),
        None => Some(String::new()),
    };
    Some(match event {
        Event::Map(map) => {
            let (device, end) = (at(&map.device)?, map.iova.wrapping_add(map.size_bytes));
            let (iova, physical, size) = (map.iova, map.physical, map.size_bytes);
            format!("IOMMU: iova={iova:#018x} - {end:#018x} paddr={physical:#018x} size={size}{device}")
        }
        Event::Unmap(unmap) => {
            let (device, iova, size) = (at(&unmap.device)?, unmap.iova, unmap.size_bytes);
            format!("IOMMU: iova={iova:#018x} size={size} unmapped_size={}{device}", unmap.unmapped_bytes)
        }
        Event::Notice(EventName::IoPageFault) => "IOMMU:driver dev iova=0x1000 flags=0x0".to_owned(),
        Event::Notice(_) => "IOMMU: groupID=1 device=dev".to_owned(),
        Event::Dma(event) => dma(event)?,
        Event::IovaAlloc(alloc) => {
            let flush = alloc.flush.map_or(String::new(), |flush| format!(" flush={}", u8::from(flush)));
            let pfn = alloc.pfn.unwrap_or(0);
            let (iovad, pages, limit) = (alloc.iovad, alloc.granules, alloc.limit_pfn);
            format!(
                "(f+0x0/0x1 <- g) iovad={iovad:#x} pages={pages} limit_pfn={limit:#x}{flush} pfn={pfn:#x}"
            )
        }
        Event::IovaAllocTree(alloc) => format!(
            "(f+0x0/0x1 <- g) iovad={:#x} pages={} limit_pfn={:#x} size_aligned={} pfn={:#x}",
            alloc.iovad,
            alloc.granules,
            alloc.limit_pfn,
            u8::from(alloc.size_aligned),
            alloc.pfn.unwrap_or(0)
        ),
        Event::IovaFree(free) => {
            format!("(f+0x0/0x1) iovad={:#x} pfn={:#x} pages={}", free.iovad, free.pfn, free.granules)
        }
        _ => return None,
    })
}

fn dma(event: &DmaEvent) -> Option<String> {
    let device = &event.device;
    if device.contains(['=', '\0']) || device.starts_with("[FAILED TO PARSE]") || device.contains(": ") {
        return None;
    }
    let direction = match event.direction {
        Some(Direction::Bidirectional) => "dir=BIDIRECTIONAL ",
        Some(Direction::ToDevice) => "dir=TO_DEVICE ",
        Some(Direction::FromDevice) => "dir=FROM_DEVICE ",
        Some(Direction::None) => "dir=NONE ",
        None => "",
    };
    let action = match &event.action {
        DmaAction::Map { block, physical } => format!("{} phys_addr={physical:x}", printed(*block)),
        DmaAction::Unmap(block) | DmaAction::Alloc(block) | DmaAction::Free(block) => printed(*block),
        DmaAction::MapList(list) => {
            let (blocks, physical) = (list.blocks.len(), list.physical.len());
            format!(
                "nents={physical}/{} ents={blocks}/{blocks} dma_addrs={} sizes={} phys_addrs={}",
                physical + usize::from(list.truncated),
                hex(list.blocks.iter().map(|block| block.address)),
                decimal(list.blocks.iter().map(|block| block.size_bytes)),
                hex(list.physical.iter().copied())
            )
        }
        DmaAction::UnmapList { physical } => format!("phys_addrs={}", hex(physical.iter().copied())),
        DmaAction::Failed => "dma_addr=ffffffffffffffff size=0 phys_addr=0 virt_addr=(null)".to_owned(),
        DmaAction::Sync => "dma_addr=0 size=0 dma_addrs={} sizes={}".to_owned(),
        _ => return None,
    };
    Some(format!("{device} {direction}{action} attrs="))
}

fn printed(block: DmaBlock) -> String {
    format!("dma_addr={:x} size={}", block.address, block.size_bytes)
}

fn hex(numbers: impl Iterator<Item = u64>) -> String {
    format!("{{{}}}", numbers.map(|number| format!("{number:#x}")).collect::<Vec<_>>().join(","))
}

fn decimal(numbers: impl Iterator<Item = u64>) -> String {
    format!("{{{}}}", numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}
