//! Reading the captures of the repository, and the facts about them that were computed independently.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses another part of this")]

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use iova_trace::{Counts, Line, OperationKind, Record, Requests, open};

pub(crate) const TRACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces");

/// All captures in a directory below `traces`, by name.
pub(crate) fn captures(directory: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(Path::new(TRACES).join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// `nvme-mixed-lazy` for `.../nvme-mixed-lazy.txt.zst`.
pub(crate) fn stem(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().trim_end_matches(".txt.zst").to_owned()
}

/// Reads a capture that has nothing wrong in it.
pub(crate) fn read(path: &Path) -> (Vec<Record>, Counts) {
    let mut reader = open(path).unwrap();
    let mut records = Vec::new();
    for line in &mut reader {
        match line {
            Ok(Line::Record(record)) => records.push(record),
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
    (records, reader.counts().clone())
}

/// The text of a capture.
pub(crate) fn text(path: &Path) -> String {
    let mut text = String::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(fs::File::open(path).unwrap()).unwrap();
    decoder.read_to_string(&mut text).unwrap();
    text
}

/// An allocation: device (if it is asked for), first pfn, granules, limit.
pub(crate) type Allocation = (String, u64, u64, u64);

/// The allocations that succeeded, with how often each was made.
pub(crate) fn allocations(requests: &Requests, by_device: bool) -> BTreeMap<Allocation, u64> {
    let mut ranges = BTreeMap::new();
    for operation in &requests.operations {
        if let OperationKind::Allocate { granules, limit_pfn, placed: Some(first), .. } = operation.kind {
            let devices = &requests.domain(operation.domain).unwrap().devices;
            let device =
                devices.first().filter(|_| by_device).map_or(String::new(), |device| device.to_string());
            *ranges.entry((device, first, granules, limit_pfn)).or_default() += 1;
        }
    }
    ranges
}

/// How many allocations two reconstructions of one capture have in common.
pub(crate) fn common<K: Ord>(left: &BTreeMap<K, u64>, right: &BTreeMap<K, u64>) -> u64 {
    left.iter().map(|(range, count)| (*count).min(right.get(range).copied().unwrap_or(0))).sum()
}

/// One entry of `facts.txt`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub(crate) events: u64,
    pub(crate) unparsed: u64,
    /// Seconds, with two decimals.
    pub(crate) span: String,
    pub(crate) by_event: BTreeMap<String, u64>,
    pub(crate) by_device: BTreeMap<String, u64>,
    pub(crate) by_size: BTreeMap<u64, u64>,
    pub(crate) by_limit: BTreeMap<u64, u64>,
    pub(crate) domains: usize,
    pub(crate) peak_live: Vec<u64>,
    pub(crate) final_live: Vec<u64>,
    pub(crate) ranges: Vec<(u64, u64)>,
    pub(crate) failed: u64,
    pub(crate) overlaps: u64,
    pub(crate) unmatched: u64,
}

/// Reads `facts.txt`.
pub(crate) fn facts() -> BTreeMap<String, Facts> {
    let text = fs::read_to_string(Path::new(TRACES).join("facts.txt")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks(5).map(|entry| parse_entry(entry.try_into().unwrap())).collect()
}

fn parse_entry([head, events, devices, sizes, rest]: [&str; 5]) -> (String, Facts) {
    let (name, head) = head.split_once(".txt.zst: ").unwrap();
    let facts = Facts {
        events: between(head, "events=", " ").parse().unwrap(),
        unparsed: between(head, "unparsed=", " ").parse().unwrap(),
        span: between(head, "span=", "s").to_owned(),
        by_event: pairs(events, ' ', '=').map(|(event, count)| (event.to_owned(), count)).collect(),
        by_device: pairs(between(devices, "{", "}"), ',', ' ')
            .map(|(device, count)| (device.trim_end_matches(':').trim_matches('\'').to_owned(), count))
            .collect(),
        by_size: pairs(between(sizes, "(pages):", "\n"), ' ', ':')
            .map(|(size, count)| (size.parse().unwrap(), count))
            .collect(),
        by_limit: pairs(between(rest, "limit_pfn: {", "}"), ',', ' ')
            .map(|(limit, count)| (hex(limit.trim_end_matches(':').trim_matches('\'')), count))
            .collect(),
        domains: between(rest, "domains: ", " ").parse().unwrap(),
        peak_live: numbers(between(rest, "peak live pages per domain: [", "]")),
        final_live: numbers(between(rest, "final live: [", "]")),
        ranges: elements(between(rest, "range: [", "]"), ',')
            .map(|range| {
                range.trim_matches('\'').split_once('-').map(|(low, high)| (hex(low), hex(high))).unwrap()
            })
            .collect(),
        failed: between(rest, "failed allocs: ", " ").parse().unwrap(),
        overlaps: between(rest, "overlaps: ", " ").parse().unwrap(),
        unmatched: between(rest, "before the trace: ", " ").parse().unwrap(),
    };
    (name.to_owned(), facts)
}

/// The text between `start` and `end`; to the end of the line if `end` is not there.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, tail) = text.split_once(start).unwrap();
    tail.split_once(end).map_or(tail, |(value, _)| value)
}

fn elements(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).map(str::trim).filter(|element| !element.is_empty())
}

fn pairs(text: &str, separator: char, between: char) -> impl Iterator<Item = (&str, u64)> {
    elements(text, separator).map(move |pair| {
        let (key, value) = pair.rsplit_once(between).unwrap();
        (key, value.trim().parse().unwrap())
    })
}

fn numbers(text: &str) -> Vec<u64> {
    elements(text, ',').map(|number| number.parse().unwrap()).collect()
}

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap()
}
