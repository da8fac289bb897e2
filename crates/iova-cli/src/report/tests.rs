use super::*;
use crate::capture::Capture;
use crate::replay::{Latencies, Occupancy, Outcome};

fn domain() -> DomainOutcome {
    DomainOutcome {
        name: "a domain".into(),
        live_ranges: 0,
        live_granules: 0,
        peak_live_ranges: 0,
        peak_live_granules: 0,
        at_peak: Occupancy::default(),
        at_end: Occupancy::default(),
        leaked_granules: 0,
        violation: None,
        node_bytes: 0,
        peak_node_bytes: 0,
    }
}

/// A report of these outcomes, one capture each.
fn report(outcomes: Vec<Outcome>) -> Report {
    let capture = || Capture {
        name: "a capture".into(),
        counts: iova_trace::Counts::default(),
        malformed: Vec::new(),
        requests: iova_trace::Requests::default(),
    };
    let replayed = |outcome| Replayed { capture: capture(), outcome, placement: Placement::default() };
    Report::new(Replays {
        plan: Plan::Never,
        latencies: Latencies::new().unwrap(),
        captures: outcomes.into_iter().map(replayed).collect(),
        unreadable: Vec::new(),
    })
}

fn text(report: &Report) -> String {
    let mut text = Vec::new();
    text::write(&mut text, report).unwrap();
    String::from_utf8(text).unwrap()
}

fn sound() -> Outcome {
    Outcome { domains: vec![domain()], ..Outcome::default() }
}

/// Reports a defect next to a sound capture, and checks the verdict.
fn reported(outcome: Outcome) -> String {
    let report = report(vec![sound(), outcome]);
    assert!(!report.is_sound());
    let text = text(&report);
    assert!(text.contains("\nDEFECT: ") && !text.contains("Every free succeeded"), "{text}");
    text
}

#[test]
fn a_misplaced_allocation_is_a_defect() {
    let text = reported(Outcome { misplaced: 2, ..sound() });
    assert!(text.contains("MISPLACED         2 allocations"), "{text}");
}

#[test]
fn without_defects_a_report_is_sound() {
    let without_frees = report(vec![sound(), sound()]);
    assert!(without_frees.is_sound());
    assert!(text(&without_frees).contains("\nNo range was freed."));
    let report = report(vec![sound(), Outcome { frees: 1, ..sound() }]);
    assert!(report.is_sound());
    let text = text(&report);
    assert!(text.contains("\nEvery free succeeded") && !text.contains("DEFECT"), "{text}");
}

#[test]
fn a_failed_free_is_a_defect() {
    let text = reported(Outcome { failed_frees: 3, ..sound() });
    assert!(text.contains("  frees             0; failed: 3;"), "{text}");
}

#[test]
fn a_node_allocation_during_a_free_is_a_defect() {
    let text = reported(Outcome { erase_allocations: 2, ..sound() });
    assert!(text.contains(" 0 failed, 2 during frees"), "{text}");
}

#[test]
fn a_leak_is_a_defect() {
    let domains = vec![domain(), DomainOutcome { leaked_granules: 5, ..domain() }];
    let text = reported(Outcome { domains, ..Outcome::default() });
    assert!(text.contains("      LOST 5 granules\n"), "{text}");
    assert!(text.contains("5 granules lost\n"), "{text}");
}

#[test]
fn leaks_that_cancel_out_are_defects() {
    let leak = |leaked_granules| DomainOutcome { leaked_granules, ..domain() };
    let text = reported(Outcome { domains: vec![leak(5), leak(-5)], ..Outcome::default() });
    assert!(text.contains("LOST 5 granules") && text.contains("LOST -5 granules"), "{text}");
}

#[test]
fn a_tree_that_is_not_valid_is_a_defect() {
    let invalid = DomainOutcome { violation: Some("D2: wrong".into()), ..domain() };
    let text = reported(Outcome { domains: vec![domain(), invalid], ..Outcome::default() });
    assert!(text.contains("      NOT VALID: D2: wrong\n"), "{text}");
}

#[test]
fn a_failed_allocation_is_no_defect() {
    let outcome = Outcome { no_address_space: 1, no_node_memory: 2, bad_requests: 4, ..sound() };
    let report = report(vec![outcome, sound()]);
    assert!(report.is_sound());
    let failed = report.totals.failed_allocations;
    assert_eq!((failed.address_space, failed.node_memory, failed.bad_request), (1, 2, 4));
}

#[test]
fn totals_are_sums_and_the_highest_peaks() {
    let outcome = |allocations, peak_live_ranges| Outcome { allocations, peak_live_ranges, ..sound() };
    let totals = report(vec![outcome(3, 2), outcome(5, 4), outcome(1, 1)]).totals;
    assert_eq!((totals.allocations, totals.peak_live_ranges, totals.domains), (9, 4, 3));
}
