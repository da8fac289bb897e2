//! Reading a capture line by line.

use std::{
    fmt,
    io::{self, BufRead, Read},
    sync::Arc,
};

use crate::{
    Counts, Error, Fault, Malformed, Record,
    parse::{Parsed, Parser},
};

/// Longest line that is read, in bytes; a longer one is skipped and reported as malformed.
///
/// The longest that a tool prints is a raw scatter list, some ten kilobytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What a line turned out to be, if it is not malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Line {
    /// A known event.
    Record(Record),
    /// Blank, a comment, a header, a notice of a tool.
    Ignored,
    /// None of the events known here.
    Unknown,
}

/// An iterator over the lines of a capture.
///
/// A malformed line is an `Err` item and the next item is the next line. After any other error the iterator
/// ends.
///
/// Mail programs wrap the long lines of `iommu:*` events behind the dash; such a line is joined with the next
/// one, and carries the number of the first.
pub struct Reader<R> {
    source: R,
    name: Arc<str>,
    parser: Parser,
    counts: Counts,
    line: Vec<u8>,
    /// The line that was read to see whether it continues the one before.
    held: Option<(Fetched, Vec<u8>)>,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fetched {
    End,
    Whole,
    TooLong,
}

impl<R> Reader<R> {
    /// The counts of what was read so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The capture's name, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads text; `name` is used in errors. See [`Reader::from_reader`] for what may be compressed.
    pub fn new(name: impl Into<Arc<str>>, source: R) -> Self {
        Self {
            source,
            name: name.into(),
            parser: Parser::default(),
            counts: Counts::default(),
            line: Vec::new(),
            held: None,
            ended: false,
        }
    }

    /// Puts the next line into `self.line`, joined if it was wrapped.
    fn fetch(&mut self) -> io::Result<Fetched> {
        let fetched = match self.held.take() {
            Some((fetched, line)) => {
                self.line = line;
                fetched
            }
            None => fetch_one(&mut self.source, &mut self.line)?,
        };
        if fetched == Fetched::Whole && is_wrapped(&self.line) {
            let mut next = Vec::new();
            let following = fetch_one(&mut self.source, &mut next)?;
            if following == Fetched::Whole && next.trim_ascii_start().starts_with(b"0x") {
                self.counts.lines += 1;
                self.line.truncate(self.line.trim_ascii_end().len());
                self.line.push(b' ');
                self.line.extend_from_slice(next.trim_ascii_start());
            } else {
                self.held = Some((following, next));
            }
        }
        Ok(fetched)
    }

    fn parse(&mut self, number: u64) -> Result<Line, Error> {
        // A task's name may hold any bytes; they stand before what is read here.
        let text = String::from_utf8_lossy(&self.line);
        match self.parser.parse(&text) {
            Ok(Parsed::Event { cpu, pid, time_ns, event }) => {
                let record = Record { line: number, cpu, pid, time_ns, event };
                self.counts.record(&record);
                Ok(Line::Record(record))
            }
            Ok(Parsed::Ignored { lost_events }) => {
                self.counts.ignored += 1;
                self.counts.lost_events = self.counts.lost_events.saturating_add(lost_events);
                Ok(Line::Ignored)
            }
            Ok(Parsed::Unknown) => {
                self.counts.unknown += 1;
                Ok(Line::Unknown)
            }
            Err((event, fault)) => Err(self.malformed(number, event, fault)),
        }
    }

    fn malformed(&mut self, line: u64, event: Option<crate::EventName>, fault: Fault) -> Error {
        self.counts.malformed += 1;
        Malformed { name: Arc::clone(&self.name), line, event, fault }.into()
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Line, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let number = self.counts.lines + 1;
        let fetched = match self.fetch() {
            Ok(fetched) => fetched,
            Err(source) => {
                self.ended = true;
                return Some(Err(Error::Read { name: Arc::clone(&self.name), line: number, source }));
            }
        };
        if fetched == Fetched::End {
            self.ended = true;
            return None;
        }
        self.counts.lines += 1;
        Some(match fetched {
            Fetched::TooLong => Err(self.malformed(number, None, Fault::TooLong)),
            _ => self.parse(number),
        })
    }
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reader")
            .field("name", &self.name)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Reads one line into `line`, without its end; memory use is bounded whatever the source holds.
fn fetch_one(source: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Fetched> {
    line.clear();
    let count = source.by_ref().take(LINE_BYTES_MAX as u64 + 1).read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Fetched::Whole);
    }
    if count > LINE_BYTES_MAX {
        line.clear();
        source.skip_until(b'\n')?;
        return Ok(Fetched::TooLong);
    }
    Ok(if count == 0 { Fetched::End } else { Fetched::Whole })
}

/// Whether the line ends where mail programs break `iova=0x... - 0x...`.
fn is_wrapped(line: &[u8]) -> bool {
    const START: &[u8] = b"IOMMU: ";
    line.trim_ascii_end().ends_with(b" -") && line.windows(START.len()).any(|window| window == START)
}

#[cfg(test)]
mod tests;
