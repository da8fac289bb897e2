//! Replaying captures: each of their domains through a domain of ours.

mod engine;
mod latency;
mod outcome;
mod survey;

pub(crate) use latency::{Latencies, Latency};
#[cfg(test)]
pub(crate) use outcome::Occupancy;
pub(crate) use outcome::{DomainOutcome, Outcome};

use std::path::PathBuf;

use anyhow::{Error, Result, anyhow};
use maple_faults::Plan;

use crate::args::ReplayArgs;
use crate::capture::Capture;
use crate::placement::{self, Placement};
use crate::progress::Progress;

/// A capture and what its replay came to.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) capture: Capture,
    pub(crate) outcome: Outcome,
    pub(crate) placement: Placement,
}

/// The replays of all captures that were asked for.
#[derive(Debug)]
pub(crate) struct Replays {
    pub(crate) plan: Plan,
    pub(crate) latencies: Latencies,
    pub(crate) captures: Vec<Replayed>,
    /// Why captures are missing.
    pub(crate) unreadable: Vec<Error>,
}

/// Replays what the arguments name, one capture after the other. One that cannot be read does not stop the others.
pub(crate) fn run(args: &ReplayArgs) -> Result<Replays> {
    let progress = Progress::new();
    let plan = args.plan();
    let mut latencies = Latencies::new()?;
    let (mut captures, mut unreadable) = (Vec::new(), Vec::new());
    let read_one = |number: usize, path: &PathBuf| {
        progress.capture(number + 1, args.files.len());
        Capture::open(path, &progress)
    };
    let named = args.files.iter().enumerate().map(|(number, path)| read_one(number, path));
    let built_in = args.files.is_empty().then(|| Capture::built_in(&progress));
    for capture in named.chain(built_in) {
        let replayed = capture.and_then(|capture| replay(capture, &plan, &mut latencies, &progress));
        match replayed {
            Ok(replayed) => captures.push(replayed),
            Err(error) => unreadable.push(error),
        }
    }
    Ok(Replays { plan, latencies, captures, unreadable })
}

fn replay(capture: Capture, plan: &Plan, latencies: &mut Latencies, progress: &Progress) -> Result<Replayed> {
    progress.replaying(&capture.name, capture.requests.operations.len());
    let outcome = engine::replay(&capture.requests, plan.clone(), latencies, progress)
        .map_err(|error| anyhow!("{}: {error}", capture.name))?;
    progress.comparing(&capture.name);
    let placement = placement::compare(&capture.requests)
        .map_err(|error| anyhow!("{}: comparing placements: {error}", capture.name))?;
    Ok(Replayed { capture, outcome, placement })
}
