use super::*;

fn prefix(line: &str) -> (Option<u32>, Option<u32>, Option<u64>, &str) {
    let split = split(line).unwrap();
    (split.cpu, split.pid, split.time_ns, split.event)
}

const US: u64 = 1_000;

#[test]
fn ftrace() {
    let line = "    kworker/u8:3-56      [001] .....    16.113326: map: IOMMU: iova=0x1 - 0x2";
    assert_eq!(prefix(line), (Some(1), Some(56), Some(16_113_326 * US), "map"));
    assert_eq!(split(line).unwrap().body, "IOMMU: iova=0x1 - 0x2");
    let line = "          <idle>-0       [001] d.h1.    26.295455: dma_unmap_sg: 0000:00:02.0 dir=TO_DEVICE";
    assert_eq!(prefix(line), (Some(1), Some(0), Some(26_295_455 * US), "dma_unmap_sg"));
}

#[test]
fn flags_of_all_widths() {
    for flags in ["....", ".....", ".......", "d.h1.", "dNs1.", "b..1."] {
        let line = format!("dd-198 [003] {flags} 106.614681: map: IOMMU:");
        assert_eq!(prefix(&line), (Some(3), Some(198), Some(106_614_681 * US), "map"), "{flags}");
    }
    assert_eq!(
        prefix("dd-198 [003] 106.614681: map: IOMMU:"),
        (Some(3), Some(198), Some(106_614_681 * US), "map")
    );
}

#[test]
fn ftrace_with_thread_group() {
    let line = "              dd-198     (    198) [000]    106.614681: map: IOMMU: iova=";
    assert_eq!(prefix(line), (Some(0), Some(198), Some(106_614_681 * US), "map"));
    let line = "  (udev-worker)-532     (-----) [010] .....     4.878076: map: IOMMU: iova=";
    assert_eq!(prefix(line), (Some(10), Some(532), Some(4_878_076 * US), "map"));
}

#[test]
fn odd_task_names() {
    let pid = |line: &str| split(line).unwrap().pid;
    assert_eq!(pid("   (udev-worker)-532     [010] .....     4.878076: map: x"), Some(532));
    assert_eq!(pid("irq/26-AMD-Vi-154     [006] .....   327.753942: io_page_fault: x"), Some(154));
    assert_eq!(pid("    gst-launch-1.0-606     [000] .....   714.634435: unmap: x"), Some(606));
    assert_eq!(pid("  Web Content: 1-77     [000] .....   714.634435: unmap: x"), Some(77));
    assert_eq!(pid("   <...>-77     [000] .....   714.634435: unmap: x"), Some(77));
    assert_eq!(pid("   3: 4.5: map: -77     [000] .....   714.634435: unmap: x"), None);
}

#[test]
fn latency_format() {
    for (mark, cpu) in [("+", 0), (" ", 12), ("!", 3), ("#", 1), ("", 0)] {
        let line = format!("      dd-198     {cpu}d.h1. 78659us{mark}: map: IOMMU: iova=");
        assert_eq!(prefix(&line), (Some(cpu), Some(198), Some(78_659 * US), "map"), "{line}");
    }
}

#[test]
fn trace_cmd() {
    let line = "              dd-194   [001]    91.146369: map:                  IOMMU: iova=0x1";
    assert_eq!(prefix(line), (Some(1), Some(194), Some(91_146_369 * US), "map"));
    assert_eq!(split(line).unwrap().body, "IOMMU: iova=0x1");
}

#[test]
fn perf() {
    let line = "            ping   184 [001]    35.327109:               dma:dma_map_page: 0000:00:04.0 dir=TO_DEVICE";
    assert_eq!(prefix(line), (Some(1), Some(184), Some(35_327_109 * US), "dma_map_page"));
    assert_eq!(split(line).unwrap().system, Some("dma"));
    let line = "kworker/2:1H-mm     183 [002]    32.472411:                 dma:dma_unmap_sg: [FAILED TO PARSE] device=a";
    assert_eq!(prefix(line), (Some(2), Some(183), Some(32_472_411 * US), "dma_unmap_sg"));
}

#[test]
fn perf_with_chosen_columns() {
    let expected = (Some(0), Some(184), Some(35_211_691 * US), "map");
    assert_eq!(
        prefix("              dd   183/184   [000]    35.211691:                      iommu:map: x"),
        expected
    );
    assert_eq!(
        prefix("              dd   184   [000]    35.211691:          1             iommu:map: x"),
        expected
    );
    assert_eq!(
        prefix("  dd   [000]    35.211691:  iommu:map: x"),
        (Some(0), None, Some(35_211_691 * US), "map")
    );
    assert_eq!(
        prefix("  dd  184  35.211691000:  iommu:map: x"),
        (None, Some(184), Some(35_211_691 * US), "map")
    );
    assert_eq!(prefix("  35.211691:  iommu:map: x"), (None, None, Some(35_211_691 * US), "map"));
}

#[test]
fn no_prefix() {
    let line = "  map: IOMMU: iova=0x0000000ffff36000 paddr=0x00000001164d8000 size=4096";
    assert_eq!(prefix(line), (None, None, None, "map"));
    assert!(!split(line).unwrap().prefixed);
}

#[test]
fn a_clock_without_time() {
    assert_eq!(prefix("dd-198 [003] ..... 123456: map: IOMMU:"), (Some(3), Some(198), None, "map"));
    assert_eq!(split("dd-198 [003] ..... 99999999999999999999.5: map: IOMMU:"), None);
}

#[test]
fn no_event() {
    for line in ["", ":", "::", "hello", "a b: c", "12.5: ", "12.5: a b: c", "\u{3000}: x"] {
        assert_eq!(split(line), None, "{line:?}");
    }
}

#[test]
fn a_long_line_is_not_searched_to_its_end() {
    assert_eq!(split(&": ".repeat(1 << 19)), None);
}
