use std::sync::Arc;

use super::*;
use crate::{Line, Reader};

mod lists;
mod scale;

/// Reads lines `CPU PID EVENT`, one millisecond apart.
fn records(lines: &[&str]) -> Vec<Record> {
    let text: String = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let mut words = line.splitn(3, ' ');
            let (cpu, pid, event) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            format!("task-{pid} [{cpu}] ..... 1.{index:03}: {event}\n")
        })
        .collect();
    let mut reader = Reader::from_bytes("lines", text.as_bytes()).unwrap();
    let records = reader.by_ref().map(|line| match line.unwrap() {
        Line::Record(record) => record,
        other => panic!("{other:?}"),
    });
    records.collect()
}

fn requests(lines: &[&str]) -> Requests {
    Requests::from_records(records(lines), &Options::default())
}

/// The operations in short: `line domain +first+granules<=limit` (`t`: by the tree), `-first+granules`, `?...`.
fn short(requests: &Requests) -> Vec<String> {
    let show = |operation: &Operation| {
        let kind = match &operation.kind {
            OperationKind::Allocate { granules, limit_pfn, placed, tree, .. } => {
                let placed = placed.map_or("none".to_owned(), |pfn| format!("{pfn:#x}"));
                let tree = tree.map_or(String::new(), |tree| format!(" t{}", tree.granules));
                format!("+{placed}+{granules}<={limit_pfn:#x}{tree}")
            }
            OperationKind::Free { first, granules, .. } => format!("-{first:#x}+{granules}"),
            OperationKind::UnmatchedFree { first, granules } => format!("?{first:#x}+{granules}"),
        };
        format!("{} {} {kind}", operation.line, operation.domain.0)
    };
    requests.operations.iter().map(show).collect()
}

const TREE: &str = "iova_alloc_tree: (f <- g)";
const ALLOC: &str = "iova_alloc: (f <- g)";

#[test]
fn probes_pair_the_tree_with_the_fast_path() {
    let requests = requests(&[
        &format!("0 7 {TREE} iovad=0xa pages=32 limit_pfn=0xfffff size_aligned=1 pfn=0xfffe0"),
        // An interrupt allocates in the name of the same task.
        &format!("0 7 {ALLOC} iovad=0xa pages=1 limit_pfn=0xfffff flush=0 pfn=0xfff00"),
        // Another processor, another domain.
        &format!("1 8 {ALLOC} iovad=0xb pages=1 limit_pfn=0xfffff flush=0 pfn=0xfffe0"),
        &format!("0 7 {ALLOC} iovad=0xa pages=26 limit_pfn=0xfffff flush=0 pfn=0xfffe0"),
        "0 7 dma_map_page: nic dir=NONE dma_addr=fffe0080 size=98304 phys_addr=1000 attrs=",
        "1 0 iova_free: (f) iovad=0xa pfn=0xfffe0 pages=26",
        "1 0 iova_free: (f) iovad=0xa pfn=0xfffe0 pages=26",
    ]);
    assert_eq!(requests.source, Some(Source::Probes));
    assert_eq!(
        short(&requests),
        [
            "2 0 +0xfff00+1<=0xfffff",
            "3 1 +0xfffe0+1<=0xfffff",
            "4 0 +0xfffe0+26<=0xfffff t32",
            "6 0 -0xfffe0+26",
            "7 0 ?0xfffe0+26",
        ]
    );
    assert_eq!(requests.domains[0].name, "iovad=0xa");
    assert_eq!(requests.domains[0].devices, [Arc::from("nic")]);
    assert_eq!((requests.domains[0].peak_live_granules, requests.domains[0].final_live_granules), (27, 1));
    assert_eq!(
        (requests.domains[0].lowest_pfn, requests.domains[0].highest_pfn),
        (Some(0xfff00), Some(0xffff9))
    );
    let counts = &requests.counts;
    assert_eq!((counts.allocations, counts.frees, counts.unmatched_frees, counts.live_at_end), (3, 1, 1, 2));
    assert_eq!((counts.tree_served, counts.tree_alone, counts.tree_retries), (1, 0, 0));
}

