//! The report for people.

use std::io::{self, Write};

use super::{CaptureReport, Report, Totals};
use crate::replay::Latency;

/// Writes the report.
pub(crate) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for capture in &report.captures {
        write_capture(out, capture)?;
        writeln!(out)?;
    }
    if report.captures.len() > 1 {
        writeln!(out, "All {} captures", report.captures.len())?;
        write_totals(out, &report.totals)?;
        writeln!(out)?;
    }
    writeln!(out, "Node allocations  {}", report.failing_nodes)?;
    let latency = report.latency_ns;
    writeln!(
        out,
        "Latency in ns            p50      p90      p99    p99.9      max     mean   (clock: {} of each)",
        latency.clock_cost
    )?;
    write_latency(out, "allocate", latency.allocate)?;
    write_latency(out, "free", latency.free)?;
    let verdict = match (report.is_sound(), report.totals.frees) {
        (true, 0) => "No range was freed. Nothing was lost, all trees are valid.",
        (true, _) => "Every free succeeded without a node allocation, nothing was lost, all trees are valid.",
        (false, _) => {
            "DEFECT: a range was misplaced, a free failed or allocated, granules were lost, or a tree is not \
             valid (see above)."
        }
    };
    writeln!(out, "\n{verdict}")
}

fn write_latency(out: &mut impl Write, name: &str, latency: Latency) -> io::Result<()> {
    let Latency { p50, p90, p99, p999, max, mean, .. } = latency;
    write!(out, "  {name:<17}")?;
    for value in [p50, p90, p99, p999, max, mean.map(|mean| mean.round() as u64)] {
        match value {
            Some(value) => write!(out, " {value:>8}")?,
            None => write!(out, " {:>8}", "-")?,
        }
    }
    writeln!(out)
}

fn write_capture(out: &mut impl Write, capture: &CaptureReport) -> io::Result<()> {
    writeln!(out, "{}", capture.name.escape_debug())?;
    writeln!(out, "  requests from     {}", capture.source)?;
    for malformed in &capture.malformed {
        writeln!(out, "  malformed         {malformed}")?;
    }
    let more = capture.totals.malformed_lines.saturating_sub(capture.malformed.len() as u64);
    if more > 0 {
        writeln!(out, "  malformed         and {more} more lines")?;
    }
    write_totals(out, &capture.totals)?;
    const COLUMNS: [&str; 7] =
        ["ranges", "granules", "left", "holes", "fragm.", "longest free", "node bytes"];
    let [ranges, granules, end, holes, fragmentation, longest, bytes] = COLUMNS;
    writeln!(
        out,
        "  {:<27}{ranges:>7} {granules:>9} {end:>7} {holes:>7} {fragmentation:>7} {longest:>13} {bytes:>11}",
        "domain (in granules of 4 KiB)"
    )?;
    for domain in &capture.domain_reports {
        let peak = domain.at_peak;
        writeln!(
            out,
            "    {:<25}{:>7} {:>9} {:>7} {:>7} {:>7} {:>13} {:>11}",
            domain.name.escape_debug().to_string(),
            domain.peak_live_ranges,
            domain.peak_live_granules,
            domain.live_ranges,
            percent(peak.hole_granules, peak.span_granules),
            percent(peak.fragmentation_permille.into(), 1000),
            peak.longest_free_granules,
            domain.peak_node_bytes
        )?;
        if domain.leaked_granules != 0 {
            writeln!(out, "      LOST {} granules", domain.leaked_granules)?;
        }
        if let Some(violation) = &domain.violation {
            writeln!(out, "      NOT VALID: {violation}")?;
        }
    }
    Ok(())
}

fn write_totals(out: &mut impl Write, totals: &Totals) -> io::Result<()> {
    let failed = totals.failed_allocations;
    writeln!(out, "  lines             {}, {} of them not understood", totals.lines, totals.unparsed_lines)?;
    writeln!(
        out,
        "  operations        {} (domains: {}; frees of ranges from before the capture: {})",
        totals.operations, totals.domains, totals.unmatched_frees
    )?;
    write_adjustments(out, totals.adjustments)?;
    writeln!(
        out,
        "  allocations       {}; failed for lack of address space: {}, of node memory: {}, bad requests: {}",
        totals.allocations, failed.address_space, failed.node_memory, failed.bad_request
    )?;
    if totals.misplaced_allocations > 0 {
        writeln!(out, "  MISPLACED         {} allocations", totals.misplaced_allocations)?;
    }
    writeln!(
        out,
        "  frees             {}; failed: {}; {} skipped, their allocation having failed",
        totals.frees, totals.failed_frees, totals.skipped_frees
    )?;
    if totals.failed_in_kernel > 0 {
        writeln!(
            out,
            "  failed in kernel  {}, of which {} succeeded here",
            totals.failed_in_kernel, totals.failed_in_kernel_only
        )?;
    }
    writeln!(
        out,
        "  live ranges       {} at most at a time, {} not freed; {} granules lost",
        totals.peak_live_ranges, totals.live_ranges, totals.leaked_granules
    )?;
    writeln!(
        out,
        "  node allocations  {}, {} failed, {} during frees; {} bytes at most",
        totals.node_allocations,
        totals.failed_node_allocations,
        totals.erase_allocations,
        totals.peak_node_bytes
    )?;
    write_placement(out, totals)
}

fn write_adjustments(out: &mut impl Write, adjustments: super::Adjustments) -> io::Result<()> {
    let counts = [
        (adjustments.lost_events, "events were lost when the capture was made"),
        (adjustments.replaced, "ranges were allocated again while live: freed first"),
        (adjustments.overlapped, "live ranges were overlapped by an allocation: freed first"),
        (adjustments.resized_frees, "frees named another size than their allocation"),
        (adjustments.truncated_lists, "scatter lists are not complete"),
        (adjustments.scattered_lists, "scatter lists are not one range"),
        (adjustments.partial_unmaps, "unmaps removed more than was mapped"),
        (adjustments.unusable, "events name no possible range"),
    ];
    for (count, what) in counts.into_iter().filter(|&(count, _)| count > 0) {
        writeln!(out, "  {count:>17} {what}")?;
    }
    Ok(())
}

fn write_placement(out: &mut impl Write, totals: &Totals) -> io::Result<()> {
    let placement = totals.placement;
    if placement.served_by_tree == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "  placement         {} of {} requests that the kernel's tree served are placed alike ({})",
        placement.equal,
        placement.served_by_tree,
        percent(placement.equal.into(), placement.served_by_tree.into())
    )?;
    let differences = [
        (
            placement.equal_among_used,
            "ours higher, where the capture shows nothing in use: held since before it began, or passed over",
        ),
        (placement.kernel_began_lower, "ours higher: the kernel searched only below what it had placed last"),
        (placement.kernel_start_unknown, "ours higher: where the kernel searched from is not known yet"),
        (
            placement.held_unseen,
            "ours higher: the address was held by something that the capture does not show",
        ),
        (placement.returned_unseen, "ours lower: the address had come back from a CPU cache unseen"),
        (placement.contradictory, "the kernel's answer contradicts its own request"),
    ];
    for (count, reason) in differences.into_iter().filter(|&(count, _)| count > 0) {
        writeln!(out, "  {count:>17} {reason}")?;
    }
    Ok(())
}

fn percent(part: u128, whole: u128) -> String {
    // Exact enough: both are far below 2^53 where this is used.
    if whole == 0 { "-".to_owned() } else { format!("{:.1} %", part as f64 * 100.0 / whole as f64) }
}
