//! The `iova` command: replays DMA traces through the allocator.
//!
//! `args` is what can be typed, `capture` reads traces, `replay` runs them through domains, `report` prints what
//! came out.
#![forbid(unsafe_code)]

mod args;
mod capture;
mod placement;
mod progress;
mod replay;
mod report;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use args::{Args, Command};
use report::Report;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            // There is nobody left to tell if this cannot be written.
            let _ = writeln!(io::stderr(), "iova: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Replay(args) => {
            let report = Report::new(replay::run(args)?);
            match print(&report, args.json) {
                // A reader that has seen enough (`iova replay | head`) is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                printed => printed.context("cannot print the report")?,
            }
            Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn print(report: &Report, as_json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    if as_json {
        serde_json::to_writer_pretty(&mut out, report)?;
        writeln!(out)?;
    } else {
        report::text::write(&mut out, report)?;
    }
    out.flush()
}
