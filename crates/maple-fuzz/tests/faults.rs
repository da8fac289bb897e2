//! Programs of the fuzzer with each of their allocations failing, one after the other.
//!
//! Some of the corpus and some random bytes: each program is run three times for each allocation that it makes. `MAPLE_SEED`
//! chooses others, `MAPLE_ROUNDS` how many times as many. `MAPLE_INPUT=<file>` sweeps one program, of the target that the
//! file's folder is named like.

use std::path::Path;
use std::{env, fs};

use fastrand::Rng;
use maple_faults::sweep::Report;
use maple_fuzz::{Program, SharedProgram};

/// A fuzz target whose programs are swept.
struct Target {
    /// Its name, and that of the folder of its corpus.
    name: &'static str,
    /// Sweeps the program that bytes stand for, which has a name and a command that runs it again.
    sweep: fn(&[u8], &str, &str) -> Report,
}

const TREE: Target = Target {
    name: "tree",
    sweep: |bytes, name, command| Program::from_bytes(bytes).every_failure(name, command),
};

const SHARED: Target = Target {
    name: "shared",
    sweep: |bytes, name, command| SharedProgram::from_bytes(bytes).every_failure(name, command),
};

/// How many programs are taken for a seed, and how long they may be.
struct Amount {
    of_corpus: usize,
    random: usize,
    most_bytes: usize,
}

const FEW: Amount = Amount { of_corpus: 2, random: 40, most_bytes: 120 };
const MANY: Amount = Amount { of_corpus: 10, random: 40, most_bytes: 300 };

impl Target {
    fn run(&self, amount: &Amount, test: &str) {
        let mut report = Report::default();
        let command = |choice: &str| {
            format!("{choice} cargo test -p maple-fuzz --test faults -- --include-ignored {test}")
        };
        if let Ok(path) = env::var("MAPLE_INPUT") {
            if Path::new(&path).parent().is_some_and(|folder| folder.ends_with(self.name)) {
                let bytes =
                    fs::read(&path).unwrap_or_else(|error| unreachable!("MAPLE_INPUT={path}: {error}"));
                report.add((self.sweep)(&bytes, &path, &command(&format!("MAPLE_INPUT={path}"))));
                eprintln!("{report:?}");
            }
            return;
        }
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(self.name);
        let files = fs::read_dir(corpus).expect("the corpus is in the repository");
        let mut files: Vec<_> = files.map(|file| file.expect("a file of the corpus").path()).collect();
        files.sort();
        let (seed, rounds) = (number("MAPLE_SEED").unwrap_or(1), number("MAPLE_ROUNDS").unwrap_or(1));
        for seed in seed..seed.saturating_add(rounds) {
            let command = command(&format!("MAPLE_SEED={seed}"));
            let mut rng = Rng::with_seed(seed);
            for _ in 0..amount.of_corpus {
                let path = rng.choice(&files).expect("the corpus is not empty");
                let name = path.file_name().expect("a file").to_string_lossy();
                report.add((self.sweep)(&fs::read(path).expect("a program"), &name, &command));
            }
            for number in 0..amount.random {
                let mut bytes = vec![0; rng.usize(0..=amount.most_bytes)];
                rng.fill(&mut bytes);
                report.add((self.sweep)(&bytes, &format!("random {number}"), &command));
            }
        }
        eprintln!("{}: {report:?}", self.name);
        assert!(report.programs == 0 || report.failed > report.programs, "{report:?}");
        assert!(report.programs == 0 || report.compared > report.programs, "{report:?}");
    }
}

#[test]
fn some_of_a_tree() {
    TREE.run(&FEW, "some_of_a_tree");
}

#[test]
fn some_of_a_shared_tree() {
    SHARED.run(&FEW, "some_of_a_shared_tree");
}

#[test]
#[ignore = "takes long: each program is run some hundred times"]
fn many_of_a_tree() {
    TREE.run(&MANY, "many_of_a_tree");
}

#[test]
#[ignore = "takes long: each program is run some hundred times"]
fn many_of_a_shared_tree() {
    SHARED.run(&MANY, "many_of_a_shared_tree");
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
