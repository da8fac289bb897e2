mod malformed;

use super::*;
use crate::{
    Direction, DmaAction, DmaBlock, DmaEvent, IommuMap, IommuUnmap, IovaAlloc, IovaAllocTree, IovaFree,
    ScatterList,
};

fn event(line: &str) -> Event {
    match Parser::default().parse(line) {
        Ok(Parsed::Event { event, .. }) => event,
        other => panic!("{line}: {other:?}"),
    }
}

fn dma(line: &str) -> DmaEvent {
    match event(line) {
        Event::Dma(event) => event,
        other => panic!("{line}: {other:?}"),
    }
}

fn block(address: u64, size_bytes: u64) -> DmaBlock {
    DmaBlock { address, size_bytes }
}

#[test]
fn iommu_map() {
    let mapped =
        |iova, physical, size_bytes| Event::Map(IommuMap { device: None, iova, physical, size_bytes });
    assert_eq!(
        event(
            "    kworker/u8:3-56      [001] .....    16.113326: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x000000000c586000 size=4096"
        ),
        mapped(0xffff_f000, 0xc58_6000, 4096),
    );
    assert_eq!(
        event(
            "gem_exec_gttfil-1010    [004] .N...    50.126420: map: IOMMU: iova=0x00003fffffc00000 - 0x0000400000000000 paddr=0x00000001b9400000 size=4194304"
        ),
        mapped(0x3fff_ffc0_0000, 0x1_b940_0000, 4_194_304),
    );
    assert_eq!(
        event(
            "        qemu-kvm-4575    [008] .......   438.308514: map: IOMMU: iova=0x0000000000000000 - 0x00000000000c0000 paddr=0x00000001a6800000 size=786432"
        ),
        mapped(0, 0x1_a680_0000, 786_432),
    );
    // Before the end was printed.
    assert_eq!(
        event("  map: IOMMU: iova=0x0000000ffff36000 paddr=0x00000001164d8000 size=4096"),
        mapped(0xf_fff3_6000, 0x1_164d_8000, 4096),
    );
    // The end of the last page wraps.
    assert_eq!(
        event("map: IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 paddr=0x0000000000001000 size=4096"),
        mapped(0xffff_ffff_ffff_f000, 0x1000, 4096),
    );
    let qualcomm =
        event("  map: IOMMU: dev=1d84000.ufshc iova=0x0000000fffa88000 paddr=0x00000001063db000 size=4096");
    let device = Some(Device::from("1d84000.ufshc"));
    assert_eq!(
        qualcomm,
        Event::Map(IommuMap { device, iova: 0xf_ffa8_8000, physical: 0x1_063d_b000, size_bytes: 4096 })
    );
}

#[test]
fn iommu_unmap() {
    let unmapped = |iova, size_bytes| {
        Event::Unmap(IommuUnmap { device: None, iova, size_bytes, unmapped_bytes: size_bytes })
    };
    for (line, expected) in [
        (
            "    gst-launch-1.0-606     [000] .....   714.634435: unmap: IOMMU: iova=0x00000000eb800000 - 0x00000000ebb0a000 size=3186688 unmapped_size=3186688",
            unmapped(0xeb80_0000, 3_186_688),
        ),
        (
            "              dd   183 [000]    35.220453:                    iommu:unmap: IOMMU: iova=0x00000000ffba0000 - 0x00000000ffbc0000 size=131072 unmapped_size=131072",
            unmapped(0xffba_0000, 131_072),
        ),
        (
            "        qemu-kvm-4575    [008] .......   438.308478: unmap: IOMMU: iova=0x0000000000000000 - 0x0000000000001000 size=4096 unmapped_size=4096",
            unmapped(0, 4096),
        ),
        ("unmap: IOMMU: iova=0x0000000fffa88000 size=4096 unmapped_size=4096", unmapped(0xf_ffa8_8000, 4096)),
    ] {
        assert_eq!(event(line), expected, "{line}");
    }
}

