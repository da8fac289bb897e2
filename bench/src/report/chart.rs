//! The chart: for each row, cost over n, a line for each subject, both axes logarithmic, and beside it who is who.

use std::path::Path;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::Measured;
use crate::row::Unit;

const COLUMNS: usize = 3;
const PANEL: (u32, u32) = (600, 320);
/// Where in a panel the subjects are named.
const NAMES_FROM: u32 = 410;
const LINE_HEIGHT: i32 = 18;

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws all rows into an SVG file.
///
/// # Errors
///
/// The file cannot be written.
pub fn draw(all: &[Measured], path: &Path) -> Result<()> {
    let rows: Vec<&[Measured]> = all.chunk_by(|one, other| one.row == other.row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    // A subject has the same colour in all rows.
    let mut subjects: Vec<&str> = Vec::new();
    for measured in all {
        if !subjects.contains(&measured.subject) {
            subjects.push(measured.subject);
        }
    }
    let high = rows.len().div_ceil(COLUMNS);
    let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * high as u32);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE)?;
    for (row, panel) in rows.into_iter().zip(area.split_evenly((high, COLUMNS))) {
        draw_row(row, &subjects, &panel)?;
    }
    area.present()?;
    Ok(())
}

fn draw_row(row: &[Measured], all_subjects: &[&str], panel: &Panel<'_>) -> Result<()> {
    // What has no logarithm is drawn as little.
    let points = |subject: &str| -> Vec<(f64, f64)> {
        row.iter()
            .filter(|measured| measured.subject == subject)
            .filter_map(|measured| Some((measured.n as f64, measured.median?.max(0.1))))
            .collect()
    };
    let subjects: Vec<(usize, &str)> = all_subjects
        .iter()
        .enumerate()
        .map(|(number, &subject)| (number, subject))
        .filter(|(_, subject)| !points(subject).is_empty())
        .collect();
    let Some(first) = row.first().filter(|_| !subjects.is_empty()) else { return Ok(()) };
    let (left, names) = panel.split_horizontally(NAMES_FROM);
    let drawn = || subjects.iter().flat_map(|(_, subject)| points(subject));
    let bounds = |of: fn((f64, f64)) -> f64| {
        drawn()
            .map(of)
            .fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| (least.min(value), most.max(value)))
    };
    let ((from, to), (least, most)) = (bounds(|point| point.0), bounds(|point| point.1));
    let unit = match first.unit {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "bytes",
        Unit::Percent => "%",
    };
    let mut chart = ChartBuilder::on(&left)
        .caption(format!("{} ({unit})", first.row), ("sans-serif", 18))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(52)
        .build_cartesian_2d((from..to * 1.01).log_scale(), (least * 0.8..most * 1.25).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_labels(5)
        .x_label_formatter(&|n| short(*n))
        .y_label_formatter(&|cost| short(*cost))
        .label_style(("sans-serif", 13))
        .draw()?;
    for (line, (number, subject)) in subjects.iter().enumerate() {
        let ours = row.iter().any(|measured| measured.subject == *subject && measured.ours);
        let style = Palette99::pick(*number).stroke_width(if ours { 4 } else { 1 });
        chart.draw_series(LineSeries::new(points(subject), style).point_size(if ours { 3 } else { 2 }))?;
        let y = 40 + line as i32 * LINE_HEIGHT;
        names.draw(&PathElement::new([(4, y + 6), (20, y + 6)], style))?;
        names.draw(&Text::new(subject.to_string(), (26, y), ("sans-serif", 13)))?;
    }
    Ok(())
}

/// `0.5`, `20`, `1.5 k`, `1 M`.
fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{} M", number / 1e6),
        1e3.. => format!("{} k", number / 1e3),
        _ => format!("{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.5, 20.0, 1500.0, 1e6].map(short), ["0.5", "20", "1.5 k", "1 M"]);
    }
}
