//! Every capture with node allocations that fail.

use crate::command::{Report, all_without_failures, capture, replay_all, run};

/// Replays everything under pressure and checks each capture against its replay without; returns the totals.
fn check(options: &[&str], check_capture: impl Fn(&Report, &Report)) -> Report {
    let all = replay_all(options);
    let pairs = all.captures().into_iter().zip(all_without_failures().captures());
    for (pressed, free) in pairs {
        let name = pressed.text("name");
        assert_eq!(name, free.text("name"));
        pressed.check_soundness();
        let [address_space, node_memory, bad_request] = pressed.failed_allocations();
        assert_eq!((address_space, bad_request), (0, 0), "{name} {options:?}");
        for same in ["operations", "unmatched_frees", "lines", "domains", "placement"] {
            assert_eq!(pressed.value(same), free.value(same), "{same} of {name} {options:?}");
        }
        assert_eq!(
            pressed.number("allocations") + node_memory,
            free.number("allocations"),
            "{name} {options:?}"
        );
        let frees = pressed.number("frees") + pressed.number("skipped_frees");
        assert_eq!(frees, free.number("frees"), "{name} {options:?}");
        // No allocation fails by itself, and no node allocation fails unnoticed.
        assert_eq!(pressed.number("failed_node_allocations"), node_memory, "{name} {options:?}");
        check_capture(&pressed, &free);
    }
    all
}

#[test]
fn random_failures_harm_no_free() {
    for seed in ["7", "18446744073709551615"] {
        let all = check(&["--fail-nodes", "0.3", "--seed", seed], |_, _| {});
        let [_, failed, _] = all.failed_allocations();
        let calls = all.number("node_allocations");
        // Of thousands of calls, 30 % fail.
        assert!(calls > 5000 && (calls / 4..calls * 7 / 20).contains(&failed), "{failed} of {calls} failed");
        assert_eq!(all.number("seed").to_string(), seed);
    }
}

#[test]
fn memory_that_ends_early_harms_no_free() {
    for first_failure in [1, 2, 5, 20, 100] {
        let all = check(&["--fail-after", &first_failure.to_string()], |pressed, free| {
            let succeeded = pressed.number("node_allocations") - pressed.number("failed_node_allocations");
            let wanted = free.number("node_allocations");
            let name = pressed.text("name");
            assert_eq!(succeeded, wanted.min(first_failure - 1), "{name}, {first_failure}");
            assert_eq!(
                pressed.failed_allocations()[1] > 0,
                wanted >= first_failure,
                "{name}, {first_failure}"
            );
            assert!(first_failure > 1 || pressed.number("allocations") == 0, "{name}");
        });
        assert!(all.failed_allocations()[1] > 0);
        assert!(all.value("seed").is_null());
    }
}

#[test]
fn without_any_node_every_allocation_fails() {
    let all = check(&["--fail-nodes", "1"], |pressed, _| {
        assert_eq!(pressed.number("allocations"), 0);
        assert_eq!((pressed.number("peak_live_ranges"), pressed.number("peak_node_bytes")), (0, 0));
    });
    assert_eq!(all.failed_allocations()[1], all_without_failures().number("allocations"));
}

fn replay_small(options: &[&str]) -> Report {
    let small = capture("boot-probe-all-lazy");
    run(&[&[small.as_str(), "--json"], options].concat()).report().without_times()
}

#[test]
fn failures_that_never_come_change_nothing() {
    let reference = replay_small(&[]);
    for options in [["--fail-after", "1000000"], ["--fail-nodes", "0"]] {
        assert_eq!(replay_small(&options).captures(), reference.captures());
    }
}

/// With every other node allocation failing, more or less.
fn replay_half(options: &[&str]) -> Report {
    replay_small(&[&["--fail-nodes", "0.5"], options].concat())
}

#[test]
fn a_seed_decides_which_allocations_fail() {
    let [first, again] = [(); 2].map(|()| replay_half(&["--seed", "7"]));
    assert_eq!(first, again);
    assert!(first.failed_allocations()[1] > 0);
    let others: Vec<_> = (8..16).map(|seed: u64| replay_half(&["--seed", &seed.to_string()])).collect();
    assert!(others.iter().any(|other| other.failed_allocations() != first.failed_allocations()));
}

#[test]
fn a_seed_that_was_chosen_is_told_and_reproduces_the_run() {
    let mut seeds = Vec::new();
    for _ in 0..3 {
        let chosen = replay_half(&[]);
        let seed = chosen.number("seed").to_string();
        assert!(chosen.text("failing_nodes").contains(&format!("(seed {seed})")));
        assert_eq!(replay_half(&["--seed", &seed]), chosen);
        seeds.push(seed);
    }
    assert!(seeds.windows(2).any(|pair| pair[0] != pair[1]), "{seeds:?}");
}

#[test]
fn failures_begin_anew_with_each_capture() {
    let small = capture("boot-probe-all-lazy");
    let options = ["--json", "--fail-nodes", "0.5", "--seed", "3"];
    let twice = run(&[&[small.as_str(), small.as_str()], &options[..]].concat()).report();
    let [first, second] = &twice.captures()[..] else { panic!("two captures") };
    assert_eq!(first, second);
}