#[test]
fn iommu_notices() {
    for (line, name) in [
        (
            "irq/26-AMD-Vi-154     [006] .....   327.753942: io_page_fault: IOMMU:ath12k_pci 0000:c2:00.0 iova=0x00000000fe980000 flags=0x0001",
            EventName::IoPageFault,
        ),
        (
            "       kworker/0:0-537     [000] d.h..   714.636191: io_page_fault: IOMMU:mtk-iommu 10205000.iommu iova=0x00000000ebede003 flags=0x0001",
            EventName::IoPageFault,
        ),
        (
            "       swapper/0-1       [000] .....     3.581211: add_device_to_group: IOMMU: groupID=0 device=0000:00:00.0",
            EventName::AddDeviceToGroup,
        ),
        ("remove_device_from_group: IOMMU: groupID=0 device=0000:00:00.0", EventName::RemoveDeviceFromGroup),
        ("attach_device_to_domain: IOMMU: device=0000:00:00.0", EventName::AttachDeviceToDomain),
        ("detach_device_from_domain: IOMMU: device=0000:00:00.0", EventName::DetachDeviceFromDomain),
    ] {
        assert_eq!(event(line), Event::Notice(name), "{line}");
    }
}

#[test]
fn dma_page() {
    let parsed = dma(
        "            ping   184 [001]    35.327109:               dma:dma_map_page: 0000:00:04.0 dir=TO_DEVICE dma_addr=ffeefec2 size=98 phys_addr=1a7eec2 attrs=",
    );
    assert_eq!(&*parsed.device, "0000:00:04.0");
    assert_eq!(parsed.direction, Some(Direction::ToDevice));
    assert_eq!(parsed.action, DmaAction::Map { block: block(0xffee_fec2, 98), physical: 0x1a7_eec2 });

    for name in ["dma_map_page", "dma_map_resource", "dma_map_phys"] {
        let parsed = dma(&format!(
            "{name}: 0000:00:02.0 dir=FROM_DEVICE dma_addr=fffbc000 size=4096 phys_addr=1db49000 attrs=SKIP_CPU_SYNC|MMIO"
        ));
        assert_eq!(parsed.name.as_str(), name);
        assert_eq!(parsed.direction, Some(Direction::FromDevice));
        assert_eq!(parsed.action, DmaAction::Map { block: block(0xfffb_c000, 4096), physical: 0x1db4_9000 });
    }
    for name in ["dma_unmap_page", "dma_unmap_resource", "dma_unmap_phys"] {
        let parsed =
            dma(&format!("{name}: 0000:00:02.0 dir=BIDIRECTIONAL dma_addr=fffbc000 size=4096 attrs="));
        assert_eq!(parsed.action, DmaAction::Unmap(block(0xfffb_c000, 4096)));
    }
}

#[test]
fn a_failed_map_is_no_address() {
    let parsed = dma("dma_map_page: a dir=NONE dma_addr=ffffffffffffffff size=4096 phys_addr=1000 attrs=");
    assert_eq!((parsed.action, parsed.direction), (DmaAction::Failed, Some(Direction::None)));
    for address in ["(null)", "0000000000000000"] {
        let line =
            format!("dma_alloc: a dir=NONE dma_addr=0 size=4096 virt_addr={address} flags=GFP_KERNEL attrs=");
        assert_eq!(dma(&line).action, DmaAction::Failed, "{line}");
    }
    assert_eq!(dma("dma_alloc_sgt_err: a dir=NONE dma_addr=0 size=4096 virt_addr=0000000000000000 flags=GFP_KERNEL attrs=").action, DmaAction::Failed);
    assert_eq!(
        dma("dma_map_sg_err: a dir=TO_DEVICE dma_addrs={0x1000,0x2000} err=-5 attrs=").action,
        DmaAction::Failed
    );
}

