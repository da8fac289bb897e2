//! What a reader has seen so far.

use std::collections::BTreeMap;

use crate::{EventName, Record};

/// Counts kept by a [`Reader`](crate::Reader).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read, of all kinds.
    pub lines: u64,
    /// Lines that carry a known event.
    pub records: u64,
    /// Blank lines, comments, headers and notices of the tools.
    pub ignored: u64,
    /// Lines that are none of the events known here.
    pub unknown: u64,
    /// Lines that name a known event and do not parse, or are too long.
    pub malformed: u64,
    /// Events that the capture says it lost: overwritten, dropped, or too long to print.
    pub lost_events: u64,
    /// Time of the first record that has one.
    pub first_time_ns: Option<u64>,
    /// Time of the last record that has one.
    pub last_time_ns: Option<u64>,
    /// Records by event.
    pub events: BTreeMap<EventName, u64>,
}

impl Counts {
    /// How many records of one event were read.
    #[must_use]
    pub fn event(&self, name: EventName) -> u64 {
        self.events.get(&name).copied().unwrap_or(0)
    }

    pub(crate) fn record(&mut self, record: &Record) {
        self.records += 1;
        *self.events.entry(record.event.name()).or_default() += 1;
        if record.time_ns.is_some() {
            self.first_time_ns = self.first_time_ns.or(record.time_ns);
            self.last_time_ns = record.time_ns;
        }
    }
}
