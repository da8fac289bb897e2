//! How close our placements are to the kernel's, so that it is seen if they drift away.

use crate::command::{Report, all_without_failures};
use crate::facts::facts;

fn sum(report: &Report, classes: &[&str]) -> u64 {
    classes.iter().map(|class| report.number(&format!("placement/{class}"))).sum()
}

const EXPLAINED: [&str; 3] = ["equal", "equal_among_used", "kernel_began_lower"];
const UNEXPLAINED: [&str; 3] = ["kernel_start_unknown", "held_unseen", "returned_unseen"];

#[test]
fn each_request_that_the_tree_served_is_in_one_class() {
    let mut facts = facts();
    for report in all_without_failures().captures() {
        let name = report.text("name").rsplit('/').next().unwrap().to_owned();
        let facts = facts.remove(&name).unwrap();
        let served_by_tree = report.number("placement/served_by_tree");
        assert_eq!(served_by_tree, facts.event("iova_alloc_tree"), "{name}");
        assert_eq!(sum(&report, &EXPLAINED) + sum(&report, &UNEXPLAINED), served_by_tree, "{name}");
        // One capture has probes, but not that of the tree, so nothing is known of its placements.
        let served = served_by_tree + report.number("placement/served_by_cpu_caches");
        let allocations = if served_by_tree > 0 { facts.event("iova_alloc") } else { 0 };
        assert_eq!(served, allocations, "{name}");
    }
}

#[test]
fn all_placements_but_one_are_explained() {
    let all = all_without_failures();
    let [served, explained] = [sum(all, &["served_by_tree"]), sum(all, &EXPLAINED)];
    assert!(served >= 11_315, "{served}");
    assert!(served - explained <= 1, "{explained} of {served} are explained");
    assert_eq!(sum(all, &["held_unseen", "returned_unseen"]), 0);
}

#[test]
fn most_placements_are_the_kernels() {
    let all = all_without_failures();
    let [equal, among_used] = ["equal", "equal_among_used"].map(|class| sum(all, &[class]));
    assert!(
        equal >= 1_379 && equal + among_used >= 10_429,
        "{equal} equal, {among_used} among used addresses"
    );
}
