//! What is typed wrongly is refused, and the message says why.

use crate::command::{capture, run};

#[track_caller]
fn refused(options: &[&str], expected: &[&str]) {
    let small = capture("boot-probe-all-lazy");
    let printed = run(&[&[small.as_str()], options].concat());
    let message = printed.refusal();
    for text in expected {
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn a_probability_is_between_0_and_1() {
    for value in ["2", "1.0001", "NaN", "inf"] {
        refused(
            &["--fail-nodes", value],
            &[&format!("'{value}'"), "--fail-nodes <P>", "not between 0 and 1"],
        );
    }
    refused(&["--fail-nodes=-0.1"], &["'-0.1'", "not between 0 and 1"]);
}

#[test]
fn a_probability_is_a_number() {
    refused(&["--fail-nodes", "often"], &["'often'", "--fail-nodes <P>", "invalid float"]);
    refused(&["--fail-nodes"], &["a value is required", "--fail-nodes <P>"]);
}

#[test]
fn the_first_node_allocation_has_number_1() {
    refused(&["--fail-after", "0"], &["'0'", "--fail-after <N>", "0 is not in 1.."]);
}

#[test]
fn a_seed_needs_something_random() {
    refused(&["--seed", "3"], &["required arguments were not provided", "--fail-nodes <P>"]);
    refused(
        &["--seed", "3", "--fail-after", "3"],
        &["--seed <N>", "cannot be used with", "--fail-after <N>"],
    );
}

#[test]
fn a_seed_is_a_number() {
    refused(&["--fail-nodes", "0.5", "--seed", "x"], &["'x'", "--seed <N>", "invalid digit"]);
}

#[test]
fn the_two_ways_to_fail_exclude_each_other() {
    let expected = ["--fail-nodes <P>", "cannot be used with", "--fail-after <N>"];
    refused(&["--fail-nodes", "0.5", "--fail-after", "3"], &expected);
}

#[test]
fn an_unknown_option_is_refused() {
    refused(&["--fast"], &["unexpected argument '--fast'"]);
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let printed = run(&["--help"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    let mentioned =
        ["--fail-nodes <P>", "--fail-after <N>", "--seed <N>", "--json", "Exits with 1 if", "with 2"];
    for text in mentioned {
        assert!(printed.out.contains(text), "{}", printed.out);
    }
}
