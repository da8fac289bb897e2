//! The report for people.

use crate::command::{capture, finish, run, run_with_input, start};

fn text(args: &[&str]) -> String {
    let printed = run(args);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    assert!(printed.out.is_ascii());
    printed.out
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.contains(expected), "no {expected:?} in:\n{text}");
    }
}

#[test]
fn it_tells_what_was_replayed_and_what_came_out() {
    let path = capture("nvme-mixed-lazy");
    let text = text(&[&path]);
    assert!(text.starts_with(&format!("{path}\n")), "{text}");
    let expected = [
        "  requests from     probes of the allocator\n",
        "  lines             47446, 0 of them not understood\n",
        "  operations        8197 (domains: 1; frees of ranges from before the capture: 0)\n",
        "  allocations       4099; failed for lack of address space: 0, of node memory: 0, bad requests: 0\n",
        "  frees             4098; failed: 0; 0 skipped, their allocation having failed\n",
        " 1 not freed; 0 granules lost\n",
        " 0 failed, 0 during frees; ",
        " of 272 requests that the kernel's tree served are placed alike",
        "    iovad=0xff22b69cc1f3f008 ",
        "Node allocations  none fails\n",
        "Latency in ns            p50 ",
    ];
    check(&text, &expected);
    let verdict =
        "\n\nEvery free succeeded without a node allocation, nothing was lost, all trees are valid.\n";
    assert!(text.ends_with(verdict), "{text}");
}

#[test]
fn it_tells_which_node_allocations_fail() {
    let path = capture("boot-probe-all-lazy");
    let random = text(&[&path, "--fail-nodes", "0.5", "--seed", "7"]);
    check(&random, &["Node allocations  each fails with probability 0.5 (seed 7)\n"]);
    check(&text(&[&path, "--fail-after", "5"]), &["Node allocations  all fail from number 5 on\n"]);
    let all = text(&[&path, "--fail-after", "1"]);
    check(
        &all,
        &[
            "  allocations       0; failed for lack of address space: 0, of node memory: 113, bad requests: 0\n",
        ],
    );
    check(&all, &["  frees             0; failed: 0; 66 skipped, their allocation having failed\n"]);
}

#[test]
fn several_captures_have_totals() {
    let [first, second] = ["boot-probe-all-lazy", "nvme-rand4k-strict"].map(capture);
    let both = text(&[&first, &second]);
    check(&both, &[&format!("{first}\n"), &format!("\n{second}\n"), "\nAll 2 captures\n  lines "]);
    check(&both, &["  allocations       113;", "  allocations       3200;", "  allocations       3313;"]);
    assert!(!text(&[&first]).contains("All 1 captures"));
}

#[test]
fn without_probes_nothing_is_said_of_placements() {
    let text = text(&[&capture("k61-nvme-mixed-lazy")]);
    check(&text, &["  requests from     iommu:map and iommu:unmap events\n"]);
    assert!(!text.contains("placement") && !text.contains("failed in kernel"), "{text}");
}

#[test]
fn failures_of_the_kernel_are_told() {
    let probe =
        "a-1 [000] ..... 1.0: iova_alloc: (a <- b) iovad=0x1 pages=2 limit_pfn=0xff flush=1 pfn=0x0\n";
    let printed = run_with_input(&["-"], probe.as_bytes());
    check(&printed.out, &["standard input\n", "  failed in kernel  1, of which 1 succeeded here\n"]);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let path = capture("boot-probe-all-lazy");
    for args in [&[path.as_str()][..], &[&path, "--json"]] {
        let mut child = start(args);
        drop(child.stdout.take());
        let printed = finish(child);
        assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    use std::process::{Command, Stdio};
    for format in [&[][..], &["--json"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_iova"));
        command.arg("replay").arg(capture("boot-probe-all-lazy")).args(format);
        command.stdout(full).stderr(Stdio::piped());
        let printed = finish(command.spawn().unwrap());
        assert_eq!(printed.code, Some(2));
        assert!(printed.err.starts_with("iova: cannot print the report: "), "{}", printed.err);
    }
}
