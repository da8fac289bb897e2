//! Every row runs with few ranges, all subjects agree, and the reports say what they should.

use std::collections::HashSet;
use std::fs;

use clap::Parser;
use maple_bench::args::Args;
use maple_bench::growth::growth;
use maple_bench::measure::{Lap, Summary};
use maple_bench::report::{Measured, Table, draw, json};
use maple_bench::row::{Entrant, Row, Unit};
use maple_bench::run::{Plan, run};
use maple_bench::targets::targets;
use maple_bench::workloads::rows;

const PLAN: Plan = Plan { laps: 2, operations: 640, seed: 7, all: true };

fn all(n: usize) -> Vec<Measured> {
    rows().iter().flat_map(|row| run(row, n, &PLAN, |_| true).expect("all agree")).collect()
}

#[test]
fn all_rows_run_and_all_subjects_agree() {
    for n in [20, 100, 300] {
        let measured = all(n);
        assert!(measured.iter().all(|measured| measured.absent.is_some()
            || measured.median.unwrap() > 0.0
            || measured.unit == Unit::Percent));
    }
}

#[test]
fn other_seeds_agree_as_well() {
    for row in rows() {
        for seed in 100..103 {
            run(&row, 50, &Plan { seed, ..PLAN }, |_| true).expect("all agree");
        }
    }
}

#[test]
fn each_row_has_a_name_of_its_own_and_one_subject_of_ours() {
    let rows = rows();
    let names: HashSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    for row in rows {
        assert_eq!(row.entrants.iter().filter(|entrant| entrant.ours).count(), 1, "{}", row.name);
        assert!(
            row.entrants.iter().any(|entrant| !entrant.ours) || cfg!(not(feature = "kernel")),
            "{}",
            row.name
        );
    }
}

#[test]
fn the_documentation_names_every_row() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md")).unwrap();
    for row in rows() {
        assert!(text.contains(&format!("`{}`", row.name)), "{} is not explained", row.name);
    }
}

#[test]
fn json_has_the_fields_that_scripts_rely_on() {
    let measured = all(30);
    let text = json(&measured).unwrap();
    let array: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
    assert_eq!(array.len(), measured.iter().filter(|measured| measured.absent.is_none()).count());
    for (object, measured) in array.iter().zip(measured.iter().filter(|measured| measured.absent.is_none())) {
        for field in ["row", "n", "subject", "unit", "median", "median_ns", "spread", "ratio", "operations"] {
            assert!(object.contains_key(field), "{field}");
        }
        let (row, median) = (object["row"].as_str().unwrap(), object["median"].as_f64().unwrap());
        assert!(object["ratio"].is_null() == (measured.ours || median == 0.0), "{object:?}");
        let unit = if row.starts_with("bytes") { "bytes" } else { "ns" };
        let unit = if row == "erase-failing" { "percent" } else { unit };
        assert_eq!(object["unit"], unit);
        assert_eq!(object["median_ns"].as_f64(), (unit == "ns").then_some(median));
        assert!(median > 0.0 || unit == "percent");
        let beside = object["row"].as_str().unwrap().contains("-writer");
        assert_eq!(object["writer_ns"].is_null(), !beside, "{object:?}");
    }
}

fn lap(value: f64, check: u64) -> Lap {
    Lap { value, check, ..Lap::default() }
}

fn entrant(
    subject: &'static str,
    ours: bool,
    prepare: fn(&maple_bench::row::Setup) -> maple_bench::row::Laps,
) -> Entrant {
    Entrant {
        subject,
        ours,
        cannot: &[],
        linear: &["slow-*"],
        linear_up_to: 10_000,
        comparable: true,
        prepare,
    }
}

fn made_up(name: &'static str) -> Row {
    Row {
        name,
        what: "made up",
        unit: Unit::Nanoseconds,
        entrants: vec![
            entrant("ours", true, |_| Box::new(|| lap(10.0, 1))),
            entrant("peer", false, |_| Box::new(|| lap(40.0, 1))),
            entrant("cheat", false, |_| Box::new(|| lap(1.0, 0))),
        ],
    }
}

#[test]
fn a_subject_that_does_less_work_is_found_out() {
    let error = run(&made_up("row"), 10, &PLAN, |_| true).unwrap_err().to_string();
    assert!(error.contains("cheat") && error.contains("not all did the same"), "{error}");
}

#[test]
fn the_ratio_is_our_median_to_the_peers() {
    let row = made_up("row");
    let measured = run(&row, 10, &PLAN, |subject| subject != "cheat").unwrap();
    assert_eq!(measured.iter().map(|measured| measured.ratio).collect::<Vec<_>>(), [None, Some(0.25)]);
    let table = Table { row: &row, measured: &measured }.to_string();
    assert!(table.contains("10.0    us") && table.contains("40.0  0.25"), "{table}");
}

#[test]
fn linear_subjects_are_left_out_for_large_n() {
    let row = made_up("slow-row");
    let measured = run(&row, 1_000_000, &Plan { all: false, ..PLAN }, |_| true).unwrap();
    assert!(measured.iter().all(|measured| measured.absent.is_some()));
    let table = Table { row: &row, measured: &measured }.to_string();
    assert!(table.contains("[1] time grows with n"), "{table}");
}

#[test]
fn the_chart_is_an_svg_file() {
    let row = made_up("row");
    let measured: Vec<_> =
        [10, 100].iter().flat_map(|&n| run(&row, n, &PLAN, |subject| subject != "cheat").unwrap()).collect();
    let path = std::env::temp_dir().join(format!("maple-bench-{}.svg", std::process::id()));
    draw(&measured, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(text.starts_with("<svg") && text.contains("peer"));
}

#[test]
fn a_summary_has_the_fewest_allocations() {
    let laps = [2.0, 1.0].map(|allocations| Lap { allocations, ..lap(1.0, 0) });
    assert_eq!(Summary::of(&laps).unwrap().allocations, 1.0);
}

#[test]
fn pathologies_grow_64_times() {
    let args = Args::parse_from("maple-bench --pathologies --n 5 --laps 1 --operations 640".split(' '));
    let mut out = Vec::new();
    growth(&args, &mut out).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(table.starts_with("| row | subject | n = 5 | n = 20 | n = 80 | n = 320 |"), "{table}");
    assert!(table.lines().all(|line| line.matches(" |").count() == 6), "{table}");
    let ours = table.lines().find(|line| line.starts_with("| `fragmented` | iova |")).unwrap();
    assert_eq!(ours.matches("100 % refused").count(), 4);
    let lost = table.lines().find(|line| line.starts_with("| `erase-failing` | iova |")).unwrap();
    assert_eq!(lost.matches("0.0 %").count(), 4, "ours loses nothing: {lost}");
}

#[test]
fn all_goals_have_a_line() {
    let args = Args::parse_from("maple-bench --targets --n 100 --laps 1 --operations 640".split(' '));
    let mut out = Vec::new();
    targets(&args, &mut out).unwrap();
    let table = String::from_utf8(out).unwrap();
    assert!(table.lines().all(|line| line.matches('|').count() == 7), "{table}");
    // Among Rust's maps there is a best one in any build.
    let lookup = table.lines().find(|line| line.starts_with("| lookup | `lookup` |")).unwrap();
    assert!(lookup.ends_with("yes |") || lookup.ends_with("no |"), "{lookup}");
}
