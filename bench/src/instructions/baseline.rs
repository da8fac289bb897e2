//! What programs took when somebody last looked, and how much more is too much.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Count;

/// The compiler that made this program, and for what.
const COMPILER: &str = env!("MAPLE_BENCH_RUSTC");

/// The same compiler makes the same code, but for the order of functions.
const SAME_COMPILER: f64 = 0.03;
/// Another one inlines and unrolls as it likes.
const OTHER_COMPILER: f64 = 0.15;

/// The committed file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    compiler: String,
    programs: Vec<Count>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { compiler: COMPILER.into(), programs: Vec::new() }
    }
}

impl Baseline {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)?;
        serde_json::from_str(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    /// A line for each program, so that differences can be read.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let lines: Vec<String> = self.programs.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let compiler = serde_json::to_string(&self.compiler)?;
        let text = format!("{{\n\"compiler\": {compiler},\n\"programs\": [\n{}\n]\n}}\n", lines.join(",\n"));
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// With these instead of what it says of the same programs; by this compiler from now on.
    pub(super) fn with(self, counts: Vec<Count>) -> Self {
        let mut programs = self.programs;
        for count in counts {
            match programs.iter_mut().find(|before| before.program == count.program) {
                Some(before) => *before = count,
                None => programs.push(count),
            }
        }
        Self { compiler: COMPILER.into(), programs }
    }

    fn tolerance(&self) -> f64 {
        if self.compiler == COMPILER { SAME_COMPILER } else { OTHER_COMPILER }
    }
}

/// What a program takes now, seen from the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// A peer, which has no baseline.
    Peer,
    /// There is no such program in the baseline.
    New,
    /// More, by this share.
    Worse(f64),
    /// More calls to an allocator.
    MoreAllocations,
    Same,
    /// Less, by this share.
    Better(f64),
}

impl Verdict {
    pub(super) fn of(count: &Count, baseline: Option<&Baseline>, is_ours: bool) -> Self {
        if !is_ours {
            return Self::Peer;
        }
        let find = |baseline: &Baseline| {
            let before = baseline.programs.iter().find(|before| before.program == count.program)?;
            Some((before.clone(), baseline.tolerance()))
        };
        let Some((before, tolerance)) = baseline.and_then(find) else { return Self::New };
        let change = count.instructions / before.instructions - 1.0;
        if change > tolerance {
            Self::Worse(change)
        } else if count.allocations > before.allocations + 0.002 {
            Self::MoreAllocations
        } else if change < -tolerance {
            Self::Better(-change)
        } else {
            Self::Same
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => Ok(()),
            Self::New => f.write_str("new"),
            Self::Worse(share) => write!(f, "+{:.1} % WORSE", share * 100.0),
            Self::MoreAllocations => f.write_str("ALLOCATES MORE"),
            Self::Same => f.write_str("same"),
            Self::Better(share) => write!(f, "-{:.1} %", share * 100.0),
        }
    }
}

/// Says what all verdicts mean together.
///
/// # Errors
///
/// Something is worse, or new.
pub(super) fn judge(before: &Baseline, verdicts: &[Verdict], out: &mut impl Write) -> Result<()> {
    let tolerance = before.tolerance() * 100.0;
    if before.compiler != COMPILER {
        writeln!(
            out,
            "\nThe baseline was counted with {}, this is {COMPILER}: {tolerance:.0} % either way are the same.",
            before.compiler
        )?;
    }
    let count = |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| wanted(verdict)).count();
    let better = count(|verdict| matches!(verdict, Verdict::Better(_)));
    if better > 0 {
        writeln!(out, "\n{better} better by more than {tolerance:.0} %: --update keeps it that way")?;
    }
    let worse = count(|verdict| matches!(verdict, Verdict::Worse(_) | Verdict::MoreAllocations));
    let new = count(|verdict| *verdict == Verdict::New);
    if worse > 0 {
        bail!("{worse} took more than the baseline says and {tolerance:.0} %; --update accepts that");
    }
    if new > 0 {
        bail!("{new} are not in the baseline; --update takes them in");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instructions::{Beside, Program};

    fn count(row: &str, instructions: f64, allocations: f64) -> Count {
        let program = Program { row: row.into(), n: 10, subject: "us".into() };
        Count { program, instructions, allocations, beside: Beside::default() }
    }

    fn verdict(count: &Count, compiler: &str) -> Verdict {
        let programs = vec![self::count("row", 100.0, 0.5)];
        Verdict::of(count, Some(&Baseline { compiler: compiler.into(), programs }), true)
    }

    #[test]
    fn verdicts() {
        let of = |instructions, allocations| verdict(&count("row", instructions, allocations), COMPILER);
        assert_eq!(of(102.9, 0.5), Verdict::Same);
        assert_eq!(of(97.1, 0.4), Verdict::Same);
        assert!(matches!(of(103.1, 0.5), Verdict::Worse(_)));
        assert!(matches!(of(96.9, 0.5), Verdict::Better(_)));
        assert_eq!(of(90.0, 0.6), Verdict::MoreAllocations);
        assert_eq!(verdict(&count("other", 1.0, 0.0), COMPILER), Verdict::New);
    }

    #[test]
    fn another_compiler_may_do_otherwise() {
        assert_eq!(verdict(&count("row", 114.0, 0.5), "rustc 1.0"), Verdict::Same);
        assert!(matches!(verdict(&count("row", 116.0, 0.5), "rustc 1.0"), Verdict::Worse(_)));
    }

    #[test]
    fn regressions_and_new_programs_are_errors() {
        let judge = |verdicts: &[Verdict]| judge(&Baseline::default(), verdicts, &mut Vec::new());
        assert!(judge(&[Verdict::Same, Verdict::Better(0.5), Verdict::Peer]).is_ok());
        assert!(judge(&[Verdict::Same, Verdict::Worse(0.5)]).is_err());
        assert!(judge(&[Verdict::MoreAllocations]).is_err());
        assert!(judge(&[Verdict::New]).is_err());
    }

    #[test]
    fn the_file_reads_back() {
        let path = std::env::temp_dir().join(format!("maple-bench-baseline-{}.json", std::process::id()));
        let baseline = Baseline::default().with(vec![count("one", 1.25, 0.0), count("two", 2.0, 0.125)]);
        let baseline = baseline.with(vec![count("one", 1.5, 0.0)]);
        baseline.write(&path).unwrap();
        let read = Baseline::read(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap(), baseline);
        assert_eq!(baseline.programs, [count("one", 1.5, 0.0), count("two", 2.0, 0.125)]);
    }
}