#[test]
fn dma_memory() {
    // 6.12.35 printed no direction.
    let parsed = dma(
        "   (udev-worker)-532     [010] .....     4.878079: dma_alloc: 0000:c2:00.0 dma_addr=fe980000 size=524288 virt_addr=000000006cadbcb1 flags=GFP_KERNEL attrs=",
    );
    assert_eq!((parsed.direction, parsed.action), (None, DmaAction::Alloc(block(0xfe98_0000, 524_288))));
    let parsed = dma(
        "   kworker/u64:0-12      [011] .....   327.747763: dma_free: 0000:c2:00.0 dma_addr=fe980000 size=524288 virt_addr=000000006cadbcb1 attrs=",
    );
    assert_eq!(parsed.action, DmaAction::Free(block(0xfe98_0000, 524_288)));
    let parsed = dma(
        "              ip-258     [001] .....    16.730266: dma_alloc: 0000:00:06.0 dir=BIDIRECTIONAL dma_addr=fffff000 size=4096 virt_addr=000000005952a4ab flags=GFP_KERNEL|__GFP_NOWARN attrs=",
    );
    assert_eq!(parsed.action, DmaAction::Alloc(block(0xffff_f000, 4096)));
    for (line, expected) in [
        (
            "dma_alloc_pages: a dir=NONE dma_addr=1000 size=4096 virt_addr=000000005952a4ab flags=GFP_KERNEL attrs=",
            DmaAction::Alloc(block(0x1000, 4096)),
        ),
        (
            "dma_alloc_sgt: a dir=NONE dma_addr=1000 size=8192 phys_addrs={0x5000,0x7000} flags=GFP_KERNEL attrs=",
            DmaAction::Alloc(block(0x1000, 8192)),
        ),
        (
            "dma_free_pages: a dir=NONE dma_addr=1000 size=4096 virt_addr=000000005952a4ab attrs=",
            DmaAction::Free(block(0x1000, 4096)),
        ),
        (
            "dma_free_sgt: a dir=NONE dma_addr=1000 size=8192 phys_addrs={0x5000,0x7000}",
            DmaAction::Free(block(0x1000, 8192)),
        ),
    ] {
        assert_eq!(dma(line).action, expected, "{line}");
    }
}

#[test]
fn dma_list() {
    let new = "              dd-175     [001] .....    26.247759: dma_map_sg: 0000:00:02.0 dir=TO_DEVICE nents=2/2 ents=1/1 dma_addrs={0xfff80000} sizes={0x20000} phys_addrs={0xc61c000,0xc61d000} attrs=NO_WARN";
    let old = "dma_map_sg: 0000:00:02.0 dir=TO_DEVICE dma_addrs={0xfff80000} sizes={0x20000} phys_addrs={0xc61c000,0xc61d000} attrs=";
    let expected = ScatterList {
        blocks: vec![block(0xfff8_0000, 0x2_0000)],
        physical: vec![0xc61_c000, 0xc61_d000],
        truncated: false,
    };
    assert_eq!(dma(new).action, DmaAction::MapList(expected.clone()));
    assert_eq!(dma(old).action, DmaAction::MapList(expected.clone()));
    let cut = "dma_map_sg: 0000:00:02.0 dir=TO_DEVICE nents=2/300 ents=1/1 [TRUNCATED] dma_addrs={0xfff80000} sizes={0x20000} phys_addrs={0xc61c000,0xc61d000} attrs=";
    assert_eq!(dma(cut).action, DmaAction::MapList(ScatterList { truncated: true, ..expected }));

    let unmap = "          <idle>-0       [001] d.h1.    26.295455: dma_unmap_sg: 0000:00:02.0 dir=TO_DEVICE phys_addrs={0xc526000,0xc525000} attrs=";
    assert_eq!(dma(unmap).action, DmaAction::UnmapList { physical: vec![0xc52_6000, 0xc52_5000] });
}

#[test]
fn dma_list_printed_raw() {
    let parsed = dma(
        "              dd   181 [000]    36.523049:                 dma:dma_map_sg: [FAILED TO PARSE] device=0000:00:02.0 full_nents=1 full_ents=1 truncated=0 phys_addrs=ARRAY[00, 60, 73, 0c, 00, 00, 00, 00] dma_addrs=ARRAY[00, 00, b8, ff, 00, 00, 00, 00] lengths=ARRAY[00, 00, 02, 00] dir=1 attrs=0x100",
    );
    assert_eq!((&*parsed.device, parsed.direction), ("0000:00:02.0", Some(Direction::ToDevice)));
    let expected = ScatterList {
        blocks: vec![block(0xffb8_0000, 0x2_0000)],
        physical: vec![0xc73_6000],
        truncated: false,
    };
    assert_eq!(parsed.action, DmaAction::MapList(expected));

    let parsed = dma(
        "              dd-194   [000]    91.165889: dma_unmap_sg:         [FAILED TO PARSE] device=0000:00:02.0 addrs=ARRAY[00, 60, 83, 0d, 00, 00, 00, 00] dir=2 attrs=0x0",
    );
    assert_eq!(parsed.direction, Some(Direction::FromDevice));
    assert_eq!(parsed.action, DmaAction::UnmapList { physical: vec![0xd83_6000] });

    let parsed = dma(
        "kworker/2:1H-mm     183 [002]    32.472411:                 dma:dma_unmap_sg: [FAILED TO PARSE] device=ff160000.mmc addrs=ARRAY[00, 50, e2, 06, 08, 00, 00, 00] dir=2 attrs=0x0",
    );
    assert_eq!(parsed.action, DmaAction::UnmapList { physical: vec![0x8_06e2_5000] });

    let parsed =
        dma("dma:dma_free_sgt: [FAILED TO PARSE] device=a phys_addrs=ARRAY[] dma_addr=4096 size=8192 dir=0");
    assert_eq!(parsed.action, DmaAction::Free(block(0x1000, 8192)));
}

