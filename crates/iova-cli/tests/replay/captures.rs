//! Each capture of the repository, replayed with all the memory there is.

use crate::command::{Report, all_without_failures, captures};
use crate::facts::{Facts, facts};

/// Each capture's report with its facts.
fn with_facts() -> Vec<(Report, Facts)> {
    let mut facts = facts();
    let pair = |report: Report| {
        let name = report.text("name").rsplit('/').next().unwrap().to_owned();
        let facts = facts.remove(&name).unwrap_or_else(|| panic!("no facts about {name}"));
        (report, facts)
    };
    let pairs: Vec<_> = all_without_failures().captures().into_iter().map(pair).collect();
    assert_eq!(pairs.len(), captures().len());
    pairs
}

fn domains(report: &Report, number: &str) -> Vec<u64> {
    report.parts("domain_reports").iter().map(|domain| domain.number(number)).collect()
}

#[test]
fn every_capture_is_replayed_without_any_failure_or_loss() {
    for (report, _) in with_facts() {
        let name = report.text("name");
        report.check_soundness();
        assert_eq!(report.failed_allocations(), [0; 3], "{name}");
        for nothing in ["unparsed_lines", "malformed_lines", "skipped_frees", "failed_node_allocations"] {
            assert_eq!(report.number(nothing), 0, "{nothing} of {name}");
        }
        let operations =
            report.number("allocations") + report.number("frees") + report.number("unmatched_frees");
        assert_eq!(operations, report.number("operations"), "{name}");
        assert!(report.number("allocations") > 0 && report.number("node_allocations") > 0, "{name}");
    }
}

#[test]
fn what_the_probes_saw_agrees_with_the_facts() {
    let mut compared = 0;
    for (report, facts) in with_facts().iter().filter(|(_, facts)| facts.event("iova_alloc") > 0) {
        compared += 1;
        let name = report.text("name");
        assert_eq!(report.text("source"), "probes of the allocator", "{name}");
        assert_eq!(report.number("allocations"), facts.event("iova_alloc"), "{name}");
        assert_eq!(report.number("allocations"), facts.allocations_by_size, "{name}");
        assert_eq!(report.number("frees"), facts.event("iova_free") - facts.unmatched, "{name}");
        assert_eq!(report.number("unmatched_frees"), facts.unmatched, "{name}");
        assert_eq!(report.number("failed_in_kernel"), facts.failed, "{name}");
        assert_eq!(report.number("domains"), facts.domains, "{name}");
        assert_eq!(domains(report, "peak_live_granules"), facts.peak_live, "{name}");
        assert_eq!(domains(report, "live_granules"), facts.final_live, "{name}");
    }
    assert_eq!(compared, 21);
}

#[test]
fn without_probes_each_unmap_is_the_free_of_one_allocation() {
    let mut compared = 0;
    for (report, facts) in with_facts().iter().filter(|(_, facts)| facts.event("iova_alloc") == 0) {
        compared += 1;
        let name = report.text("name");
        assert_eq!(report.text("source"), "iommu:map and iommu:unmap events", "{name}");
        assert_eq!(report.number("frees") + report.number("unmatched_frees"), facts.event("unmap"), "{name}");
        assert!(report.number("allocations") <= facts.event("map"), "{name}");
        assert_eq!(report.number("domains"), 1, "{name}");
    }
    assert_eq!(compared, 2);
}

#[test]
fn every_line_is_an_event_or_the_header() {
    for (report, facts) in with_facts() {
        let header = report.number("lines") - facts.events;
        assert!((1..=15).contains(&header), "{header} lines of header in {}", report.text("name"));
    }
}

#[test]
fn peaks_and_occupancy_fit_together() {
    for (report, _) in with_facts() {
        let name = report.text("name");
        let peaks = domains(&report, "peak_live_ranges");
        let peak = report.number("peak_live_ranges");
        assert!(peaks.iter().max().unwrap() <= &peak && peak <= peaks.iter().sum(), "{name}");
        for domain in report.parts("domain_reports") {
            let at_peak = domain.number("at_peak/span_granules") - domain.number("at_peak/hole_granules");
            assert_eq!(at_peak, domain.number("peak_live_granules"), "{name}");
            let at_end = domain.number("at_end/span_granules") - domain.number("at_end/hole_granules");
            assert_eq!(at_end, domain.number("live_granules"), "{name}");
            assert!(domain.number("node_bytes") <= domain.number("peak_node_bytes"), "{name}");
            assert_eq!(domain.number("live_ranges") == 0, domain.number("node_bytes") == 0, "{name}");
        }
        assert!(domains(&report, "peak_node_bytes").iter().sum::<u64>() >= report.number("peak_node_bytes"));
    }
}

#[test]
fn totals_are_the_sums_over_the_captures() {
    let all = all_without_failures();
    let sums = [
        "operations",
        "allocations",
        "frees",
        "node_allocations",
        "lines",
        "domains",
        "live_ranges",
        "placement/served_by_cpu_caches",
        "placement/served_by_tree",
        "placement/equal",
        "placement/equal_among_used",
        "placement/kernel_began_lower",
    ];
    for number in sums {
        let sum: u64 = all.captures().iter().map(|report| report.number(number)).sum();
        assert_eq!(all.number(number), sum, "{number}");
        assert!(sum > 0, "{number}");
    }
    for number in ["peak_node_bytes", "peak_live_ranges"] {
        let highest = all.captures().iter().map(|report| report.number(number)).max().unwrap();
        assert_eq!(all.number(number), highest, "{number}");
    }
    all.check_soundness();
}

#[test]
fn each_operation_was_timed() {
    let all = all_without_failures();
    for (kind, count) in [("allocate", "allocations"), ("free", "frees")] {
        let latency = |figure| all.number(&format!("latency_ns/{kind}/{figure}"));
        assert_eq!(latency("count"), all.number(count));
        let figures = ["p50", "p90", "p99", "p999", "max"].map(latency);
        assert!(figures.is_sorted() && figures[0] > 0, "{figures:?}");
    }
}
