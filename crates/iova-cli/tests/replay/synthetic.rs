//! Small captures that show one thing each.

use crate::command::replay_probes;

#[test]
fn an_allocation_that_failed_in_the_kernel_is_tried_and_freed_at_once() {
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=1 pfn=0x10",
            "iova_alloc iovad=0x1 pages=8 limit_pfn=0xff flush=1 pfn=0x0",
            "iova_free iovad=0x1 pfn=0x10 pages=1",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!((report.number("failed_in_kernel"), report.number("failed_in_kernel_only")), (1, 1));
    assert_eq!((report.number("allocations"), report.number("frees")), (2, 2));
    assert_eq!((report.number("live_ranges"), report.number("peak_live_ranges")), (0, 2));
    assert_eq!(report.captures()[0].number("domain_reports/0/peak_live_granules"), 9);
}

#[test]
fn a_request_that_no_allocator_can_serve_fails_here_too() {
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=1 pfn=0x10",
            "iova_alloc iovad=0x1 pages=512 limit_pfn=0xff flush=1 pfn=0x0",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!((report.number("failed_in_kernel"), report.number("failed_in_kernel_only")), (1, 0));
    assert_eq!(report.failed_allocations(), [1, 0, 0]);
}

#[test]
fn a_full_address_space_is_no_lack_of_memory() {
    // Below the limit are four granules; the fifth allocation finds none, and its free is skipped.
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x1",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x2",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x3",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x4",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x5",
            "iova_free iovad=0x1 pfn=0x5 pages=1",
            "iova_free iovad=0x1 pfn=0x1 pages=1",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x3 flush=1 pfn=0x1",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!(report.failed_allocations(), [1, 0, 0]);
    assert_eq!((report.number("skipped_frees"), report.number("frees")), (1, 1));
    assert_eq!((report.number("allocations"), report.number("live_ranges")), (5, 4));
}

#[test]
fn requests_that_make_no_sense_are_bad_requests() {
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=0 limit_pfn=0xff flush=1 pfn=0x0",
            "iova_alloc iovad=0x1 pages=18446744073709551615 limit_pfn=0xff flush=1 pfn=0x0",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=1 pfn=0xff",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!(report.failed_allocations(), [0, 0, 2]);
    assert_eq!((report.number("failed_in_kernel"), report.number("allocations")), (2, 1));
}

#[test]
fn domains_have_address_spaces_of_their_own() {
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=4 limit_pfn=0x3 flush=1 pfn=0x4",
            "iova_alloc iovad=0x2 pages=4 limit_pfn=0x3 flush=1 pfn=0x4",
            "iova_free iovad=0x1 pfn=0x4 pages=4",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!(report.failed_allocations(), [0; 3]);
    let domains = report.captures()[0].parts("domain_reports");
    let live: Vec<_> =
        domains.iter().map(|domain| (domain.text("name"), domain.number("live_granules"))).collect();
    assert_eq!(live, [("iovad=0x1", 0), ("iovad=0x2", 4)]);
}

#[test]
fn a_capture_may_begin_in_the_middle() {
    let report = replay_probes(
        &[
            "iova_free iovad=0x1 pfn=0xfe pages=2",
            "iova_alloc iovad=0x1 pages=2 limit_pfn=0xff flush=1 pfn=0xfe",
            "iova_free iovad=0x1 pfn=0xf0 pages=1",
            "iova_free iovad=0x2 pfn=0xf0 pages=1",
            "iova_free iovad=0x1 pfn=0xfe pages=2",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!((report.number("operations"), report.number("unmatched_frees")), (5, 3));
    assert_eq!((report.number("allocations"), report.number("frees")), (1, 1));
    assert_eq!(report.number("domains"), 2);
}

#[test]
fn lost_events_in_a_capture_do_not_end_the_replay() {
    // What overlaps is freed first; and the placements can still be compared.
    let report = replay_probes(
        &[
            "iova_free iovad=0x1 pfn=0xfc pages=4",
            "iova_alloc_tree iovad=0x1 pages=1 limit_pfn=0xff size_aligned=1 pfn=0xfc",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=1 pfn=0xfc",
            "iova_alloc iovad=0x1 pages=2 limit_pfn=0xff flush=1 pfn=0xfe",
            "iova_alloc iovad=0x1 pages=8 limit_pfn=0xff flush=1 pfn=0xf8",
        ],
        &[],
    );
    report.check_soundness();
    assert_eq!((report.number("allocations"), report.number("frees")), (3, 2));
    assert_eq!(report.number("placement/served_by_tree"), 1);
}

#[test]
fn numbers_at_the_edges_are_survived() {
    let report = replay_probes(
        &[
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0x0 flush=1 pfn=0x1",
            "iova_alloc iovad=0x1 pages=1 limit_pfn=0xffffffffffffffff flush=1 pfn=0xffffffffffffffff",
            "iova_free iovad=0x1 pfn=0xffffffffffffffff pages=1",
            "iova_alloc iovad=0x1 pages=2 limit_pfn=0xff flush=1 pfn=0xffffffffffffffff",
            "iova_free iovad=0x2 pfn=0x0 pages=18446744073709551615",
            "iova_alloc_tree iovad=0x3 pages=18446744073709551615 limit_pfn=0xff size_aligned=1 pfn=0x1",
            "iova_alloc iovad=0x3 pages=1 limit_pfn=0xff flush=1 pfn=0x1",
            "iova_alloc_tree iovad=0x4 pages=1 limit_pfn=0x10000000000000 size_aligned=1 pfn=0x10000000000000",
            "iova_alloc iovad=0x4 pages=1 limit_pfn=0x10000000000000 flush=1 pfn=0x10000000000000",
            "iova_alloc_tree iovad=0x5 pages=1 limit_pfn=0xff size_aligned=1 pfn=0xffffff",
            "iova_alloc iovad=0x5 pages=1 limit_pfn=0xff flush=1 pfn=0xffffff",
            "iova_alloc iovad=0x6 pages=9223372036854775808 limit_pfn=0xff flush=1 pfn=0x1",
            "iova_alloc_tree iovad=0x7 pages=4503599627370495 limit_pfn=0xff size_aligned=0 pfn=0x1",
        ],
        &[],
    );
    report.check_soundness();
    // One range is past the end of all pfns and is left out; two are larger than their address space.
    assert_eq!((report.number("operations"), report.number("domains")), (9, 7));
    assert_eq!(report.failed_allocations(), [2, 0, 0]);
    assert_eq!((report.number("allocations"), report.number("frees")), (5, 1));
}

#[test]
fn node_failures_leave_a_full_domain_valid() {
    let allocate = |pfn| format!("iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=1 pfn={pfn:#x}");
    let free = |pfn| format!("iova_free iovad=0x1 pfn={pfn:#x} pages=1");
    let lines: Vec<String> = (1..=256).map(allocate).chain((1..=256).step_by(2).map(free)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let full = replay_probes(&lines, &[]);
    assert_eq!((full.number("allocations"), full.number("live_ranges")), (256, 128));
    for first_failure in 1..=full.number("node_allocations") {
        let report = replay_probes(&lines, &["--fail-after", &first_failure.to_string()]);
        report.check_soundness();
        let [address_space, node_memory, bad_request] = report.failed_allocations();
        assert_eq!((address_space, bad_request), (0, 0));
        assert!(node_memory > 0);
        assert_eq!(report.number("allocations") + node_memory, 256);
    }
}
