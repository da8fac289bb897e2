//! `traces/facts.txt`: what is in the captures, computed by another program.

use std::collections::BTreeMap;
use std::fs;

use crate::command::TRACES;

/// What is comparable with a report.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) events: u64,
    by_event: BTreeMap<String, u64>,
    pub(crate) allocations_by_size: u64,
    pub(crate) domains: u64,
    pub(crate) peak_live: Vec<u64>,
    pub(crate) final_live: Vec<u64>,
    pub(crate) failed: u64,
    pub(crate) unmatched: u64,
}

impl Facts {
    pub(crate) fn event(&self, name: &str) -> u64 {
        self.by_event.get(name).copied().unwrap_or(0)
    }
}

/// The facts by capture, named as in `traces`.
pub(crate) fn facts() -> BTreeMap<String, Facts> {
    let text = fs::read_to_string(format!("{TRACES}/facts.txt")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks(5).map(|entry| parse(entry.try_into().unwrap())).collect()
}

fn parse([head, events, _devices, sizes, rest]: [&str; 5]) -> (String, Facts) {
    let (name, head) = head.split_once(".txt.zst: ").unwrap();
    let facts = Facts {
        events: number(between(head, "events=", " ")),
        by_event: events.split_whitespace().map(|pair| pair.split_once('=').unwrap()).map(count).collect(),
        allocations_by_size: between(sizes, "(pages):", "\n")
            .split_whitespace()
            .map(|pair| number(pair.split_once(':').unwrap().1))
            .sum(),
        domains: number(between(rest, "domains: ", " ")),
        peak_live: numbers(between(rest, "peak live pages per domain: [", "]")),
        final_live: numbers(between(rest, "final live: [", "]")),
        failed: number(between(rest, "failed allocs: ", " ")),
        unmatched: number(between(rest, "before the trace: ", " ")),
    };
    (format!("{name}.txt.zst"), facts)
}

fn count((event, count): (&str, &str)) -> (String, u64) {
    (event.to_owned(), number(count))
}

/// The text between `start` and `end`; to the end of the line if `end` is not there.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, tail) = text.split_once(start).unwrap();
    tail.split_once(end).map_or(tail, |(value, _)| value)
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap()
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(',').filter(|text| !text.is_empty()).map(number).collect()
}