#[test]
fn idle_tasks_of_two_processors_are_not_one() {
    let requests = requests(&[
        &format!("0 0 {TREE} iovad=0xa pages=1 limit_pfn=0xf size_aligned=1 pfn=0x0"),
        &format!("1 0 {ALLOC} iovad=0xa pages=1 limit_pfn=0xf flush=0 pfn=0x0"),
        &format!("0 0 {ALLOC} iovad=0xa pages=1 limit_pfn=0xf flush=0 pfn=0x0"),
    ]);
    assert_eq!(short(&requests), ["2 0 +none+1<=0xf", "3 0 +none+1<=0xf t1"]);
}

#[test]
fn a_smaller_request_of_the_tree_is_not_the_partner() {
    let requests = requests(&[
        &format!("0 7 {TREE} iovad=0xa pages=1 limit_pfn=0xff size_aligned=1 pfn=0x10"),
        &format!("0 7 {ALLOC} iovad=0xa pages=4 limit_pfn=0xff flush=0 pfn=0x10"),
    ]);
    assert_eq!(short(&requests), ["1 0 +0x10+1<=0xff t1", "2 0 -0x10+1", "2 0 +0x10+4<=0xff"]);
}

#[test]
fn the_tree_fails_and_is_tried_again() {
    let requests = requests(&[
        // Below 4 GiB: no room, and no flush of the CPU caches; the fast path gives up.
        &format!("0 7 {TREE} iovad=0xa pages=4 limit_pfn=0xfffff size_aligned=1 pfn=0x0"),
        &format!("0 7 {ALLOC} iovad=0xa pages=4 limit_pfn=0xfffff flush=0 pfn=0x0"),
        // With the device's own limit: the caches are flushed after a failure.
        &format!("0 7 {TREE} iovad=0xa pages=4 limit_pfn=0xffffff size_aligned=1 pfn=0x0"),
        &format!("0 7 {TREE} iovad=0xa pages=4 limit_pfn=0xffffff size_aligned=1 pfn=0xfffffc"),
        &format!("0 7 {ALLOC} iovad=0xa pages=4 limit_pfn=0xffffff flush=1 pfn=0xfffffc"),
    ]);
    assert_eq!(short(&requests), ["2 0 +none+4<=0xfffff t4", "5 0 +0xfffffc+4<=0xffffff t4"]);
    let counts = &requests.counts;
    assert_eq!((counts.allocations, counts.failed_allocations, counts.tree_retries), (1, 1, 1));
}

#[test]
fn a_request_of_the_tree_without_partner_is_an_allocation() {
    let requests = requests(&[
        &format!("0 7 {ALLOC} iovad=0xa pages=1 limit_pfn=0xf flush=0 pfn=0x3"),
        &format!("0 7 {TREE} iovad=0xa pages=2 limit_pfn=0xf size_aligned=0 pfn=0x4"),
        &format!("0 7 {TREE} iovad=0xa pages=9 limit_pfn=0xf size_aligned=0 pfn=0x0"),
    ]);
    assert_eq!(short(&requests), ["1 0 +0x3+1<=0xf", "2 0 +0x4+2<=0xf t2"]);
    assert_eq!((requests.counts.tree_alone, requests.counts.tree_retries), (1, 1));
}

#[test]
fn many_requests_of_the_tree_without_partner() {
    let lines: Vec<String> = (1..=200)
        .map(|pfn| format!("0 7 {TREE} iovad=0xa pages=1 limit_pfn=0xfff size_aligned=0 pfn={pfn:#x}"))
        .collect();
    let requests = requests(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        (requests.counts.tree_alone, requests.counts.allocations, requests.counts.live_at_end),
        (200, 200, 200)
    );
}

