//! Where captures come from and what they may be: files, compressed or not, the standard input; and what is none.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::command::{Report, TRACES, capture, file, probes, run, run_with_input, text_of};

const SMALL: &str = "boot-probe-all-lazy";

/// The only capture of a report.
fn only(report: &Report) -> Report {
    let [capture] = &report.captures()[..] else { panic!("one capture") };
    capture.clone()
}

/// Checks that a replay of the small capture came to what it always comes to.
fn check_small(report: &Report, name: &str) {
    let reference = only(&run(&[capture(SMALL), "--json".into()]).report());
    let capture = only(report);
    assert_eq!(capture.text("name"), name);
    let same =
        ["operations", "allocations", "frees", "lines", "node_allocations", "domain_reports", "placement"];
    for part in same {
        assert_eq!(capture.value(part), reference.value(part), "{part}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn plain_text_is_read() {
    let path = file("plain.txt", &text_of(SMALL));
    check_small(&run(&[&path, "--json"]).report(), &path);
}

#[test]
fn gzip_is_read_whatever_the_file_is_called() {
    let path = file("gzip-without-suffix", &gzip(&text_of(SMALL)));
    check_small(&run(&[&path, "--json"]).report(), &path);
}

#[test]
fn the_standard_input_is_read_compressed_or_not() {
    let text = text_of(SMALL);
    let zstd = std::fs::read(capture(SMALL)).unwrap();
    for input in [&text, &zstd, &gzip(&text)] {
        check_small(&run_with_input(&["-", "--json"], input).report(), "standard input");
    }
}

#[test]
fn several_captures_are_reported_one_by_one_and_in_sum() {
    let names = ["k61-nvme-mixed-lazy", SMALL, SMALL];
    let mut args: Vec<String> = names.map(capture).into();
    args.push("--json".into());
    let report = run(&args).report();
    let captures = report.captures();
    assert_eq!(captures.iter().map(|capture| capture.text("name")).collect::<Vec<_>>(), args[..3]);
    for number in
        ["operations", "allocations", "frees", "lines", "domains", "live_ranges", "node_allocations"]
    {
        let sum: u64 = captures.iter().map(|capture| capture.number(number)).sum();
        assert_eq!(report.number(number), sum, "{number}");
    }
    assert_eq!(captures[1], captures[2]);
}

#[test]
fn files_and_the_standard_input_can_be_mixed() {
    let report = run_with_input(&[&capture(SMALL), "-", "--json"], &text_of(SMALL)).report();
    let [first, second] = &report.captures()[..] else { panic!("two captures") };
    assert_eq!(second.text("name"), "standard input");
    assert_eq!(first.value("domain_reports"), second.value("domain_reports"));
}

#[test]
fn without_a_file_the_built_in_capture_is_replayed() {
    let built_in = only(&run(&["--json"]).report());
    assert_eq!(built_in.text("name"), "built-in capture all-devices-lazy");
    let reference = only(&run(&[capture("all-devices-lazy"), "--json".into()]).report());
    assert_eq!(built_in.value("domain_reports"), reference.value("domain_reports"));
    assert_eq!((built_in.number("allocations"), built_in.number("domains")), (3588, 5));
}

#[test]
fn binary_files_of_the_tools_are_refused_with_what_to_do() {
    for (name, magic, what, command) in [
        ("perf.data", &b"PERFILE2\x68\0\0\0\0\0\0\0"[..], "a binary perf.data file", "`perf script -i FILE`"),
        ("trace.dat", b"\x17\x08\x44tracing6\0", "a binary trace.dat file", "`trace-cmd report -i FILE`"),
    ] {
        for (name, content) in [(name, magic.to_vec()), (&format!("{name}.gz"), gzip(magic))] {
            let path = file(name, &content);
            let expected = format!("iova: {path}: this is {what}; print it as text with {command}");
            assert_eq!(run(&[&path]).refusal(), expected);
        }
    }
}

#[test]
fn what_holds_no_allocation_is_refused_with_what_to_record() {
    for (name, content, lines) in [
        ("empty", "", "0 lines, 0"),
        ("prose", "Nothing of\nall that.\n", "2 lines, 2"),
        ("header", "# tracer: nop\n#\n", "2 lines, 0"),
    ] {
        let path = file(name, content.as_bytes());
        let printed = run(&[&path, "--json"]);
        let message = printed.refusal();
        let expected =
            format!("iova: {path}: no allocations in {lines} of them not an event known here; record ");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains("`dma:*`") && message.contains("traces/README.md"), "{message}");
    }
    let message = run_with_input(&["-"], b"").refusal().to_owned();
    assert!(message.starts_with("iova: standard input: no allocations in 0 lines, "), "{message}");
}

#[test]
fn a_directory_is_refused() {
    let expected = format!("iova: {TRACES}: this is a directory; name the captures in it");
    assert_eq!(run(&[TRACES]).refusal(), expected);
}

#[test]
fn a_missing_file_is_refused_and_named_once() {
    let path = format!("{TRACES}/no-such-capture.txt");
    let printed = run(&[&path]);
    let message = printed.refusal();
    assert!(message.starts_with(&format!("iova: {path}: cannot open: ")), "{message}");
    // The reason is in the message and is not told a second time as its cause.
    assert_eq!(message.matches("(os error 2)").count(), 1, "{message}");
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let missing = format!("{TRACES}/no-such-capture.txt");
    let printed = run(&[capture(SMALL), missing.clone(), capture(SMALL), "--json".to_owned()]);
    assert_eq!(printed.code, Some(2));
    assert!(printed.err.starts_with(&format!("iova: {missing}: cannot open: ")), "{}", printed.err);
    let report: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(report["captures"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["unreadable"][0].as_str(), printed.err.trim_end().strip_prefix("iova: "));
}

#[test]
fn a_file_that_is_cut_off_is_damaged() {
    let mut cut = gzip(&text_of(SMALL));
    cut.truncate(cut.len() / 2);
    let path = file("cut.gz", &cut);
    let printed = run(&[&path]);
    let message = printed.refusal();
    assert!(message.starts_with(&format!("iova: {path}:")), "{message}");
}

#[test]
fn text_without_a_last_line_break_is_read_to_its_end() {
    let text = probes(&["iova_alloc iovad=0x1 pages=1 limit_pfn=0xff flush=0 pfn=0xff"]);
    let report = run_with_input(&["-", "--json"], text.trim_end().as_bytes()).report();
    assert_eq!((report.number("allocations"), report.number("lines")), (1, 1));
}
