//! What can be wrong with a capture: as a whole, and on one line.

use std::{
    fmt::{self, Write as _},
    io,
    sync::Arc,
};

use thiserror::Error;

use crate::{EventName, reader::LINE_BYTES_MAX};

/// Why a capture could not be opened or read on, or the fault of one line.
///
/// Only [`Error::Malformed`] leaves a [`Reader`](crate::Reader) able to continue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened, or not even its first bytes read.
    #[error("{}: cannot open: {source}", Shown(name))]
    Open {
        /// The file, as it was named by the caller.
        name: Arc<str>,
        /// The system's reason.
        source: io::Error,
    },

    /// The input is the binary file of `perf record`.
    #[error("{}: this is a binary perf.data file; print it as text with `perf script -i FILE`", Shown(name))]
    PerfData {
        /// The file, as it was named by the caller.
        name: Arc<str>,
    },

    /// The input is the binary file of `trace-cmd record`.
    #[error(
        "{}: this is a binary trace.dat file; print it as text with `trace-cmd report -i FILE`",
        Shown(name)
    )]
    TraceDat {
        /// The file, as it was named by the caller.
        name: Arc<str>,
    },

    /// The input is compressed in a way that is not read here.
    #[error(
        "{}: this is compressed with {tool}; decompress it first: `{tool} -dc FILE | iova replay -`",
        Shown(name)
    )]
    Compressed {
        /// The file, as it was named by the caller.
        name: Arc<str>,
        /// The program that compresses so, and decompresses.
        tool: &'static str,
    },

    /// The input is binary, and of no kind that is known here.
    #[error(
        "{}: this is not text; a trace as the kernel, `perf script` or `trace-cmd report` prints it is expected",
        Shown(name)
    )]
    NotText {
        /// The file, as it was named by the caller.
        name: Arc<str>,
    },

    /// Reading or decompressing failed, perhaps at the start already; nothing follows.
    #[error("{}:{line}: cannot read on: {source}", Shown(name))]
    Read {
        /// The file, as it was named by the caller.
        name: Arc<str>,
        /// The line that could not be read, from 1.
        line: u64,
        /// The system's reason, or what is wrong with the compressed data.
        source: io::Error,
    },

    /// One line names a known event but does not parse; the next line may.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// A line that names a known event, or is too long to be one, and does not parse.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}:{line}: {}{fault}", Shown(name), EventPrefix(*event))]
pub struct Malformed {
    /// The file, as it was named by the caller.
    pub name: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The event, if the line got that far.
    pub event: Option<EventName>,
    /// What is wrong.
    pub fault: Fault,
}

/// Text from outside, made fit for a terminal: what does not print is escaped, or a capture could move the
/// cursor and rewrite what the user sees.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            // These print well; they would only be escaped for the sake of a literal in source text.
            '\\' | '\'' | '"' => out.write_char(character),
            _ => write!(out, "{}", character.escape_debug()),
        })
    }
}

struct EventPrefix(Option<EventName>);

impl fmt::Display for EventPrefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(event) => write!(out, "{event}: "),
            None => Ok(()),
        }
    }
}

/// What is wrong with a malformed line, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// A field is not there.
    #[error("field `{field}` is missing, expected {expected}")]
    Missing {
        /// The field's name.
        field: &'static str,
        /// What its value should have been.
        expected: &'static str,
    },

    /// A field's value is not of its kind.
    #[error("field `{field}` is `{}`, expected {expected}", Shown(found))]
    Value {
        /// The field's name.
        field: &'static str,
        /// The start of what stands there.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },

    /// Fields that should agree do not.
    #[error("{0}")]
    Disagreement(&'static str),

    /// The kernel's print buffer was too small for the event.
    #[error("the kernel cut the line (`[LINE TOO BIG]`), expected the whole event")]
    Cut,

    /// The line is longer than [`LINE_BYTES_MAX`]; it was skipped.
    #[error("the line is longer than {LINE_BYTES_MAX} bytes, expected a line of a text trace")]
    TooLong,
}

impl Fault {
    /// A fault of `field`'s value, quoting only its start: a broken list can be as long as the line.
    pub(crate) fn value(field: &'static str, found: &str, expected: &'static str) -> Self {
        const QUOTED_CHARS_MAX: usize = 40;
        let mut quoted: String = found.chars().take(QUOTED_CHARS_MAX).collect();
        if quoted.len() < found.len() {
            quoted.push_str("...");
        }
        Self::Value { field, found: quoted, expected }
    }
}

#[cfg(test)]
mod tests;