#[test]
fn an_unseen_free_is_put_in() {
    let requests = requests(&[
        &format!("0 7 {ALLOC} iovad=0xa pages=2 limit_pfn=0xff flush=0 pfn=0x10"),
        &format!("0 7 {ALLOC} iovad=0xa pages=2 limit_pfn=0xff flush=0 pfn=0x12"),
        &format!("0 7 {ALLOC} iovad=0xa pages=3 limit_pfn=0xff flush=0 pfn=0x10"),
        &format!("0 7 {ALLOC} iovad=0xa pages=0 limit_pfn=0xff flush=0 pfn=0x10"),
    ]);
    assert_eq!(
        short(&requests),
        ["1 0 +0x10+2<=0xff", "2 0 +0x12+2<=0xff", "3 0 -0x12+2", "3 0 -0x10+2", "3 0 +0x10+3<=0xff"]
    );
    let counts = &requests.counts;
    assert_eq!((counts.replaced, counts.overlapped, counts.unusable, counts.live_at_end), (1, 1, 1, 1));
    assert_eq!(requests.domains[0].final_live_granules, 3);
}

#[test]
fn dma_blocks_are_widened_to_granules() {
    let lines = [
        "0 7 dma_map_page: nic dir=NONE dma_addr=fffe0ff8 size=16 phys_addr=ff8 attrs=",
        "0 7 dma_alloc: disk dir=NONE dma_addr=fffe0000 size=8 virt_addr=1 flags=GFP_KERNEL attrs=",
        "0 7 dma_map_page: nic dir=NONE dma_addr=1ffff0000 size=4096 phys_addr=1000 attrs=",
        "0 7 dma_map_page: nic dir=NONE dma_addr=ffffffffffffffff size=4096 phys_addr=1000 attrs=",
        "0 7 dma_map_page: nic dir=NONE dma_addr=1000 size=0 phys_addr=1000 attrs=",
        "0 7 dma_unmap_page: nic dir=NONE dma_addr=fffe0ff8 size=16 attrs=",
        "0 7 dma_free: disk dir=NONE dma_addr=fffe0000 size=8 virt_addr=1 attrs=",
        "0 7 dma_unmap_page: disk dir=NONE dma_addr=1000 size=8 attrs=",
    ];
    let found = requests(&lines);
    assert_eq!(found.source, Some(Source::Dma));
    assert_eq!(
        short(&found),
        [
            "1 0 +0xfffe0+2<=0xfffff",
            "2 1 +0xfffe0+1<=0xfffff",
            "3 0 +0x1ffff0+1<=0x1fffff",
            "6 0 -0xfffe0+2",
            "7 1 -0xfffe0+1",
            "8 1 ?0x1+1",
        ]
    );
    assert_eq!((found.counts.failed_allocations, found.counts.unusable), (1, 1));

    let options = Options { granule_shift: 16, ..Options::default() };
    let wide = Requests::from_records(records(&lines), &options);
    assert_eq!(short(&wide)[..2], ["1 0 +0xfffe+1<=0xffff", "2 1 +0xfffe+1<=0xffff"]);
}

#[test]
fn dma_lists_are_one_allocation_and_pair_by_physical_addresses() {
    let requests = requests(&[
        // A hole before the second block, no wider than the block: one range.
        "0 7 dma_map_sg: nic dir=NONE nents=2/2 ents=2/2 dma_addrs={0xfffe0000,0xfffe4000} sizes={0x2000,0x4000} phys_addrs={0x1000,0x9000} attrs=",
        "0 7 dma_map_sg: nic dir=NONE nents=1/1 ents=1/1 dma_addrs={0xfffd0000} sizes={0x1000} phys_addrs={0x1000} attrs=",
        "0 7 dma_unmap_sg: nic dir=NONE phys_addrs={0x1000} attrs=",
        "0 7 dma_unmap_sg: nic dir=NONE phys_addrs={0x1000,0x9000} attrs=",
        "0 7 dma_unmap_sg: nic dir=NONE phys_addrs={0x1000,0x9000} attrs=",
    ]);
    assert_eq!(
        short(&requests),
        ["1 0 +0xfffe0+8<=0xfffff", "2 0 +0xfffd0+1<=0xfffff", "3 0 -0xfffd0+1", "4 0 -0xfffe0+8"]
    );
    assert_eq!((requests.counts.unmatched_frees, requests.counts.scattered_lists), (1, 0));
}

