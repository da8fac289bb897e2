//! Every allocation failure: programs on a space and on a domain are run once for each allocation that they make, which then
//! fails. What is done with each program is in `maple_faults::sweep`.
//!
//! What a domain asks for comes from the global allocator: tree nodes, magazines, shelves, rings, and tables of what is live.
//! So a failure of any of these is met.
//!
//! `MAPLE_SEED` is the first seed, `MAPLE_ROUNDS` how many programs are run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that sees a difference has to stop")]

mod domain;
mod space;

use maple_faults::FaultyGlobal;
use maple_faults::sweep::{self, Case, Report};

#[global_allocator]
static GLOBAL: FaultyGlobal = FaultyGlobal;

const PAGE: u64 = 4096;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Sweeps one program for each seed. A sweep in which nothing fails says nothing.
fn every_failure<C: Case>(case: impl Fn(u64) -> C) {
    let (first, rounds) = (number("MAPLE_SEED").unwrap_or(1), number("MAPLE_ROUNDS").unwrap_or(6));
    let mut report = Report::default();
    for seed in first..first.saturating_add(rounds) {
        report.add(sweep::every_failure(&case(seed)));
    }
    eprintln!("{report:?}");
    assert!(report.programs == 0 || report.failed > report.programs, "{report:?}");
}

/// The command that runs the program of a seed.
fn command(seed: u64, test: &str) -> String {
    format!("MAPLE_SEED={seed} MAPLE_ROUNDS=1 cargo test -p iova --test faults {test}")
}
