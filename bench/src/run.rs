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
    run_together([Round::new(row, n, plan, wanted)], plan)
}

/// Runs several rows or sizes in turns, so that they can be compared with each other.
///
/// # Errors
///
/// As those of [`run`].
pub fn run_together<'a>(rounds: impl IntoIterator<Item = Round<'a>>, plan: &Plan) -> Result<Vec<Measured>> {
    let mut rounds: Vec<_> = rounds.into_iter().collect();
    for lap in 0..plan.laps as usize {
        for round in &mut rounds {
            round.run(lap)?;
        }
    }
    Ok(rounds.into_iter().flat_map(Round::measured).collect())
}

/// A row with `n` ranges and those who take part, all of them prepared.
pub struct Round<'a> {
    row: &'a Row,
    n: usize,
    running: Vec<(Entrant, Laps, Vec<Lap>)>,
    absent: Vec<Measured>,
}

impl<'a> Round<'a> {
    pub fn new(row: &'a Row, n: usize, plan: &Plan, wanted: impl Fn(&str) -> bool) -> Self {
        let setup = Setup { n, operations: plan.operations, seed: plan.seed };
        let (mut running, mut absent) = (Vec::new(), Vec::new());
        for entrant in row.entrants.iter().filter(|entrant| wanted(entrant.subject)) {
            match entrant.absent(row.name, n, plan.all) {
                Some(why) => absent.push(Measured::absent(row, n, entrant, why)),
                None => {
                    let (entrant, setup) = patiently(*entrant, setup, row.name);
                    running.push((entrant, (entrant.prepare)(&setup), Vec::new()));
                }
            }
        }
        Self { row, n, running, absent }
    }

    /// A lap of everybody in turns, so that what disturbs the machine for a while disturbs all of them. Each lap begins with
    /// another one.
    fn run(&mut self, lap: usize) -> Result<()> {
        let count = self.running.len();
        for turn in 0..count {
            let (_, laps, done) = &mut self.running[(lap + turn) % count];
            done.push(laps());
        }
        agree(self.row, self.n, lap, &self.running)
    }

    /// What came of it, in the row's order, whoever took part.
    fn measured(self) -> Vec<Measured> {
        let Self { row, n, running, absent: mut measured } = self;
        let ours = running.iter().find(|(entrant, ..)| entrant.ours).and_then(|(.., laps)| Summary::of(laps));
        measured.extend(running.iter().filter_map(|(entrant, _, laps)| {
            let summary = Summary::of(laps)?;
            Some(Measured::new(row, n, entrant, summary, ours.as_ref()))
        }));
        let place =
            |measured: &Measured| row.entrants.iter().position(|entrant| entrant.subject == measured.subject);
        measured.sort_by_key(place);
        measured
    }
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