#[test]
fn addresses_far_apart_are_several_allocations() {
    let requests = requests(&[
        "0 7 dma_map_sg: nic dir=NONE dma_addrs={0x10000,0x8000,0x9000,0x20000} sizes={0x1000,0x1000,0x1000,0x1000} phys_addrs={0x1000} attrs=",
        "0 7 dma_unmap_sg: nic dir=NONE phys_addrs={0x1000} attrs=",
    ]);
    assert_eq!(
        short(&requests)[..3],
        ["1 0 +0x10+1<=0xfffff", "1 0 +0x8+2<=0xfffff", "1 0 +0x20+1<=0xfffff"]
    );
    assert_eq!(short(&requests)[3..], ["2 0 -0x10+1", "2 0 -0x8+2", "2 0 -0x20+1"]);
    assert_eq!(requests.counts.scattered_lists, 1);
}

#[test]
fn unmatched_frees_are_operations_where_the_address_is_known() {
    let requests = requests(&[
        "0 7 dma_unmap_page: nic dir=NONE dma_addr=fffe0000 size=16 attrs=",
        "0 7 dma_free: nic dir=NONE dma_addr=fffd0000 size=8 virt_addr=1 attrs=",
        "0 7 dma_unmap_sg: nic dir=NONE phys_addrs={0x1000} attrs=",
    ]);
    assert_eq!(short(&requests), ["1 0 ?0xfffe0+1", "2 0 ?0xfffd0+1"]);
    assert_eq!(requests.counts.unmatched_frees, 3);
}

#[test]
fn irrelevant_records_can_be_dropped_while_reading() {
    let all = records(&[
        "0 7 dma_map_phys: nic dir=NONE dma_addr=f0000000 size=16 phys_addr=0 attrs=",
        "0 7 dma_sync_single_for_cpu: nic dir=NONE dma_addr=f0000000 size=16 attrs=",
        "0 7 add_device_to_group: IOMMU: groupID=1 device=nic",
        "0 7 dma_unmap_phys: nic dir=NONE dma_addr=f0000000 size=16 attrs=",
    ]);
    let kept: Vec<Record> = all.iter().filter(|record| Requests::is_relevant(record)).cloned().collect();
    assert_eq!(kept.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 4]);
    let options = Options::default();
    assert_eq!(Requests::from_records(kept, &options), Requests::from_records(all, &options));
}

fn map(iova: u64, granules: u64) -> String {
    format!("map: IOMMU: iova={iova:#x} paddr=0x0 size={}", granules << 12)
}

fn unmap(iova: u64, granules: u64) -> String {
    let size = granules << 12;
    format!("unmap: IOMMU: iova={iova:#x} size={size} unmapped_size={size}")
}

#[test]
fn what_one_unmap_removes_was_one_allocation() {
    let requests = requests(&[
        &format!("0 7 {}", map(0xf000_0000, 1)),
        &format!("1 8 {}", map(0xe000_0000, 1)),
        &format!("0 7 {}", map(0xf000_1000, 2)),
        &format!("1 8 {}", map(0xe000_1000, 1)),
        &format!("1 0 {}", unmap(0xf000_0000, 3)),
        // Two allocations that happen to adjoin.
        &format!("1 0 {}", unmap(0xe000_0000, 1)),
        &format!("1 0 {}", unmap(0xe000_1000, 1)),
        &format!("1 0 {}", unmap(0xe000_1000, 1)),
    ]);
    assert_eq!(requests.source, Some(Source::Iommu));
    assert_eq!(
        short(&requests),
        [
            "1 0 +0xf0000+3<=0xfffff",
            "2 0 +0xe0000+1<=0xfffff",
            "4 0 +0xe0001+1<=0xfffff",
            "5 0 -0xf0000+3",
            "6 0 -0xe0000+1",
            "7 0 -0xe0001+1",
            "8 0 ?0xe0001+1",
        ]
    );
    assert_eq!(requests.domains[0].name, "iommu events");
}

