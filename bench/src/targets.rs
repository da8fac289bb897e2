//! What was set as a goal, and whether it is reached: only the rows of that table, and only who is named in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Result;

use crate::args::Args;
use crate::row::{Row, matches};
use crate::run::{Round, run_together};
use crate::workloads;

/// Whom a goal compares with.
#[derive(Clone, Copy)]
enum Peer {
    /// The quickest (smallest) of these subjects, or the only one.
    Best(&'static [&'static str]),
    /// This subject of ours, instead of the usual one, with the quickest of these.
    Instead(&'static str, &'static [&'static str]),
    /// Ourselves, in another row.
    OurRow(&'static str),
    /// Ourselves, at another size.
    OurSize(usize),
}

use Peer::{Best, Instead, OurRow, OurSize};

struct Target {
    what: &'static str,
    /// Names of rows, or their beginnings.
    rows: &'static [&'static str],
    peer: Peer,
    who: &'static str,
    /// The largest ratio of our median to the peer's, by n.
    goals: &'static [(usize, f64)],
}

const TREE: Peer = Best(&["C maple tree"]);
const RCU_TREE: Peer = Best(&["C maple tree (RCU)"]);
const RBTREE: Peer = Best(&["C iova (rbtree)"]);
const PROPOSED: Peer = Best(&["C iova (maple tree)"]);
const RUST_MAPS: &[&str] = &["std BTreeMap", "rangemap", "nodit", "iset"];
const RUST: Peer = Best(RUST_MAPS);

const K: usize = 1000;
const M: usize = 1_000_000;

macro_rules! targets {
    ($($what:literal, $rows:expr, $peer:expr, $who:literal, [$($n:expr => $goal:literal),+ $(,)?];)+) => {
        [$(Target { what: $what, rows: &$rows, peer: $peer, who: $who, goals: &[$(($n, $goal)),+] }),+]
    };
}

static TARGETS: [Target; 20] = targets! {
    "random lookup", ["lookup", "lookup-dependent"], TREE, "C maple tree",
        [100 => 0.4, K => 0.4, 10 * K => 0.4, 100 * K => 0.4, M => 0.4];
    "random erase", ["erase-random"], TREE, "C maple tree",
        [100 => 0.2, K => 0.2, 10 * K => 0.2, 100 * K => 0.35, M => 0.35];
    "insert", ["insert-random", "insert-sequential"], TREE, "C maple tree",
        [100 => 0.45, K => 0.45, 10 * K => 0.45, 100 * K => 0.45, M => 0.45];
    "iteration, cursors", ["iterate", "cursor-next", "cursor-prev"], TREE, "C maple tree",
        [100 => 0.35, K => 0.35, 10 * K => 0.35, 100 * K => 0.35, M => 0.35];
    "gap search", ["gap-near*", "gap-deep*", "gap-absent*", "gap-window*"], TREE, "C maple tree",
        [100 => 0.8, K => 0.8, 10 * K => 0.8, 100 * K => 0.8, M => 0.8];
    "pair, 1 to 32", ["pair-any"], TREE, "C maple tree",
        [K => 0.45, 10 * K => 0.45, 100 * K => 0.45, M => 0.45];
    "pair, aligned", ["pair-natural"], PROPOSED, "C iova (maple tree)", [K => 0.3, 10 * K => 0.3];
    "pair, aligned", ["pair-natural"], RBTREE, "C iova (rbtree)", [K => 0.15, 10 * K => 0.01];
    "FIFO and LIFO, uncached", ["page-fifo", "page-lifo", "pages-64-fifo", "pages-64-lifo"],
        Best(&["C iova (rbtree)", "C iova (maple tree)"]), "the better C iova",
        [100 => 1.0, K => 1.0, 10 * K => 1.0];
    "cached pair, no locks", ["page-cached"],
        Instead("iova (caches without locks)", &["C iova (magazines)"]), "C iova (magazines)",
        [100 => 1.0, K => 1.0, 10 * K => 1.0];
    "cached pair, spin locks", ["page-cached"],
        Instead("iova (caches and spin locks)", &["C iova (magazines and locks)"]), "C iova (magazines and locks)",
        [100 => 1.0, K => 1.0, 10 * K => 1.0];
    "two threads, uncached", ["threads-2"], RBTREE, "C iova (rbtree)",
        [100 => 0.333, K => 0.333, 10 * K => 0.333];
    "shared readers beside a writer", ["read-1-writer"], OurRow("read-1"), "ourselves alone",
        [100 => 1.1, K => 1.1, 10 * K => 1.1];
    "shared readers beside a writer", ["read-1-writer"], RCU_TREE, "C maple tree (RCU)",
        [100 => 0.5, K => 0.5, 10 * K => 0.5];
    "bytes per range", ["bytes-*"], TREE, "C maple tree",
        [100 => 0.9, K => 0.9, 10 * K => 0.9, 100 * K => 0.9, M => 0.9];
    "lookup", ["lookup", "lookup-dependent"], RUST, "the best Rust map",
        [100 => 1.0, K => 1.0, 10 * K => 1.0, 100 * K => 1.0, M => 1.0];
    "insert, remove", ["insert-random", "insert-sequential", "erase-random"], RUST, "the best Rust map",
        [100 => 1.0, K => 1.0, 10 * K => 1.0, 100 * K => 1.0, M => 1.0];
    // Which do not track gaps either.
    "insert, remove, no gaps", ["insert-random", "insert-sequential", "erase-random"],
        Instead("maple-tree, gaps not tracked", RUST_MAPS), "the best Rust map",
        [100 => 1.0, K => 1.0, 10 * K => 1.0, 100 * K => 1.0, M => 1.0];
    "iteration", ["iterate"], RUST, "the best Rust map",
        [100 => 1.0, K => 1.0, 10 * K => 1.0, 100 * K => 1.0, M => 1.0];
    "pathologies at 64 times the size", ["ageing", "fragmented", "over-asking", "convoy"], OurSize(K),
        "ourselves at n = 1000", [64 * K => 1.5];
};

/// The columns.
const SIZES: [usize; 6] = [100, K, 10 * K, 64 * K, 100 * K, M];

/// A row with so many ranges.
type Place = (&'static str, usize);

/// Medians by place and subject; ours are under no name.
#[derive(Default)]
struct Medians(BTreeMap<(Place, Option<&'static str>), f64>);

/// Runs what the goals are about, and prints a table in Markdown: our median to the peer's, by n.
///
/// # Errors
///
/// As those of [`run_together`].
pub fn targets(args: &Args, out: &mut impl Write) -> Result<()> {
    let rows = workloads::rows();
    let is_wanted = |n: usize| args.n.as_ref().is_none_or(|sizes| sizes.contains(&n));
    let medians = measure(args, &rows, is_wanted)?;
    let sizes: Vec<usize> = SIZES.into_iter().filter(|&n| is_wanted(n)).collect();
    let heads: Vec<String> = sizes.iter().map(|n| format!("n = {n}")).collect();
    writeln!(out, "| what | row | peer | goal | {} | reached |", heads.join(" | "))?;
    writeln!(out, "| --- | --- | --- | ---: |{} --- |", " ---: |".repeat(sizes.len()))?;
    for (target, row) in places(args, &rows) {
        let line = Line::of(target, row, &sizes, &medians);
        let Target { what, who, .. } = target;
        let (goal, cells) = (goal(target), line.cells.join(" | "));
        writeln!(out, "| {what} | `{}` | {who} | {goal} | {cells} | {} |", row.name, line.reached)?;
    }
    Ok(())
}

/// Each target in each of its rows.
fn places<'a>(args: &Args, rows: &'a [Row]) -> Vec<(&'static Target, &'a Row)> {
    let of_target = |target: &'static Target| {
        let named = move |row: &&Row| target.rows.iter().any(|name| matches(name, row.name));
        rows.iter().filter(named).filter(|row| args.wants_row(row.name)).map(move |row| (target, row))
    };
    TARGETS.iter().flat_map(of_target).collect()
}

/// Who is named for a place, and which place it is compared with, itself if with no other one.
struct Wanted {
    subjects: BTreeSet<&'static str>,
    beside: Place,
}

/// Runs each row at each size once, with all who are named. What is compared is run in turns.
fn measure(args: &Args, rows: &[Row], is_wanted: impl Fn(usize) -> bool) -> Result<Medians> {
    let wanted = wanted(args, rows, is_wanted);
    let plan = args.plan(args.all);
    let mut medians = Medians::default();
    for row in rows {
        for &first in wanted.keys().filter(|(name, _)| *name == row.name) {
            let together = wanted.iter().filter(|(_, wanted)| wanted.beside == first);
            let rounds = together.filter_map(|(&(name, n), wanted)| {
                let row = rows.iter().find(|row| row.name == name)?;
                let ours = |subject: &str| {
                    row.entrants.iter().any(|entrant| entrant.ours && entrant.subject == subject)
                };
                Some(Round::new(row, n, &plan, |subject| ours(subject) || wanted.subjects.contains(subject)))
            });
            for measured in run_together(rounds, &plan)? {
                let subject = (!measured.ours).then_some(measured.subject);
                if let Some(median) = measured.median {
                    medians.0.insert(((measured.row, measured.n), subject), median);
                }
            }
        }
    }
    Ok(medians)
}

fn wanted(args: &Args, rows: &[Row], is_wanted: impl Fn(usize) -> bool) -> BTreeMap<Place, Wanted> {
    fn at(wanted: &mut BTreeMap<Place, Wanted>, place: Place) -> &mut Wanted {
        wanted.entry(place).or_insert(Wanted { subjects: BTreeSet::new(), beside: place })
    }

    let mut wanted = BTreeMap::new();
    for (target, row) in places(args, rows) {
        for &(n, _) in target.goals.iter().filter(|(n, _)| is_wanted(*n)) {
            let other = match target.peer {
                Best(_) | Instead(..) => (row.name, n),
                OurRow(other) => (other, n),
                OurSize(other) => (row.name, other),
            };
            at(&mut wanted, other);
            let here = at(&mut wanted, (row.name, n));
            match target.peer {
                Best(subjects) => here.subjects.extend(subjects),
                Instead(ours, theirs) => here.subjects.extend(theirs.iter().chain([&ours])),
                OurRow(_) | OurSize(_) => here.beside = other,
            }
        }
    }
    wanted
}

fn goal(target: &Target) -> String {
    let mut goals: Vec<f64> = target.goals.iter().map(|&(_, goal)| goal).collect();
    goals.dedup();
    goals.iter().map(|goal| format!("{goal}")).collect::<Vec<_>>().join(", ")
}

/// One line of the table, but for its names.
struct Line {
    cells: Vec<String>,
    reached: &'static str,
}

impl Line {
    fn of(target: &Target, row: &Row, sizes: &[usize], medians: &Medians) -> Self {
        let (mut cells, mut missed, mut measured) = (Vec::new(), false, false);
        for n in sizes {
            let Some(&(_, goal)) = target.goals.iter().find(|(of, _)| of == n) else {
                cells.push(String::new());
                continue;
            };
            let Some(ratio) = medians.ratio(target.peer, row.name, *n) else {
                cells.push("-".into());
                continue;
            };
            measured = true;
            missed |= ratio > goal;
            let digits = if ratio < 1.0 { 3 } else { 2 };
            let mark = if ratio > goal { "**" } else { "" };
            cells.push(format!("{mark}{ratio:.digits$}{mark}"));
        }
        let reached = match (measured, missed) {
            (false, _) => "not measured",
            (true, false) => "yes",
            (true, true) => "no",
        };
        Self { cells, reached }
    }
}

impl Medians {
    /// Our median to the peer's, if both were measured.
    fn ratio(&self, peer: Peer, row: &'static str, n: usize) -> Option<f64> {
        let ours = |row, n| self.0.get(&((row, n), None)).copied();
        let of = |subject| self.0.get(&((row, n), Some(subject))).copied();
        let best =
            |subjects: &[&'static str]| subjects.iter().filter_map(|subject| of(subject)).reduce(f64::min);
        let other = match peer {
            Best(subjects) => best(subjects),
            Instead(ours, theirs) => return Some(of(ours)? / best(theirs)?),
            OurRow(other) => ours(other, n),
            OurSize(other) => ours(row, other),
        }?;
        Some(ours(row, n)? / other)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn all_rows_and_subjects_exist() {
        let rows = workloads::rows();
        for target in &TARGETS {
            for name in target.rows {
                assert!(rows.iter().any(|row| matches(name, row.name)), "{name}");
            }
            assert!(target.goals.iter().all(|(n, _)| SIZES.contains(n)));
            let subjects: Vec<&str> = match target.peer {
                Best(subjects) => subjects.to_vec(),
                Instead(ours, theirs) => [&[ours], theirs].concat(),
                OurRow(_) | OurSize(_) => continue,
            };
            for row in rows.iter().filter(|row| target.rows.iter().any(|name| matches(name, row.name))) {
                let there = |subject: &&str| row.entrants.iter().any(|entrant| entrant.subject == *subject);
                let of_rust = subjects.iter().all(|subject| !subject.starts_with("C "));
                assert!(subjects.iter().all(there) || !of_rust && cfg!(not(feature = "kernel")));
            }
        }
    }

    #[test]
    fn what_is_compared_runs_together() {
        let args = Args::parse_from(["maple-bench", "--targets"]);
        let wanted = wanted(&args, &workloads::rows(), |_| true);
        assert_eq!(wanted[&("read-1-writer", K)].beside, ("read-1", K));
        assert_eq!(wanted[&("ageing", 64 * K)].beside, ("ageing", K));
        // Or one that is run with others would be run nowhere.
        assert!(wanted.values().all(|place| wanted[&place.beside].beside == place.beside));
    }

    #[test]
    fn the_best_peer_counts() {
        let mut medians = Medians::default();
        let place = ("lookup", 100);
        medians.0.extend([((place, None), 2.0), ((place, Some("a")), 8.0), ((place, Some("b")), 4.0)]);
        assert_eq!(medians.ratio(Best(&["a"]), "lookup", 100), Some(0.25));
        assert_eq!(medians.ratio(Best(&["a", "b"]), "lookup", 100), Some(0.5));
        assert_eq!(medians.ratio(Best(&["c"]), "lookup", 100), None);
        medians.0.insert((("lookup", 1000), None), 3.0);
        assert_eq!(medians.ratio(Instead("b", &["a"]), "lookup", 100), Some(0.5));
        assert_eq!(medians.ratio(OurSize(100), "lookup", 1000), Some(1.5));
    }
}
