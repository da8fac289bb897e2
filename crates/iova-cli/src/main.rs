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

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Args, Command};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        // A reader that has seen enough (`iova replay | head`) is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("iova: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run(args: &Args) -> Result<ExitCode> {
    match &args.command {
        Command::Replay(args) => {
            let report = report::Report::new(replay::run(args)?);
            let mut out = io::stdout().lock();
            if args.json {
                serde_json::to_writer_pretty(&mut out, &report)?;
                writeln!(out)?;
            } else {
                report::text::write(&mut out, &report)?;
            }
            out.flush()?;
            Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
