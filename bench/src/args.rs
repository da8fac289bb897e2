//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::run::Plan;

/// Measures the tree and the allocator side by side with their peers: all subjects do the same work, in turns, in one run.
///
/// Times are medians of processor time per operation. The ratio is our median to that of the subject: below 1 we are quicker.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// The rows to run, by name or by the beginning of it with a `*`; all if there is none. `--list` names them.
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    pub row: Vec<String>,

    /// Numbers of ranges: 100, 1000, 10 000, 100 000 and 1 000 000 if there is none.
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pub n: Option<Vec<usize>>,

    /// Only these subjects, by name or by the beginning of it with a `*`.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub subject: Vec<String>,

    /// How many laps each subject runs.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub laps: u32,

    /// How many operations a lap has, at least where they are quick.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(16..))]
    pub operations: u32,

    /// What the ranges and the order of operations follow from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Also subjects whose time grows with n, at any n.
    #[arg(long)]
    pub all: bool,

    /// The result as JSON: an array of objects.
    #[arg(long)]
    pub json: bool,

    /// Draws the result into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,

    /// Instead of rows: how many nodes writes of the shared mode copy and allocate, and how many wait for readers.
    #[arg(long, group = "instead")]
    pub copies: bool,

    /// Instead of rows: how long a cache line takes to another thread and back.
    #[arg(long, group = "instead")]
    pub round_trip: bool,

    /// Instead of times: instructions per operation, counted by valgrind, of our own subjects in some rows (others with
    /// --subject and --row). Fails if they are more than the baseline says.
    #[arg(long, group = "instead")]
    pub instructions: bool,

    /// Instead of times: how many nodes of our trees an operation looks at, in the rows of --instructions, as a table in
    /// Markdown.
    #[cfg(feature = "visits")]
    #[arg(long, group = "instead")]
    pub visits: bool,

    /// Instead of rows: the goals of the project, measured, as a table in Markdown. Needs the feature `kernel` for most.
    #[arg(long, group = "instead")]
    pub targets: bool,

    /// Instead of rows: how the cost of each pathology grows, at 1, 4, 16 and 64 times the first --n (1000), as a table.
    #[arg(long, group = "instead")]
    pub pathologies: bool,

    /// The baseline of --instructions.
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json"))]
    pub baseline: PathBuf,

    /// Writes what was counted into the baseline.
    #[arg(long, requires = "instructions")]
    pub update: bool,

    /// Names the rows and what they measure, and runs none.
    #[arg(long)]
    pub list: bool,
}

impl Args {
    /// The numbers of ranges to run with.
    pub fn sizes(&self) -> &[usize] {
        self.n.as_deref().unwrap_or(&[100, 1000, 10_000, 100_000, 1_000_000])
    }

    /// How rows are run.
    pub fn plan(&self, all: bool) -> Plan {
        Plan { laps: self.laps, operations: self.operations as usize, seed: self.seed, all }
    }

    /// Whether this row is to run.
    pub fn wants_row(&self, name: &str) -> bool {
        self.row.is_empty() || self.row.iter().any(|wanted| crate::row::matches(wanted, name))
    }

    /// Whether this subject is to take part.
    pub fn wants_subject(&self, name: &str) -> bool {
        self.subject.is_empty() || self.subject.iter().any(|wanted| crate::row::matches(wanted, name))
    }
}