#[test]
fn dma_sync() {
    for line in [
        "dma_sync_single_for_cpu: 0000:00:02.0 dir=FROM_DEVICE dma_addr=fffbc000 size=4096",
        "dma_sync_single_for_device: 0000:00:02.0 dir=FROM_DEVICE dma_addr=fffbc000 size=4096",
        "dma_sync_sg_for_cpu: 0000:00:02.0 dir=FROM_DEVICE dma_addrs={0x1000} sizes={0x20}",
        "dma_sync_sg_for_device: 0000:00:02.0 dir=FROM_DEVICE dma_addrs={0x1000} sizes={0x20}",
    ] {
        assert_eq!(dma(line).action, DmaAction::Sync, "{line}");
    }
}

#[test]
fn probes() {
    assert_eq!(
        event(
            "             e2e-251     [000] dN.2.    25.066915: iova_alloc_tree: (alloc_iova_fast+0xf0/0x2b0 <- alloc_iova) iovad=0xff477bef01b17208 pages=4 limit_pfn=0xfffff size_aligned=1 pfn=0xfff38"
        ),
        Event::IovaAllocTree(IovaAllocTree {
            iovad: 0xff47_7bef_01b1_7208,
            granules: 4,
            limit_pfn: 0xf_ffff,
            size_aligned: true,
            pfn: Some(0xf_ff38)
        }),
    );
    assert_eq!(
        event(
            "             e2e-251     [000] dN.2.    25.068399: iova_alloc: (iommu_dma_alloc_iova+0xd4/0x120 <- alloc_iova_fast) iovad=0xff477bef01b17208 pages=3 limit_pfn=0xfffff flush=0 pfn=0x0"
        ),
        Event::IovaAlloc(IovaAlloc {
            iovad: 0xff47_7bef_01b1_7208,
            granules: 3,
            limit_pfn: 0xf_ffff,
            flush: Some(false),
            pfn: None
        }),
    );
    assert_eq!(
        event(
            "perf 12 [001] 25.115154: probe:iova_free: (ffffffff81000000) iovad=0xff477bef01b17208 pfn=0xfff38 pages=3"
        ),
        Event::IovaFree(IovaFree { iovad: 0xff47_7bef_01b1_7208, pfn: 0xf_ff38, granules: 3 }),
    );
}

#[test]
fn what_is_not_an_event() {
    let mut parser = Parser::default();
    for (line, lost_events) in [
        ("", 0),
        ("   ", 0),
        ("# tracer: nop", 0),
        ("# entries-in-buffer/entries-written: 76/80   #P:2", 4),
        ("##### CPU 1 buffer started ####", 0),
        ("cpus=2", 0),
        ("CPU 1 is empty", 0),
        ("CPU:1 [LOST 12 EVENTS]", 12),
        ("CPU:1 [7 EVENTS DROPPED]", 7),
        ("[LINE TOO BIG]", 1),
    ] {
        assert_eq!(parser.parse(line), Ok(Parsed::Ignored { lost_events }), "{line}");
    }
    for line in [
        "hello",
        "dd-1 [000] ..... 1.0: sched_switch: prev_comm=dd",
        "dd 1 [000] 1.0: f2fs:map: a",
        "dd 1 [000] 1.0: net:dma_map_page: a",
        "map: a b c",
        "my_driver_dma_transfer: dev=1",
    ] {
        assert_eq!(parser.parse(line), Ok(Parsed::Unknown), "{line}");
    }
}

#[test]
fn device_names_are_shared_and_bounded() {
    let mut devices = Devices::default();
    assert!(Arc::ptr_eq(&devices.intern("a"), &devices.intern("a")));
    for number in 0..3 * Devices::MAX {
        devices.intern(&number.to_string());
    }
    assert!(devices.0.len() <= Devices::MAX);
}

#[test]
fn names_round_trip() {
    for &name in EventName::ALL {
        assert_eq!(EventName::from_text(name.as_str()), Some(name));
    }
}
