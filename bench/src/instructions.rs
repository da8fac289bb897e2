//! Instructions per operation, counted by valgrind: what times on a busy machine do not show.
//!
//! Each program is a row with one subject and one lap. It is run again as `valgrind --tool=callgrind`, which counts only
//! within the function that is timed ([`Clock::time`](crate::measure::Clock::time)). Counts of our own code are the same
//! each time; those of the C library, which depend on the machine, are counted apart.

mod baseline;
mod callgrind;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::workloads;
use baseline::{Baseline, Verdict};

/// The rows that are counted, if no others are asked for.
pub(crate) const ROWS: [&str; 18] = [
    "lookup",
    "iterate",
    "cursor-next",
    "overwrite",
    "insert-sequential",
    "insert-random",
    "erase-random",
    "gap-near-top",
    "gap-deep-top",
    "gap-absent-top",
    "gap-window-top",
    "gap-natural-top",
    "gap-window-bottom",
    "pair-any",
    "pair-natural",
    "page-fifo",
    "page-lifo",
    "page-cached",
];
const SIZES: [usize; 2] = [1000, 10_000];

/// One subject in one row at one n.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub row: String,
    pub n: usize,
    pub subject: String,
}

/// What one operation of a program takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    #[serde(flatten)]
    pub program: Program,
    /// Instructions of this program's own code.
    pub instructions: f64,
    /// Calls to an allocator.
    pub allocations: f64,
    /// What depends on more than the code, and is not compared.
    #[serde(skip)]
    pub beside: Beside,
}

/// What is shown beside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Beside {
    /// Instructions of the C library: memory, and moving it.
    pub library: f64,
    /// Reads and writes of memory, the library's included.
    pub accesses: f64,
    /// How many of these miss a cache of 32 KiB.
    pub misses: f64,
}

/// Counts, compares with the baseline and prints; writes the baseline if that is asked for.
///
/// # Errors
///
/// There is no valgrind, a program fails, or one takes more than its baseline says.
pub fn instructions(args: &Args, out: &mut impl Write) -> Result<()> {
    let programs = programs(args);
    if programs.is_empty() {
        bail!("no row of that name has a subject of that name; --list names the rows");
    }
    callgrind::check()?;
    let counts = all(&programs)?;
    let before = if args.baseline.exists() { Some(Baseline::read(&args.baseline)?) } else { None };
    // Peers have no baseline.
    let ours = || counts.iter().filter(|count| is_ours(&count.program));
    let verdicts: Vec<Verdict> =
        counts.iter().map(|count| Verdict::of(count, before.as_ref(), is_ours(&count.program))).collect();
    print(&counts, &verdicts, out)?;
    if args.update {
        let baseline = before.unwrap_or_default().with(ours().cloned().collect());
        baseline.write(&args.baseline)?;
        writeln!(out, "\nwrote {}", args.baseline.display())?;
        return Ok(());
    }
    let Some(before) = before else { bail!("there is no {}: --update writes it", args.baseline.display()) };
    baseline::judge(&before, &verdicts, out)
}

fn print(counts: &[Count], verdicts: &[Verdict], out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "{:<18} {:>7}  {:<24} {:>12} {:>16}  {:>11} {:>9} {:>9} {:>7}",
        "row", "n", "subject", "instructions", "to baseline", "allocations", "library", "accesses", "misses"
    )?;
    for (count, verdict) in counts.iter().zip(verdicts) {
        let Count { program, instructions, allocations, beside } = count;
        writeln!(
            out,
            "{:<18} {:>7}  {:<24} {instructions:>12.1} {:>16}  {allocations:>11.3} {:>9.1} {:>9.1} {:>7.2}",
            program.row,
            program.n,
            program.subject,
            verdict.to_string(),
            beside.library,
            beside.accesses,
            beside.misses,
        )?;
    }
    Ok(())
}

/// What is to be counted.
fn programs(args: &Args) -> Vec<Program> {
    let mut programs = Vec::new();
    for row in workloads::rows() {
        let wanted = if args.row.is_empty() { ROWS.contains(&row.name) } else { args.wants_row(row.name) };
        for entrant in row.entrants.iter().filter(|_| wanted) {
            let named = !args.subject.is_empty() && args.wants_subject(entrant.subject);
            let sizes = args.n.as_deref().unwrap_or(&SIZES);
            for &n in sizes.iter().filter(|_| named || args.subject.is_empty() && entrant.ours) {
                if entrant.absent(row.name, n, args.all).is_none() {
                    programs.push(Program { row: row.name.into(), n, subject: entrant.subject.into() });
                }
            }
        }
    }
    programs
}

fn is_ours(program: &Program) -> bool {
    workloads::rows()
        .iter()
        .filter(|row| row.name == program.row)
        .flat_map(|row| &row.entrants)
        .any(|entrant| entrant.ours && entrant.subject == program.subject)
}

/// Counts them, as many at a time as there are processors.
fn all(programs: &[Program]) -> Result<Vec<Count>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(program) = programs.get(place) else { return done };
            done.push((place, callgrind::count(program)));
        }
    };
    let processors = thread::available_parallelism().map_or(1, Into::into);
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    });
    done.sort_by_key(|&(place, _)| place);
    let named = |(place, count): (usize, Result<Count>)| {
        let Program { row, n, subject } = &programs[place];
        count.with_context(|| format!("{subject} in {row} with n = {n}"))
    };
    done.into_iter().map(named).collect()
}
