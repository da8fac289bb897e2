//! Runs programs without a fuzzer: those that one has found (`fuzz/corpus/tree`), and random bytes.
//!
//! A program that fails is named, or put into a file if it has none yet, and
//! `MAPLE_INPUT=<file> cargo test -p maple-fuzz input -- --nocapture` prints it and runs it again.
//! `MAPLE_SEED=<number>` chooses the seed of the random bytes, `MAPLE_ROUNDS=<number>` how many seeds to run.

use std::cell::Cell;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs, panic};

use fastrand::Rng;
use maple_fuzz::Program;

/// How many programs are made from a seed, and how long they may be.
const PROGRAMS: usize = 1000;
const MOST_BYTES: usize = 1200;

/// A program that runs.
struct Running {
    name: String,
    bytes: Vec<u8>,
    /// Where it is, or is put if it fails.
    path: PathBuf,
}

thread_local! {
    /// What this thread runs.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs a program. If it fails, says how to run it again: at once, since a tree that is broken may panic once more when
/// it is dropped, and that ends the process.
fn run(name: String, bytes: Vec<u8>, path: PathBuf) {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            report();
            usual(panic);
        }));
    });
    let program = Program::from_bytes(&bytes);
    RUNNING.set(Some(Running { name, bytes, path }));
    program.run();
    RUNNING.set(None);
}

/// Written past the test's captured output, which would be lost with the process.
fn report() {
    let Some(Running { name, bytes, path }) = RUNNING.take() else { return };
    if fs::read(&path).ok().as_ref() != Some(&bytes) {
        fs::write(&path, bytes).expect("the program that failed is kept");
    }
    let path = path.display();
    let help = format!(
        "{name} failed. To see it and run it again, and to make it smaller:\n    \
         MAPLE_INPUT={path} cargo test -p maple-fuzz input -- --nocapture\n    \
         cargo fuzz tmin -s none tree {path}"
    );
    writeln!(io::stderr(), "{help}").expect("there is somewhere to write to");
}

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/tree");
    let files = fs::read_dir(&folder).expect("the corpus is in the repository");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file of the corpus").path()).collect();
    paths.sort();
    paths
}

/// Where a program goes that fails and is in no file.
fn kept(name: String) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn what_a_fuzzer_found() {
    let paths = corpus();
    assert!(!paths.is_empty(), "the corpus is empty");
    for path in paths {
        run(format!("{}", path.display()), fs::read(&path).expect("a program"), path);
    }
}

#[test]
fn random_bytes() {
    for seed in seeds() {
        let mut rng = Rng::with_seed(seed);
        for number in 0..PROGRAMS {
            let mut bytes = vec![0; rng.usize(0..=MOST_BYTES)];
            rng.fill(&mut bytes);
            run(format!("MAPLE_SEED={seed}, program {number}"), bytes, kept(format!("{seed}-{number}")));
        }
    }
}

/// The programs of the corpus, each with a few bytes changed: near what a fuzzer found interesting.
#[test]
fn changed_bytes() {
    for seed in seeds() {
        let mut rng = Rng::with_seed(seed);
        for original in corpus() {
            let file = original.file_name().expect("a file").to_string_lossy().into_owned();
            let mut bytes = fs::read(&original).expect("a program");
            for number in 0..8 {
                change(&mut bytes, &mut rng);
                let name = format!("MAPLE_SEED={seed}, {file}, change {number}");
                run(name, bytes.clone(), kept(format!("{seed}-{file}-{number}")));
            }
        }
    }
}

/// Writes a few bytes somewhere, or moves what follows.
fn change(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..3) {
            0 => bytes.insert(at, rng.u8(..)),
            1 => drop(bytes.drain(at..bytes.len().min(at + rng.usize(0..64)))),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.u8(..);
                }
            }
        }
    }
}

/// One program, to look into a failure.
#[test]
fn input() {
    let Ok(path) = env::var("MAPLE_INPUT") else { return };
    let bytes = fs::read(&path).unwrap_or_else(|error| unreachable!("MAPLE_INPUT={path}: {error}"));
    eprintln!("{:#?}", Program::from_bytes(&bytes));
    maple_fuzz::run(&bytes);
}

/// The default is the same each time, so that a failure is found again.
fn seeds() -> Range<u64> {
    let first = number("MAPLE_SEED").unwrap_or(1);
    first..first.saturating_add(number("MAPLE_ROUNDS").unwrap_or(1))
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
