//! From a line's text to a record.

mod dma;
mod fields;
mod iommu;
mod iova;

use std::{collections::HashSet, sync::Arc};

use crate::{
    Device, Event, EventName, Fault, System,
    line::{self, Split},
};

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Where and when, and the event; the line's number is the reader's.
    Event { cpu: Option<u32>, pid: Option<u32>, time_ns: Option<u64>, event: Event },
    /// Nothing to read, and so many events that the capture says are missing.
    Ignored { lost_events: u64 },
    /// Not an event known here.
    Unknown,
}

/// Parses lines; keeps only the devices' names.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    devices: Devices,
}

impl Parser {
    pub(crate) fn parse(&mut self, text: &str) -> Result<Parsed, (Option<EventName>, Fault)> {
        if let Some(lost_events) = parse_notice(text.trim()) {
            return Ok(Parsed::Ignored { lost_events });
        }
        let Some(split) = line::split(text) else { return Ok(Parsed::Unknown) };
        let Some(name) = known(&split) else { return Ok(Parsed::Unknown) };

        let event = if split.body.ends_with(LINE_TOO_BIG) {
            Err(Fault::Cut)
        } else {
            self.parse_event(name, split.body)
        };
        match event {
            Ok(event) => Ok(Parsed::Event { cpu: split.cpu, pid: split.pid, time_ns: split.time_ns, event }),
            Err(fault) => Err((Some(name), fault)),
        }
    }

    fn parse_event(&mut self, name: EventName, body: &str) -> Result<Event, Fault> {
        match name.system() {
            System::Iommu => iommu::parse(name, body, &mut self.devices),
            System::Dma => dma::parse(name, body, &mut self.devices).map(Event::Dma),
            System::Probe => iova::parse(name, body),
        }
    }
}

const LINE_TOO_BIG: &str = "[LINE TOO BIG]";

/// The event's name, if it is ours.
fn known(split: &Split<'_>) -> Option<EventName> {
    let name = EventName::from_text(split.event)?;
    if let Some(system) = split.system {
        return name.fits_system(system).then_some(name);
    }
    // `map` and `unmap` are common words: without a prefix they need the text that Linux puts behind them.
    let plausible = split.prefixed || name.system() != System::Iommu || split.body.starts_with("IOMMU:");
    plausible.then_some(name)
}

/// Recognises what the tools print besides events: the number of events lost, if the line is such a notice.
fn parse_notice(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Some(comment) = text.strip_prefix('#') {
        return Some(overwritten(comment).unwrap_or(0));
    }
    if text == LINE_TOO_BIG {
        return Some(1);
    }
    if text.strip_prefix("cpus=").is_some_and(|count| count.bytes().all(|b| b.is_ascii_digit())) {
        return Some(0);
    }
    // `CPU:1 [LOST 12 EVENTS]`, `CPU:1 [12 EVENTS DROPPED]`, `CPU 1 is empty`
    let rest = text.strip_prefix("CPU")?;
    if rest.contains("EVENTS") {
        let lost = rest.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty()).nth(1);
        return Some(lost.and_then(|lost| lost.parse().ok()).unwrap_or(1));
    }
    rest.ends_with("is empty").then_some(0)
}

/// Reads `entries-in-buffer/entries-written: 76/80`: the difference was overwritten.
fn overwritten(comment: &str) -> Option<u64> {
    let (_, entries) = comment.split_once("entries-in-buffer/entries-written:")?;
    let (kept, written) = entries.split_whitespace().next()?.split_once('/')?;
    written.parse::<u64>().ok()?.checked_sub(kept.parse().ok()?)
}

/// The devices' names, each held once.
#[derive(Debug, Default)]
pub(crate) struct Devices(HashSet<Device>);

impl Devices {
    /// More names than any machine has devices: what holds more is not a trace, and need not be fast.
    const MAX: usize = 4096;

    fn intern(&mut self, name: &str) -> Device {
        if let Some(device) = self.0.get(name) {
            return Arc::clone(device);
        }
        if self.0.len() >= Self::MAX {
            self.0.clear();
        }
        let device: Device = Arc::from(name);
        self.0.insert(Arc::clone(&device));
        device
    }
}

#[cfg(test)]
mod tests;
