//! What was measured, in three forms.

mod chart;
mod table;

pub use chart::draw;
pub use table::Table;

use serde::Serialize;

use crate::measure::Summary;
use crate::row::{Entrant, Row, Unit};

/// One subject in one row at one n. Serialized it is an object of the `--json` array.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub row: &'static str,
    pub n: usize,
    pub subject: &'static str,
    /// What the next two are in.
    pub unit: Unit,
    /// The median of the laps; nothing if it did not take part.
    pub median: Option<f64>,
    /// The same if it is in nanoseconds; `null` for other units.
    pub median_ns: Option<f64>,
    /// The least and the most of the laps, in the unit of the median.
    pub spread: [f64; 2],
    /// Our median to this subject's; `null` for ourselves, and where this subject's is 0.
    pub ratio: Option<f64>,
    /// How many operations a lap had; 0 where nothing is timed.
    pub operations: usize,
    /// Calls to an allocator per operation.
    pub allocations: f64,
    /// Operations that were refused in a lap.
    pub refused: u64,
    /// Nanoseconds per operation of the writer beside; `null` in rows without one.
    pub writer_ns: Option<f64>,
    #[serde(skip)]
    pub ours: bool,
    /// Why it did not take part.
    #[serde(skip)]
    pub absent: Option<&'static str>,
}

impl Measured {
    pub fn new(row: &Row, n: usize, entrant: &Entrant, summary: Summary, ours: Option<&Summary>) -> Self {
        let others = ours.filter(|_| !entrant.ours);
        Self {
            row: row.name,
            n,
            subject: entrant.subject,
            unit: row.unit,
            median: Some(summary.median),
            median_ns: (row.unit == Unit::Nanoseconds).then_some(summary.median),
            spread: [summary.least, summary.most],
            ratio: others.filter(|_| summary.median > 0.0).map(|ours| ours.median / summary.median),
            operations: summary.operations,
            allocations: summary.allocations,
            refused: summary.refused,
            writer_ns: summary.writer,
            ours: entrant.ours,
            absent: None,
        }
    }

    pub fn absent(row: &Row, n: usize, entrant: &Entrant, why: &'static str) -> Self {
        Self {
            row: row.name,
            n,
            subject: entrant.subject,
            unit: row.unit,
            median: None,
            median_ns: None,
            spread: [0.0; 2],
            ratio: None,
            operations: 0,
            allocations: 0.0,
            refused: 0,
            writer_ns: None,
            ours: entrant.ours,
            absent: Some(why),
        }
    }
}

/// The array of `--json`: those that took part.
///
/// # Errors
///
/// None that could be expected.
pub fn json(all: &[Measured]) -> serde_json::Result<String> {
    let present: Vec<&Measured> = all.iter().filter(|measured| measured.absent.is_none()).collect();
    serde_json::to_string_pretty(&present)
}
