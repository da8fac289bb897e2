//! How many nodes of our trees an operation looks at: what neither the compiler nor the machine changes.

use std::io::Write;

use anyhow::Result;

use crate::args::Args;
use crate::instructions::ROWS;
use crate::row::Setup;
use crate::workloads;

const SIZES: [usize; 4] = [100, 1000, 10_000, 100_000];

/// Runs a lap of each row with our own subject, and prints a table in Markdown. Nodes are counted while a lap's clock runs; rows
/// that are measured by the time of day, or not timed, have none.
///
/// # Errors
///
/// It cannot be written.
pub fn visits(args: &Args, out: &mut impl Write) -> Result<()> {
    let sizes = args.n.as_deref().unwrap_or(&SIZES);
    let heads: Vec<String> = sizes.iter().map(|n| format!("n = {n}")).collect();
    writeln!(out, "| row | subject | {} |", heads.join(" | "))?;
    writeln!(out, "| --- | --- |{}", " ---: |".repeat(sizes.len()))?;
    for row in workloads::rows() {
        let wanted = if args.row.is_empty() { ROWS.contains(&row.name) } else { args.wants_row(row.name) };
        for entrant in row.entrants.iter().filter(|entrant| wanted && entrant.ours) {
            let of_size = |&n: &usize| {
                let setup = Setup { n, operations: args.operations as usize, seed: args.seed };
                let visits = (entrant.prepare)(&setup)().visits;
                format!("{visits:.2}")
            };
            let cells: Vec<String> = sizes.iter().map(of_size).collect();
            writeln!(out, "| `{}` | {} | {} |", row.name, entrant.subject, cells.join(" | "))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_lookup_visits_as_many_nodes_as_the_tree_is_high() {
        let args = "maple-bench --visits --row lookup --n 8,100 --operations 640";
        let mut out = Vec::new();
        visits(&Args::parse_from(args.split(' ')), &mut out).unwrap();
        let table = String::from_utf8(out).unwrap();
        assert!(table.ends_with("| `lookup` | maple-tree | 1.00 | 2.00 |\n"), "{table}");
    }
}
