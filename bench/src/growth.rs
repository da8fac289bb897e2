//! How the cost of each pathology grows with its size, for each allocator.

use std::io::Write;

use anyhow::Result;

use crate::args::Args;
use crate::report::{Measured, json};
use crate::row::{Row, Unit};
use crate::run::{Round, run_together};
use crate::workloads;

/// How many times the first size.
const TIMES: [usize; 4] = [1, 4, 16, 64];
const FIRST: usize = 1000;

/// Up to which n a subject has to take part for its growth to be shown in all sizes, however long that takes.
const PATIENCE: usize = 10_000;

/// Runs all pathologies and prints a table in Markdown, or JSON.
///
/// # Errors
///
/// As those of [`run_together`].
pub fn growth(args: &Args, out: &mut impl Write) -> Result<()> {
    let first = args.n.as_ref().and_then(|sizes| sizes.first()).copied().unwrap_or(FIRST);
    let mut all = Vec::new();
    for row in workloads::pathologies().iter().filter(|row| args.wants_row(row.name)) {
        all.extend(grow(row, first, args)?);
    }
    if args.json {
        writeln!(out, "{}", json(&all)?)?;
        return Ok(());
    }
    let heads: Vec<String> = TIMES.iter().map(|times| format!("n = {}", first * times)).collect();
    writeln!(out, "| row | subject | {} |", heads.join(" | "))?;
    writeln!(out, "| --- | --- |{}", " ---: |".repeat(TIMES.len()))?;
    for of_subject in all.chunk_by(|one, other| (one.row, one.subject) == (other.row, other.subject)) {
        let of_size = |times| of_subject.iter().find(|measured| measured.n == first * times);
        let cells =
            TIMES.map(|times| of_size(times).map_or("-".into(), |measured| cell(measured, &of_subject[0])));
        writeln!(out, "| `{}` | {} | {} |", of_subject[0].row, of_subject[0].subject, cells.join(" | "))?;
    }
    Ok(())
}

/// One row in all sizes, which take turns, subject by subject.
pub fn grow(row: &Row, first: usize, args: &Args) -> Result<Vec<Measured>> {
    let plan = args.plan(true);
    let rounds = TIMES.map(|times| first * times).map(|n| {
        let takes_part = |subject: &str| {
            let entrant = row.entrants.iter().find(|entrant| entrant.subject == subject);
            args.wants_subject(subject)
                && entrant.is_some_and(|entrant| {
                    args.all
                        || entrant.linear_up_to >= PATIENCE
                        || entrant.absent(row.name, n, false).is_none()
                })
        };
        Round::new(row, n, &plan, takes_part)
    });
    let mut measured = run_together(rounds, &plan)?;
    measured.retain(|measured| measured.absent.is_none());
    measured
        .sort_by_key(|measured| row.entrants.iter().position(|entrant| entrant.subject == measured.subject));
    Ok(measured)
}

/// The cost, and how many times that of the first size it is.
fn cell(measured: &Measured, first: &Measured) -> String {
    let (Some(median), Some(before)) = (measured.median, first.median) else { return String::new() };
    let digits = usize::from(median < 100.0);
    let cost = match measured.unit {
        Unit::Percent => format!("{median:.1} %"),
        Unit::Nanoseconds | Unit::Bytes => format!("{median:.digits$}"),
    };
    let times = if measured.n == first.n || before == 0.0 || measured.unit == Unit::Percent {
        String::new()
    } else {
        format!(" (x {:.2})", median / before)
    };
    let refused = if measured.refused > 0 {
        format!(", {:.0} % refused", 100.0 * measured.refused as f64 / measured.operations as f64)
    } else {
        String::new()
    };
    cost + &times + &refused
}
