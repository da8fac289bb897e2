use super::*;

fn fault(line: &str) -> (EventName, String) {
    match Parser::default().parse(line) {
        Err((Some(name), fault)) => (name, fault.to_string()),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn malformed_lines_name_the_field() {
    for (line, event, reason) in [
        (
            "dd-1 [000] ..... 1.0: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0c586000",
            "map",
            "field `size` is missing, expected a number",
        ),
        (
            "map: IOMMU: iova=0xzz - 0x0000000100000000 paddr=0x0c586000 size=4096",
            "map",
            "field `iova` is `0xzz`, expected a hexadecimal number",
        ),
        (
            "map: IOMMU: iova=0x1000 - 0x2000 paddr=0x0 size=8192",
            "map",
            "the printed end differs from `iova` + `size`",
        ),
        (
            "map: IOMMU: iova=0x1000 - 2000 paddr=0x0 size=8192",
            "map",
            "field `iova` is `2000`, expected a hexadecimal number behind ` - `",
        ),
        ("map: IOMMU: iova=0x1000 paddr=0x0 size=-4096", "map", "field `size` is `-4096`, expected a number"),
        (
            "map: IOMMU: iova=0x10000000000000000 paddr=0x0 size=1",
            "map",
            "field `iova` is `0x10000000000000000`, expected a hexadecimal number",
        ),
        (
            "dd-1 [000] ..... 1.0: map: IOMM",
            "map",
            "field `IOMMU` is `IOMM`, expected the text `IOMMU:` behind the event's name",
        ),
        (
            "unmap: IOMMU: iova=0x1000 - 0x2000 size=4096",
            "unmap",
            "field `unmapped_size` is missing, expected a number",
        ),
        (
            "attach_device_to_domain: IOMMU: group=1",
            "attach_device_to_domain",
            "field `device` is missing, expected a device's name",
        ),
        // No kernel prints this, some pages do.
        (
            "dma_map_page: dev=0000:01:00.0 phys=0x1000 dir=FROM forced_unmap=0",
            "dma_map_page",
            "field `device` is missing, expected a device's name",
        ),
        (
            "dma_map_page: a dir=FROM dma_addr=1 size=1 phys_addr=1",
            "dma_map_page",
            "field `dir` is `FROM`, expected BIDIRECTIONAL, TO_DEVICE, FROM_DEVICE, NONE, or 0 to 3",
        ),
        (
            "dma_map_page: a dir=NONE dma_addr= size=1 phys_addr=1",
            "dma_map_page",
            "field `dma_addr` is ``, expected a hexadecimal number",
        ),
        (
            "dma_map_page: a dir=NONE dma_addr=1 size=0x phys_addr=1",
            "dma_map_page",
            "field `size` is `0x`, expected a number",
        ),
        (
            "dma_unmap_page: a dir=NONE dma_addr=+1 size=1",
            "dma_unmap_page",
            "field `dma_addr` is `+1`, expected a hexadecimal number",
        ),
        (
            "dma_map_sg: a dir=NONE dma_addrs={0x1,0x2} sizes={0x1} phys_addrs={0x1}",
            "dma_map_sg",
            "there are not as many sizes as addresses",
        ),
        (
            "dma_unmap_sg: a dir=NONE phys_addrs={0x1,",
            "dma_unmap_sg",
            "field `phys_addrs` is `{0x1,`, expected a list `{0x1000,...}` or `ARRAY[00, ...]` of 8-byte numbers",
        ),
        (
            "dma_unmap_sg: a dir=NONE phys_addrs={0x1,0x2[LINE TOO BIG]",
            "dma_unmap_sg",
            "the kernel cut the line (`[LINE TOO BIG]`), expected the whole event",
        ),
        (
            "dma_unmap_sg: [FAILED TO PARSE] device=a addrs=ARRAY[00, 100] dir=2",
            "dma_unmap_sg",
            "field `addrs` is `ARRAY[00, 100]`, expected a list `{0x1000,...}` or `ARRAY[00, ...]` of 8-byte numbers",
        ),
        (
            "iova_alloc: (f <- g) iovad=0x1 pages=1 limit_pfn=0xg pfn=0x1",
            "iova_alloc",
            "field `limit_pfn` is `0xg`, expected a number",
        ),
        (
            "iova_alloc_tree: (f <- g) iovad=0x1 pages=1 limit_pfn=1 size_aligned=yes pfn=0x1",
            "iova_alloc_tree",
            "field `size_aligned` is `yes`, expected 0 or 1",
        ),
        ("iova_free: (f) pfn=0x1 pages=1", "iova_free", "field `iovad` is missing, expected a number"),
    ] {
        let (name, text) = fault(line);
        assert_eq!((name.as_str(), text.as_str()), (event, reason), "{line}");
    }
}

#[test]
fn a_broken_list_is_not_quoted_whole() {
    let (_, text) = fault(&format!("dma_unmap_sg: a phys_addrs={{{}", "0x1000,".repeat(1000)));
    assert!(text.contains("0x1000,0x10...`"), "{text}");
}
