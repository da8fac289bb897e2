//! Runs what the fuzz targets run, without a fuzzer: what one has found (`fuzz/corpus`), that with a few bytes
//! changed, and random bytes.
//!
//! An input that fails is named, or put into a file if it has none yet, and `MAPLE_INPUT=<file> cargo test -p
//! maple-fuzz input -- --nocapture` prints it and runs it again; the folder that it is in is named like the
//! target. `MAPLE_SEED=<number>` chooses the seed of the random bytes, `MAPLE_ROUNDS=<number>` how many seeds
//! to run.

use std::cell::Cell;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::{env, fs, panic};

use fastrand::Rng;
use maple_fuzz::{DomainProgram, Program, SharedProgram};

/// What a fuzz target does with bytes.
struct Target {
    /// Its name, and that of the folder of its corpus.
    name: &'static str,
    run: fn(&[u8]),
    /// What the bytes stand for.
    show: fn(&[u8]) -> String,
    /// How many inputs are made from a seed, and how long they may be.
    inputs: usize,
    most_bytes: usize,
}

const TREE: Target = Target {
    name: "tree",
    run: |bytes| Program::from_bytes(bytes).run(),
    show: |bytes| format!("{:#?}", Program::from_bytes(bytes)),
    inputs: 1000,
    most_bytes: 1200,
};

const SHARED: Target = Target {
    name: "shared",
    run: |bytes| SharedProgram::from_bytes(bytes).run(),
    show: |bytes| format!("{:#?}", SharedProgram::from_bytes(bytes)),
    inputs: 400,
    most_bytes: 800,
};

const DOMAIN: Target = Target {
    name: "domain",
    run: |bytes| DomainProgram::from_bytes(bytes).run(),
    show: |bytes| format!("{:#?}", DomainProgram::from_bytes(bytes)),
    inputs: 400,
    most_bytes: 800,
};

const TRACE: Target = Target {
    name: "trace",
    run: maple_fuzz::read_capture,
    show: |bytes| String::from_utf8_lossy(bytes).into_owned(),
    inputs: 1000,
    most_bytes: 800,
};

const TARGETS: [&Target; 4] = [&TREE, &SHARED, &DOMAIN, &TRACE];

/// An input that runs.
struct Running {
    title: String,
    target: &'static str,
    bytes: Vec<u8>,
    /// Where it is, or is put if it fails.
    path: PathBuf,
}

thread_local! {
    /// What this thread runs.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

static HOOK: Once = Once::new();

/// Says how to run a failed input again: at once, since a tree that is broken may panic once more when it is
/// dropped, and that ends the process. Written past the test's captured output, which would be lost with it.
fn report() {
    let Some(Running { title, target, bytes, path }) = RUNNING.take() else { return };
    if fs::read(&path).ok().as_ref() != Some(&bytes) {
        let written =
            fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| fs::write(&path, bytes));
        written.expect("the input that failed is kept");
    }
    let path = path.display();
    let help = format!(
        "{title} failed. To see it and run it again, and to make it smaller:\n    \
         MAPLE_INPUT={path} cargo test -p maple-fuzz input -- --nocapture\n    \
         cargo fuzz tmin -s none {target} {path}"
    );
    writeln!(io::stderr(), "{help}").expect("there is somewhere to write to");
}

impl Target {
    fn run(&self, title: String, bytes: Vec<u8>, path: PathBuf) {
        HOOK.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                report();
                usual(panic);
            }));
        });
        let input = bytes.clone();
        RUNNING.set(Some(Running { title, target: self.name, bytes, path }));
        (self.run)(&input);
        RUNNING.set(None);
    }

    fn corpus(&self) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(self.name);
        let files = fs::read_dir(&folder).expect("the corpus is in the repository");
        let mut paths: Vec<_> = files.map(|file| file.expect("a file of the corpus").path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "the corpus is empty");
        paths
    }

    /// Where an input goes that fails and is in no file.
    fn kept(&self, name: String) -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.name).join(name)
    }

    fn what_a_fuzzer_found(&self) {
        for path in self.corpus() {
            self.run(format!("{}", path.display()), fs::read(&path).expect("an input"), path);
        }
    }

    fn random_bytes(&self) {
        for seed in seeds() {
            let mut rng = Rng::with_seed(seed);
            for number in 0..self.inputs {
                let mut bytes = vec![0; rng.usize(0..=self.most_bytes)];
                rng.fill(&mut bytes);
                let title = format!("{}: MAPLE_SEED={seed}, input {number}", self.name);
                self.run(title, bytes, self.kept(format!("{seed}-{number}")));
            }
        }
    }

    /// The inputs of the corpus, each with a few bytes changed: near what a fuzzer found interesting.
    fn changed_bytes(&self) {
        for seed in seeds() {
            let mut rng = Rng::with_seed(seed);
            for original in self.corpus() {
                let file = original.file_name().expect("a file").to_string_lossy().into_owned();
                let mut bytes = fs::read(&original).expect("an input");
                for number in 0..8 {
                    change(&mut bytes, &mut rng);
                    let title = format!("{}: MAPLE_SEED={seed}, {file}, change {number}", self.name);
                    self.run(title, bytes.clone(), self.kept(format!("{seed}-{file}-{number}")));
                }
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

macro_rules! replay {
    ($($name:ident: $target:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn what_a_fuzzer_found() {
                super::$target.what_a_fuzzer_found();
            }

            #[test]
            fn random_bytes() {
                super::$target.random_bytes();
            }

            #[test]
            fn changed_bytes() {
                super::$target.changed_bytes();
            }
        }
    )+};
}

replay!(tree: TREE, shared: SHARED, domain: DOMAIN, trace: TRACE);

/// One input, to look into a failure.
#[test]
fn input() {
    let Ok(path) = env::var("MAPLE_INPUT") else { return };
    let bytes = fs::read(&path).unwrap_or_else(|error| unreachable!("MAPLE_INPUT={path}: {error}"));
    let folder = Path::new(&path).parent().and_then(Path::file_name);
    let target = TARGETS.into_iter().find(|target| folder.is_some_and(|folder| folder == target.name));
    let target = target
        .unwrap_or_else(|| unreachable!("MAPLE_INPUT={path} is in no folder that is named like a target"));
    eprintln!("{}", (target.show)(&bytes));
    (target.run)(&bytes);
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
