//! Lines that cannot be read: they are reported, and the rest is replayed.

use crate::command::{file, probes, run, run_with_input};

const GOOD: &str = "iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=0 pfn=0xff";
const BAD: &str = "iova_alloc iovad=0x1 pages=many limit_pfn=0xff flush=0 pfn=0xff";
const FAULT: &str = "iova_alloc: field `pages` is `many`, expected a number";

#[test]
fn a_malformed_line_is_reported_with_its_place_and_the_rest_is_replayed() {
    let path = file("malformed.txt", probes(&[GOOD, BAD, "iova_free iovad=0x1 pfn=0xff", GOOD]).as_bytes());
    let report = run(&[&path, "--json"]).report();
    let numbers = ["malformed_lines", "unparsed_lines", "lines", "allocations"];
    assert_eq!(numbers.map(|number| report.number(number)), [2, 2, 4, 2]);
    let told = report.captures()[0].value("malformed").clone();
    let missing = "iova_free: field `pages` is missing, expected a number";
    assert_eq!(told, serde_json::json!([format!("{path}:2: {FAULT}"), format!("{path}:3: {missing}")]));

    let text = run(&[&path]);
    assert_eq!((text.code, text.err.as_str()), (Some(0), ""));
    assert!(text.out.contains(&format!("  malformed         {path}:2: {FAULT}\n")), "{}", text.out);
    assert!(text.out.contains("  lines             4, 2 of them not understood\n"), "{}", text.out);
}

#[test]
fn of_many_malformed_lines_the_first_ten_are_told() {
    let lines = [&[BAD; 13], &[GOOD][..]].concat();
    let input = probes(&lines);
    let report = run_with_input(&["-", "--json"], input.as_bytes()).report();
    assert_eq!((report.number("malformed_lines"), report.number("allocations")), (13, 1));
    let told = report.captures()[0].value("malformed").as_array().unwrap().len();
    assert_eq!(told, 10);
    let text = run_with_input(&["-"], input.as_bytes()).out;
    assert_eq!(text.matches(FAULT).count(), 10);
    assert!(text.contains("  malformed         and 3 more lines\n"), "{text}");
}

#[test]
fn if_nothing_but_malformed_lines_is_there_the_refusal_says_so() {
    let printed = run_with_input(&["-"], probes(&[BAD, BAD]).as_bytes());
    let message = printed.refusal();
    let expected = format!("; 2 lines are malformed, first standard input:1: {FAULT}");
    assert!(message.contains("no allocations in 2 lines") && message.ends_with(&expected), "{message}");
}

#[test]
fn unknown_lines_are_counted_and_passed_over() {
    let mut input = b"Some prose.\n\n# a comment\n".to_vec();
    input.extend(probes(&[GOOD, "sched_switch prev_comm=a next_comm=b"]).bytes());
    input.extend(b"\xff\xfe\x00 not even text\n");
    let report = run_with_input(&["-", "--json"], &input).report();
    let numbers = ["lines", "unparsed_lines", "malformed_lines", "allocations"];
    assert_eq!(numbers.map(|number| report.number(number)), [6, 3, 0, 1]);
}