#[test]
fn what_was_not_unmapped_is_joined_by_task_and_address() {
    let requests = requests(&[
        &format!("0 7 {}", map(0xf000_0000, 1)),
        &format!("1 8 {}", map(0xf000_1000, 1)),
        &format!("0 7 {}", map(0xf000_1000 + 0x1000, 1)),
        &format!("1 8 {}", map(0xf000_3000, 1)),
        &format!("1 8 {}", map(0xf000_4000, 1)),
    ]);
    assert_eq!(
        short(&requests),
        [
            "1 0 +0xf0000+1<=0xfffff",
            "2 0 +0xf0001+1<=0xfffff",
            "3 0 +0xf0002+1<=0xfffff",
            "4 0 +0xf0003+2<=0xfffff",
        ]
    );
    assert_eq!(requests.counts.live_at_end, 4);
}

#[test]
fn maps_over_maps_and_partial_unmaps_are_counted() {
    let requests = requests(&[
        &format!("0 7 {}", map(0xf000_0000, 4)),
        &format!("0 7 {}", map(0xf000_1000, 1)),
        &format!("0 7 {}", unmap(0xf000_0000, 1)),
        &format!("0 7 {}", unmap(0xf000_2000, 4)),
        &format!("0 7 {}", unmap(0xf000_1000, 1)),
    ]);
    assert_eq!(
        short(&requests),
        [
            "1 0 +0xf0000+1<=0xfffff",
            "1 0 +0xf0002+4<=0xfffff",
            "2 0 +0xf0001+1<=0xfffff",
            "3 0 -0xf0000+1",
            "4 0 -0xf0002+4",
            "5 0 -0xf0001+1",
        ]
    );
    assert_eq!((requests.counts.overlapped, requests.counts.partial_unmaps), (1, 1));
}

#[test]
fn qualcomm_names_the_device() {
    let requests =
        requests(&["0 7 map: IOMMU: dev=1d84000.ufshc iova=0xfffa88000 paddr=0x1063db000 size=4096"]);
    assert_eq!(short(&requests), ["1 0 +0xfffa88+1<=0xffffff"]);
    assert_eq!(requests.domains[0].name, "1d84000.ufshc");
}

#[test]
fn page_tables_are_believed_when_the_dma_events_miss_most() {
    let dma = "0 7 dma_map_phys: nic dir=NONE dma_addr=f0000000 size=16 phys_addr=0 attrs=".to_owned();
    let undma = "0 7 dma_unmap_phys: nic dir=NONE dma_addr=f0000000 size=16 attrs=".to_owned();
    let table = format!("0 7 {}", unmap(0xf000_0000, 1));
    let source =
        |lines: &[&String]| requests(&lines.iter().map(|line| line.as_str()).collect::<Vec<_>>()).source;
    assert_eq!(source(&[&dma, &undma, &table]), Some(Source::Dma));
    assert_eq!(source(&[&dma, &undma, &table, &table, &table, &table]), Some(Source::Iommu));
    assert_eq!(source(&[&dma]), Some(Source::Dma));
    assert_eq!(source(&[]), None);
}

#[test]
fn limits_at_the_edges() {
    let granule = Granule::new(12);
    let at = |pfn| Span { first: pfn, last: pfn };
    assert_eq!(granule.limit_pfn(at(0xf_ffff), 0x10_0000), 0xf_ffff);
    assert_eq!(granule.limit_pfn(at(0x10_0000), 0x10_0000), 0x1f_ffff);
    assert_eq!(granule.limit_pfn(at(0), 0), 0xf_ffff);
    let all = Granule::new(0);
    assert_eq!(all.limit_pfn(at(u64::MAX), u64::MAX), u64::MAX);
    assert_eq!(all.span(DmaBlock { address: u64::MAX, size_bytes: 1 }), Some(at(u64::MAX)));
    assert_eq!(all.span(DmaBlock { address: u64::MAX, size_bytes: 2 }), None);
    assert_eq!(Span::new(u64::MAX, 1), Some(at(u64::MAX)));
    assert_eq!(Span::new(u64::MAX, 2), None);
}
