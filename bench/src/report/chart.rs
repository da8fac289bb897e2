//! The chart: for each row, cost over n, a line for each subject, both axes logarithmic.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;

use super::Measured;

const COLUMNS: usize = 3;
const PANEL: (u32, u32) = (480, 320);

/// Draws all rows into an SVG file.
///
/// # Errors
///
/// The file cannot be written.
pub fn draw(all: &[Measured], path: &Path) -> Result<()> {
    let mut rows: Vec<&str> = all.iter().map(|measured| measured.row).collect();
    rows.dedup();
    if rows.is_empty() {
        return Ok(());
    }
    let high = rows.len().div_ceil(COLUMNS);
    let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * high as u32);
    let area = SVGBackend::new(path, size).into_drawing_area();
    area.fill(&WHITE)?;
    for (row, panel) in rows.iter().zip(area.split_evenly((high, COLUMNS))) {
        let of_row: Vec<&Measured> = all.iter().filter(|measured| measured.row == *row).collect();
        draw_row(row, &of_row, &panel)?;
    }
    area.present()?;
    Ok(())
}

fn draw_row(
    row: &str,
    measured: &[&Measured],
    panel: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
) -> Result<()> {
    let medians = || measured.iter().filter_map(|measured| measured.median);
    let (least, most) = medians().fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), median| {
        (least.min(median.max(0.1)), most.max(median))
    });
    let ns = || measured.iter().map(|measured| measured.n as f64);
    let (from, to) = (ns().fold(f64::MAX, f64::min), ns().fold(1.0, f64::max));
    if most <= f64::MIN_POSITIVE {
        return Ok(());
    }
    let mut chart = ChartBuilder::on(panel)
        .caption(row, ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(24)
        .y_label_area_size(56)
        .build_cartesian_2d((from..to * 1.01).log_scale(), (least * 0.8..most * 1.2).log_scale())?;
    chart.configure_mesh().light_line_style(WHITE).x_labels(5).draw()?;
    let mut subjects: Vec<&str> = measured.iter().map(|measured| measured.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    for (number, subject) in subjects.iter().enumerate() {
        let of_subject = || measured.iter().filter(|measured| measured.subject == *subject);
        let points: Vec<(f64, f64)> =
            of_subject().filter_map(|measured| Some((measured.n as f64, measured.median?))).collect();
        let width = if of_subject().any(|measured| measured.ours) { 3 } else { 1 };
        let style = Palette99::pick(number).stroke_width(width);
        chart
            .draw_series(LineSeries::new(points, style).point_size(2))?
            .label(*subject)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 11))
        .background_style(WHITE.mix(0.7))
        .draw()?;
    Ok(())
}
