//! The command: `cargo run --release --manifest-path bench/Cargo.toml -- --help`.

use std::io::{ErrorKind, Write, stdout};

use anyhow::{Result, bail};
use clap::Parser;
use maple_bench::args::Args;
use maple_bench::copies::{Copies, copies};
use maple_bench::growth::growth;
use maple_bench::instructions::instructions;
use maple_bench::report::{Table, draw, json};
use maple_bench::round_trip::round_trips;
use maple_bench::row::Setup;
use maple_bench::run::run;
use maple_bench::targets::targets;
use maple_bench::workloads;

fn main() -> Result<()> {
    match work(&Args::parse(), &mut stdout().lock()) {
        // Nobody reads on: `| head`.
        Err(error) if is_closed(&error) => Ok(()),
        done => done,
    }
}

fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn work(args: &Args, out: &mut impl Write) -> Result<()> {
    if args.copies {
        writeln!(out, "{}", Copies::HEAD)?;
        for &n in args.sizes() {
            let setup = Setup { n, operations: args.operations as usize, seed: args.seed };
            for copies in copies(&setup) {
                writeln!(out, "{copies}")?;
            }
        }
        return Ok(());
    }
    if args.round_trip {
        return round_trips(out);
    }
    if args.instructions {
        return instructions(args, out);
    }
    #[cfg(feature = "visits")]
    if args.visits {
        return maple_bench::visits::visits(args, out);
    }
    if args.targets {
        return targets(args, out);
    }
    if args.pathologies {
        return growth(args, out);
    }
    let rows: Vec<_> = workloads::rows().into_iter().filter(|row| args.wants_row(row.name)).collect();
    if rows.is_empty() {
        bail!("no row of that name; --list names them");
    }
    if args.list {
        for row in rows {
            writeln!(out, "{:<24} {}", row.name, row.what)?;
        }
        return Ok(());
    }
    let plan = args.plan(args.all);
    let mut all = Vec::new();
    for row in &rows {
        let mut measured = Vec::new();
        for &n in args.sizes() {
            measured.extend(run(row, n, &plan, |subject| args.wants_subject(subject))?);
        }
        if !args.json {
            writeln!(out, "{}", Table { row, measured: &measured })?;
        }
        all.extend(measured);
    }
    if args.json {
        writeln!(out, "{}", json(&all)?)?;
    }
    if let Some(path) = &args.chart {
        draw(&all, path)?;
    }
    Ok(())
}
