//! Nothing that is read may panic, and what is printed is read back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read its input has to stop")]

mod common;

use std::sync::OnceLock;

use iova_trace::{
    Direction, DmaAction, DmaBlock, DmaEvent, Event, EventName, IommuMap, IovaAllocTree, Line, OperationKind,
    Options, Reader, Record, Requests, ScatterList, Source,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Reads all of it, with every source; the result is only that this ends.
fn digest(bytes: &[u8]) {
    let Ok(mut reader) = Reader::from_bytes("bytes", bytes) else { return };
    let mut records = Vec::new();
    let (mut items, mut failed) = (0, false);
    for line in &mut reader {
        items += 1;
        match line {
            Ok(Line::Record(record)) => records.push(record),
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().starts_with("bytes:"));
                failed |= !matches!(error, iova_trace::Error::Malformed(_));
            }
        }
    }
    let counts = reader.counts();
    assert_eq!(
        counts.records + counts.ignored + counts.unknown + counts.malformed,
        items - u64::from(failed)
    );
    for source in [None, Some(Source::Probes), Some(Source::Dma), Some(Source::Iommu)] {
        let requests = Requests::from_records(records.clone(), &Options { source, ..Options::default() });
        let freed = |kind: &OperationKind| matches!(kind, OperationKind::Free { .. });
        let frees = requests.operations.iter().filter(|operation| freed(&operation.kind)).count() as u64;
        assert_eq!(requests.counts.allocations, frees + requests.counts.live_at_end);
    }
}

/// Some real lines of each capture and each form.
fn real_lines() -> &'static [String] {
    static LINES: OnceLock<Vec<String>> = OnceLock::new();
    LINES.get_or_init(|| {
        let mut lines = Vec::new();
        for path in common::captures("").into_iter().chain(common::captures("formats")) {
            let text = common::text(&path);
            let count = text.lines().count();
            lines.extend(text.lines().step_by(count / 40 + 1).map(str::to_owned));
        }
        lines
    })
}

fn dma_events() -> impl Strategy<Value = DmaEvent> {
    let block = (any::<u32>(), 1_u32..).prop_map(|(address, size)| DmaBlock {
        address: u64::from(address) << 12,
        size_bytes: u64::from(size),
    });
    let map = (block.clone(), any::<u64>())
        .prop_map(|(block, physical)| (EventName::DmaMapPage, DmaAction::Map { block, physical }));
    let unmap = block.clone().prop_map(|block| (EventName::DmaUnmapPhys, DmaAction::Unmap(block)));
    let list = (vec(block, 0..9), vec(any::<u64>(), 0..9)).prop_map(|(blocks, physical)| {
        (EventName::DmaMapSg, DmaAction::MapList(ScatterList { blocks, physical, truncated: false }))
    });
    let unlist = vec(any::<u64>(), 0..9)
        .prop_map(|physical| (EventName::DmaUnmapSg, DmaAction::UnmapList { physical }));
    ("[a-z0-9:.]{1,12}", prop_oneof![map, unmap, list, unlist]).prop_map(|(device, (name, action))| {
        DmaEvent { name, device: device.into(), direction: Some(Direction::ToDevice), action }
    })
}

fn events() -> impl Strategy<Value = Event> {
    let map = (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(iova, physical, size_bytes)| {
        Event::Map(IommuMap { device: None, iova, physical, size_bytes })
    });
    let tree = (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>(), any::<u64>()).prop_map(
        |(iovad, granules, limit_pfn, size_aligned, pfn)| {
            Event::IovaAllocTree(IovaAllocTree {
                iovad,
                granules,
                limit_pfn,
                size_aligned,
                pfn: Some(pfn).filter(|&pfn| pfn > 0),
            })
        },
    );
    prop_oneof![map, tree, dma_events().prop_map(Event::Dma)]
}

fn braces(numbers: impl Iterator<Item = u64>) -> String {
    format!("{{{}}}", numbers.map(|number| format!("{number:#x}")).collect::<Vec<_>>().join(","))
}

fn bytes(numbers: impl Iterator<Item = u64>, width: usize) -> String {
    let printed: Vec<_> = numbers
        .flat_map(|number| number.to_le_bytes().into_iter().take(width))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("ARRAY[{}]", printed.join(", "))
}

/// Prints the body of an event as the kernel does.
fn print(event: &Event) -> String {
    match event {
        Event::Map(map) => format!(
            "IOMMU: iova={:#018x} - {:#018x} paddr={:#018x} size={}",
            map.iova,
            map.iova.wrapping_add(map.size_bytes),
            map.physical,
            map.size_bytes
        ),
        Event::IovaAllocTree(tree) => format!(
            "(alloc_iova_fast+0xf0/0x2b0 <- alloc_iova) iovad={:#x} pages={} limit_pfn={:#x} size_aligned={} pfn={:#x}",
            tree.iovad,
            tree.granules,
            tree.limit_pfn,
            u8::from(tree.size_aligned),
            tree.pfn.unwrap_or(0)
        ),
        Event::Dma(event) => format!("{} dir=TO_DEVICE {} attrs=", event.device, print_action(&event.action)),
        other => panic!("{other:?}"),
    }
}

