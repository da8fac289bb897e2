//! The table for people: a block for each row, a line for each subject, a column for each n.

use std::fmt;

use super::Measured;
use crate::row::{Row, Unit};

/// How wide the column of one n is.
const WIDTH: usize = 32;

/// One row's block.
pub struct Table<'a> {
    pub row: &'a Row,
    /// What was measured in this row, for one n after the other.
    pub measured: &'a [Measured],
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.row.unit {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes per range",
            Unit::Percent => "%",
        };
        writeln!(f, "{}: {} ({unit})", self.row.name, self.row.what)?;
        let mut columns: Vec<usize> = self.measured.iter().map(|measured| measured.n).collect();
        columns.dedup();
        write!(f, "  {:<30}", "")?;
        for n in &columns {
            write!(f, "  {:>WIDTH$}", format!("n = {n}"))?;
        }
        writeln!(f)?;
        let mut notes: Vec<&str> = Vec::new();
        for entrant in &self.row.entrants {
            let of_subject = || self.measured.iter().filter(|measured| measured.subject == entrant.subject);
            if of_subject().next().is_none() {
                continue;
            }
            write!(f, "  {:<30}", entrant.subject)?;
            for measured in of_subject() {
                let cell = cell(measured, &mut notes);
                write!(f, "  {cell:>WIDTH$}")?;
            }
            writeln!(f)?;
        }
        for (number, note) in notes.iter().enumerate() {
            writeln!(f, "  [{}] {note}", number + 1)?;
        }
        Ok(())
    }
}

/// Median, spread, ratio, and what an operation of the writer took: `41.2 -3+5% 0.28 w 910`.
fn cell<'a>(measured: &Measured, notes: &mut Vec<&'a str>) -> String
where
    Measured: 'a,
{
    if let Some(why) = measured.absent {
        let number = notes.iter().position(|note| *note == why).unwrap_or_else(|| {
            notes.push(why);
            notes.len() - 1
        });
        return format!("[{}]", number + 1);
    }
    let Some(median) = measured.median else { return String::new() };
    let [least, most] = measured.spread;
    let digits = usize::from(median < 100.0);
    let mut cell = format!("{median:.digits$}");
    if least < most && median > 0.0 {
        let percent = |bound: f64| (bound - median).abs() / median * 100.0;
        cell += &format!(" -{:.0}+{:.0}%", percent(least), percent(most));
    }
    cell += &match measured.ratio {
        Some(ratio) if ratio < 0.1 => format!(" {ratio:.3}"),
        Some(ratio) => format!(" {ratio:>5.2}"),
        None if measured.ours => "    us".into(),
        None => "      ".into(),
    };
    if let Some(writer) = measured.writer_ns {
        cell += &format!(" w {writer:.0}");
    }
    if measured.refused > 0 {
        cell += &format!(", {} refused", measured.refused);
    }
    cell
}
