//! What can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use maple_faults::Plan;

/// Replays DMA traces through an I/O virtual address allocator whose free cannot fail.
#[derive(Debug, Parser)]
#[command(name = "iova", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Replay(ReplayArgs),
}

/// Replay captured DMA traffic: its requests, lifetimes and limits, in its order
///
/// Reads what Linux prints: /sys/kernel/tracing/trace, `trace-cmd report`, `perf script`, plain or compressed with
/// gzip or zstd. Each domain of the capture becomes a domain of its own. A capture is held in memory.
///
/// Exits with 1 if a range was misplaced, a free failed or allocated a tree node, a granule was lost, or a tree is
/// not valid at the end; with 2 if a capture could not be read. docs/report.md explains the report and its JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Captures; "-" is the standard input. Without any, a capture that comes with the program is replayed
    pub(crate) files: Vec<PathBuf>,

    /// Let each allocation of a tree node fail with this probability (0 to 1)
    #[arg(long, value_name = "P", value_parser = probability, conflicts_with = "fail_after")]
    pub(crate) fail_nodes: Option<f64>,

    /// Let all allocations of tree nodes fail from the N-th of a capture on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) fail_after: Option<u64>,

    /// What the random failures of --fail-nodes follow from; printed if it is chosen at random
    // The conflict is stated here too: a required option that conflicts with one given is not required any more.
    #[arg(long, value_name = "N", requires = "fail_nodes", conflicts_with = "fail_after")]
    pub(crate) seed: Option<u64>,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl ReplayArgs {
    /// Which node allocations are to fail, anew for each capture.
    pub(crate) fn plan(&self) -> Plan {
        match (self.fail_nodes, self.fail_after) {
            (Some(probability), _) => {
                let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
                Plan::Random { probability, seed }
            }
            (None, Some(first)) => Plan::After(first.saturating_sub(1)),
            (None, None) => Plan::Never,
        }
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
        Ok(_) => Err("not between 0 and 1".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn probabilities_are_between_0_and_1() {
        assert_eq!(probability("0.3"), Ok(0.3));
        assert!(probability("1.1").is_err());
        assert!(probability("NaN").is_err());
        assert!(probability("often").is_err());
    }
}
