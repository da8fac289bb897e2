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
            complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Replay(args) => {
            let report = Report::new(replay::run(args)?);
            let printed = if report.captures.is_empty() { Ok(()) } else { print(&report, args.json) };
            match printed {
                // A reader that has seen enough (`iova replay | head`) is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                printed => printed.context("cannot print the report")?,
            }
            for error in &report.unreadable {
                complain(error);
            }
            Ok(match (report.unreadable.is_empty(), report.is_sound()) {
                (false, _) => ExitCode::from(2),
                (true, true) => ExitCode::SUCCESS,
                (true, false) => ExitCode::FAILURE,
            })
        }
    }
}

/// Says what went wrong. If that cannot be written there is nobody left to tell.
fn complain(error: &str) {
    let _ = writeln!(io::stderr(), "iova: {error}");
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
