//! Running a program under valgrind, and reading what that writes.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::{env, fs, iter};

use anyhow::{Context, Result, bail};

use super::{Beside, Count, Program};

/// A lap's operations: enough that what is done once does not count, and that allocators are aged.
const OPERATIONS: &str = "5000";

/// What is timed. `*` stands for the crate's hash and the type.
const TIMED: &str = "*maple_bench*measure*counted*";

/// Caches that do not follow from the machine: size, ways, bytes of a line.
const CACHES: [&str; 3] = ["--I1=32768,8,64", "--D1=32768,8,64", "--LL=8388608,16,64"];

/// Whether there is a valgrind.
///
/// # Errors
///
/// There is none.
pub(super) fn check() -> Result<()> {
    let started = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    match started {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("instructions are counted by valgrind, which is not installed (apt-get install valgrind)")
        }
        Err(error) => Err(error).context("valgrind cannot be run"),
    }
}

/// Runs one lap of a program, and counts.
pub(super) fn count(program: &Program) -> Result<Count> {
    let this = env::current_exe()?;
    let name: String = format!("{}-{}-{}", program.row, program.n, program.subject);
    let name = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let file = env::temp_dir().join(format!("maple-bench-{}-{name}.callgrind", process::id()));
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--dump-line=no", "--cache-sim=yes"])
        .args(CACHES)
        .arg(format!("--toggle-collect={TIMED}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(&this)
        .args(["--row", &program.row, "--n", &program.n.to_string(), "--subject", &program.subject])
        .args(["--laps", "1", "--operations", OPERATIONS, "--all", "--json"])
        .output()?;
    let written = fs::read_to_string(&file);
    // It may not be there.
    let _ = fs::remove_file(&file);
    if !run.status.success() {
        bail!("valgrind ended with {}: {}", run.status, String::from_utf8_lossy(&run.stderr));
    }
    let costs = read(&written.context("valgrind wrote nothing")?, &this)?;
    let laps: serde_json::Value = serde_json::from_slice(&run.stdout)?;
    let number = |field: &str| laps[0][field].as_f64().with_context(|| format!("no {field} came out"));
    let operations = number("operations")?;
    if costs.own == 0 || operations == 0.0 {
        bail!("nothing was counted: are there symbols in this program?");
    }
    // More digits than mean something would only make for longer differences of the baseline.
    let each = |count: u64| (count as f64 / operations * 100.0).round() / 100.0;
    Ok(Count {
        program: program.clone(),
        instructions: each(costs.own),
        allocations: (number("allocations")? * 1000.0).round() / 1000.0,
        beside: Beside {
            library: each(costs.others),
            accesses: each(costs.accesses),
            misses: each(costs.misses),
        },
    })
}

/// Sums over all functions.
#[derive(Debug, Default, PartialEq)]
struct Costs {
    /// Instructions of the program itself, and of its libraries.
    own: u64,
    others: u64,
    accesses: u64,
    misses: u64,
}

/// Adds up a file of callgrind's. What a function's callees took is said on the line after `calls=`, and is theirs.
fn read(text: &str, program: &Path) -> Result<Costs> {
    let program = program.to_str().context("the program's path is no text")?;
    let mut objects: HashMap<&str, bool> = HashMap::new();
    let mut events: Vec<&str> = Vec::new();
    let mut costs = Costs::default();
    let (mut is_own, mut is_callee) = (false, false);
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            match key {
                "ob" | "cob" => {
                    // `(1) name` the first time, then `(1)`.
                    let (number, name) = value.split_once(' ').unwrap_or((value, ""));
                    let own = *objects.entry(number).or_insert(name == program);
                    if key == "ob" {
                        is_own = own;
                    }
                }
                "calls" => is_callee = true,
                _ => {}
            }
        } else if let Some(names) = line.strip_prefix("events:") {
            events = names.split_whitespace().collect();
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            if std::mem::take(&mut is_callee) {
                continue;
            }
            // Zeros at the end are left out.
            let numbers = line.split_whitespace().skip(1).map(str::parse).chain(iter::repeat(Ok(0)));
            for (event, number) in events.iter().zip(numbers) {
                let number: u64 = number?;
                match *event {
                    "Ir" if is_own => costs.own += number,
                    "Ir" => costs.others += number,
                    "Dr" | "Dw" => costs.accesses += number,
                    "D1mr" | "D1mw" => costs.misses += number,
                    _ => {}
                }
            }
        }
    }
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
version: 1
positions: line
events: Ir Dr Dw I1mr D1mr D1mw

ob=(1) /target/maple-bench
fn=(1) counted
0 100 10 5
cob=(2) /lib/libc.so.6
cfn=(2) malloc
calls=7 0
0 9000 900 90 9 9 9
+3 20 0 0 0 2 1

ob=(2)
fn=(2)
0 60 6
calls=1 0
* 5
ob=(1)
fn=(3) other
-1 3
totals: 9999
";

    #[test]
    fn own_code_and_libraries_are_told_apart_and_callees_count_once() {
        let costs = read(FILE, Path::new("/target/maple-bench")).unwrap();
        assert_eq!(costs, Costs { own: 123, others: 60, accesses: 21, misses: 3 });
    }
}
