//! Random programs on a domain of several virtual CPUs with a virtual clock, with everything checked after each
//! step.
//!
//! One thread plays all CPUs, so a program follows from its seed. What happens at the same time as something
//! else is played as well: the domain calls the IOMMU without a lock, and a flush takes its time there, in
//! which other CPUs do what they do. Node memory and magazines fail as the seed says.
//!
//! After each step every granule of the aperture must be in exactly one place: free, live, cached, queued, or
//! reserved. A range that is handed out must not be known to the IOTLB any more.
//!
//! `MAPLE_SEED` is the first seed, `MAPLE_ROUNDS` how many programs are run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that sees a difference has to stop")]

mod check;
mod iommu;
mod steps;
mod world;

use world::{Totals, World};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Says which program it was when a check fails.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(seed) = self;
            eprintln!("in the program with seed {seed}; MAPLE_SEED={seed} MAPLE_ROUNDS=1 runs just this one");
        }
    }
}

#[test]
fn every_granule_is_in_one_place() {
    let first = number("MAPLE_SEED").unwrap_or(1);
    let rounds = number("MAPLE_ROUNDS").unwrap_or(160);
    let mut totals = Totals::default();
    for seed in first..first.saturating_add(rounds) {
        let _replay = Replay(seed);
        let world = World::new(seed);
        for _ in 0..400 {
            world.step();
            world.check();
        }
        totals.add(&world.finish());
    }
    if number("MAPLE_SEED").is_none() && number("MAPLE_ROUNDS").is_none() {
        totals.must_have_everything();
    }
}
