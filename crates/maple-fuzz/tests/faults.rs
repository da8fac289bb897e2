//! Programs of the fuzzer with each of their allocations failing, one after the other.
//!
//! Some of the corpus and some random bytes: each program is run three times for each allocation that it makes. `MAPLE_SEED`
//! chooses others, `MAPLE_ROUNDS` how many times as many. `MAPLE_INPUT=<file>` sweeps one program.

use std::path::Path;
use std::{env, fs};

use fastrand::Rng;
use maple_faults::sweep::Report;
use maple_fuzz::Program;

/// How many programs of the corpus, and how many random ones, are taken for a seed; and how long these may be.
const OF_CORPUS: usize = 10;
const RANDOM: usize = 40;
const MOST_BYTES: usize = 300;

#[test]
#[ignore = "takes long: each program is run some hundred times"]
fn every_failure() {
    let mut report = Report::default();
    if let Ok(path) = env::var("MAPLE_INPUT") {
        let bytes = fs::read(&path).unwrap_or_else(|error| unreachable!("MAPLE_INPUT={path}: {error}"));
        report
            .add(Program::from_bytes(&bytes).every_failure(&path, &command(&format!("MAPLE_INPUT={path}"))));
        eprintln!("{report:?}");
        return;
    }
    let seed = number("MAPLE_SEED").unwrap_or(1);
    let rounds = number("MAPLE_ROUNDS").unwrap_or(1);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/tree");
    let files = fs::read_dir(corpus).expect("the corpus is in the repository");
    let mut files: Vec<_> = files.map(|file| file.expect("a file of the corpus").path()).collect();
    files.sort();
    for seed in seed..seed.saturating_add(rounds) {
        let command = command(&format!("MAPLE_SEED={seed}"));
        let mut rng = Rng::with_seed(seed);
        for _ in 0..OF_CORPUS {
            let path = rng.choice(&files).expect("the corpus is not empty");
            let program = Program::from_bytes(&fs::read(path).expect("a program"));
            let name = path.file_name().expect("a file").to_string_lossy();
            report.add(program.every_failure(&name, &command));
        }
        for number in 0..RANDOM {
            let mut bytes = vec![0; rng.usize(0..=MOST_BYTES)];
            rng.fill(&mut bytes);
            report.add(Program::from_bytes(&bytes).every_failure(&format!("random {number}"), &command));
        }
    }
    eprintln!("{report:?}");
    assert!(report.programs == 0 || report.failed > report.programs, "{report:?}");
    assert!(report.programs == 0 || report.compared > report.programs, "{report:?}");
}

fn command(choice: &str) -> String {
    format!("{choice} cargo test -p maple-fuzz --test faults -- --ignored")
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