fn print_action(action: &DmaAction) -> String {
    match action {
        DmaAction::Map { block, physical } => {
            format!("dma_addr={:x} size={} phys_addr={physical:x}", block.address, block.size_bytes)
        }
        DmaAction::Unmap(block) => format!("dma_addr={:x} size={}", block.address, block.size_bytes),
        DmaAction::MapList(list) => format!(
            "nents={0}/{0} ents={1}/{1} dma_addrs={2} sizes={3} phys_addrs={4}",
            list.physical.len(),
            list.blocks.len(),
            braces(list.blocks.iter().map(|block| block.address)),
            braces(list.blocks.iter().map(|block| block.size_bytes)),
            braces(list.physical.iter().copied())
        ),
        DmaAction::UnmapList { physical } => format!("phys_addrs={}", braces(physical.iter().copied())),
        other => panic!("{other:?}"),
    }
}

/// Prints a scatter list as `perf script` does.
fn print_raw(event: &DmaEvent) -> Option<String> {
    let lists = match &event.action {
        DmaAction::MapList(list) => format!(
            "truncated=0 phys_addrs={} dma_addrs={} lengths={}",
            bytes(list.physical.iter().copied(), 8),
            bytes(list.blocks.iter().map(|block| block.address), 8),
            bytes(list.blocks.iter().map(|block| block.size_bytes), 4)
        ),
        DmaAction::UnmapList { physical } => format!("addrs={}", bytes(physical.iter().copied(), 8)),
        _ => return None,
    };
    Some(format!("[FAILED TO PARSE] device={} {lists} dir=1 attrs=0x0", event.device))
}

fn read_one(text: &str) -> Record {
    let mut reader = Reader::from_bytes("printed", text.as_bytes()).unwrap();
    match reader.next() {
        Some(Ok(Line::Record(record))) => record,
        other => panic!("{text}: {other:?}"),
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..2000)) {
        digest(&bytes);
    }

    /// Broken files of the compressed kinds reach the decompressors.
    #[test]
    fn any_bytes_behind_a_magic(kind in 0_usize..3, bytes in vec(any::<u8>(), 0..2000)) {
        let magic: &[u8] = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x04\x58"][kind];
        digest(&[magic, &bytes].concat());
    }

    #[test]
    fn any_text_of_the_right_letters(text in "[a-z_:=0-9x \\[\\]{},.()+#-]{0,300}") {
        digest(text.as_bytes());
        for name in EventName::ALL {
            digest(format!("{name}: {text}\nd-1 [0] 1.5: {name}: IOMMU: {text}").as_bytes());
        }
    }

    /// Real lines with bytes replaced, removed and added.
    #[test]
    fn mutated_lines(
        lines in vec((any::<Index>(), vec((any::<Index>(), 0_u8..3, any::<u8>()), 0..4)), 1..40)
    ) {
        let mut text = Vec::new();
        for (line, edits) in lines {
            let mut line = line.get(real_lines()).clone().into_bytes();
            for (at, edit, byte) in edits {
                if line.is_empty() {
                    break;
                }
                let at = at.index(line.len());
                match edit {
                    0 => line[at] = byte,
                    1 => drop(line.remove(at)),
                    _ => line.insert(at, byte),
                }
            }
            text.extend_from_slice(&line);
            text.push(b'\n');
        }
        digest(&text);
    }

    /// Real lines that were cut short.
    #[test]
    fn cut_lines(line in any::<Index>(), at in any::<Index>()) {
        let line = line.get(real_lines());
        let cut: String = line.chars().take(at.index(line.len().max(1))).collect();
        digest(cut.as_bytes());
    }

    #[test]
    fn a_printed_event_is_read_back(
        event in events(), comm in "[!-~][ -~]{0,14}", pid: u32, cpu in 0_u32..1000, seconds in 0_u64..1_000_000, micros in 0_u64..1_000_000
    ) {
        // These would be read as an event at the start of the line.
        prop_assume!(!comm.contains(": ") && !comm.ends_with(':') && !comm.starts_with('#') && !comm.starts_with("CPU"));
        let body = print(&event);
        let name = event.name();
        let time_ns = Some(seconds * 1_000_000_000 + micros * 1_000);
        let expected = Record { line: 1, cpu: Some(cpu), pid: Some(pid), time_ns, event: event.clone() };

        let ftrace = format!("{comm:>16}-{pid:<7} [{cpu:03}] d.h1. {seconds:5}.{micros:06}: {name}: {body}");
        prop_assert_eq!(read_one(&ftrace), expected.clone());
        let grouped = format!("{comm:>16}-{pid:<7} ({pid:7}) [{cpu:03}] {seconds:5}.{micros:06}: {name}: {body}");
        prop_assert_eq!(read_one(&grouped), expected.clone());
        let perf = format!("{comm:>16} {pid:5} [{cpu:03}] {seconds:5}.{micros:06}: any:{name}: {body}");
        let system = if matches!(event, Event::Dma(_)) { "dma" } else { "iommu" };
        let perf = perf.replace(" any:", &format!(" {system}:"));
        prop_assert_eq!(read_one(&perf), expected.clone());

        if let Event::Dma(event) = &event
            && let Some(raw) = print_raw(event)
        {
            let perf = format!("{comm:>16} {pid:5} [{cpu:03}] {seconds:5}.{micros:06}:   dma:{name}: {raw}");
            prop_assert_eq!(read_one(&perf), expected.clone());
        }

        let bare = format!("{name}: {body}");
        prop_assert_eq!(read_one(&bare), Record { line: 1, cpu: None, pid: None, time_ns: None, event });
    }
}
