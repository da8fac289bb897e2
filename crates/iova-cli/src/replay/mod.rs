//! Replaying captures: each of their domains through a domain of ours.

mod engine;
mod latency;
mod outcome;
mod survey;

pub(crate) use latency::{Latencies, Latency};
#[cfg(test)]
pub(crate) use outcome::Occupancy;
pub(crate) use outcome::{DomainOutcome, Outcome};

use anyhow::{Result, anyhow};
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
}

/// Replays what the arguments name, one capture after the other.
pub(crate) fn run(args: &ReplayArgs) -> Result<Replays> {
    let progress = Progress::new();
    let plan = args.plan();
    let mut latencies = Latencies::new()?;
    let mut captures = Vec::new();
    let mut replay = |capture: Capture| -> Result<()> {
        progress.replaying(&capture.name, capture.requests.operations.len());
        let outcome = engine::replay(&capture.requests, plan.clone(), &mut latencies, &progress)
            .map_err(|error| anyhow!("{}: {error}", capture.name))?;
        let placement = placement::compare(&capture.requests)
            .map_err(|error| anyhow!("{}: comparing placements: {error}", capture.name))?;
        captures.push(Replayed { capture, outcome, placement });
        Ok(())
    };
    if args.files.is_empty() {
        replay(Capture::built_in(&progress)?)?;
    }
    for path in &args.files {
        replay(Capture::open(path, &progress)?)?;
    }
    Ok(Replays { plan, latencies, captures })
}
