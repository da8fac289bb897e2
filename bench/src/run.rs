//! Running rows: everybody prepares, then all run their laps in turns.

use std::fmt::Write;

use anyhow::{Result, bail};

use crate::measure::{Lap, Summary};
use crate::report::Measured;
use crate::row::{Entrant, Laps, Row, Setup};

/// What is the same for all rows.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub laps: u32,
    pub operations: usize,
    pub seed: u64,
    /// Also subjects whose time grows with n.
    pub all: bool,
}

/// Runs a row with `n` ranges.
///
/// # Errors
///
/// Two subjects came to different results: then the numbers mean nothing.
pub fn run(row: &Row, n: usize, plan: &Plan, wanted: impl Fn(&str) -> bool) -> Result<Vec<Measured>> {
    let setup = Setup { n, operations: plan.operations, seed: plan.seed };
    let mut measured = Vec::new();
    let mut running: Vec<(Entrant, Laps, Vec<Lap>)> = Vec::new();
    for entrant in row.entrants.iter().filter(|entrant| wanted(entrant.subject)) {
        match entrant.absent(row.name, n, plan.all) {
            Some(why) => measured.push(Measured::absent(row, n, entrant, why)),
            None => {
                let (entrant, setup) = patiently(*entrant, setup, row.name);
                running.push((entrant, (entrant.prepare)(&setup), Vec::new()));
            }
        }
    }
    // In turns, so that what disturbs the machine for a while disturbs all of them; and each lap begins with another one.
    for lap in 0..plan.laps as usize {
        let count = running.len();
        for turn in 0..count {
            let (_, laps, done) = &mut running[(lap + turn) % count];
            done.push(laps());
        }
        agree(row, n, lap, &running)?;
    }
    let ours = running.iter().find(|(entrant, ..)| entrant.ours).and_then(|(.., laps)| Summary::of(laps));
    measured.extend(running.iter().filter_map(|(entrant, _, laps)| {
        let summary = Summary::of(laps)?;
        Some(Measured::new(row, n, entrant, summary, ours.as_ref()))
    }));
    // In the row's order, whoever took part.
    let place =
        |measured: &Measured| row.entrants.iter().position(|entrant| entrant.subject == measured.subject);
    measured.sort_by_key(place);
    Ok(measured)
}

/// One whose time grows with n does fewer operations, so that a run ends. Then its check sum is another one; where n is
/// small it does as many as all others.
fn patiently(entrant: Entrant, setup: Setup, row: &str) -> (Entrant, Setup) {
    if setup.n <= 300 || !entrant.is_linear(row) {
        return (entrant, setup);
    }
    (Entrant { comparable: false, ..entrant }, Setup { operations: (setup.operations / 32).max(64), ..setup })
}

/// All comparable subjects have the same check sum in this lap.
fn agree(row: &Row, n: usize, lap: usize, running: &[(Entrant, Laps, Vec<Lap>)]) -> Result<()> {
    let comparable = || running.iter().filter(|(entrant, ..)| entrant.comparable);
    let checks = || comparable().filter_map(|(_, _, laps)| laps.get(lap).map(|lap| lap.check));
    if checks().max() == checks().min() {
        return Ok(());
    }
    let mut all = String::new();
    for ((entrant, ..), check) in comparable().zip(checks()) {
        write!(all, "\n  {}: {check:#x}", entrant.subject)?;
    }
    bail!("{} with n = {n}: not all did the same work{all}", row.name);
}
