//! Running the program, and reading what it prints.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

pub(crate) const TRACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../traces");

/// What a run printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Starts `iova replay` with these arguments.
pub(crate) fn start(args: &[impl AsRef<OsStr>]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iova"));
    command.arg("replay").args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn run(args: &[impl AsRef<OsStr>]) -> Printed {
    finish(start(args))
}

/// Runs with something on the standard input.
pub(crate) fn run_with_input(args: &[&str], input: &[u8]) -> Printed {
    let mut child = start(args);
    child.stdin.take().unwrap().write_all(input).unwrap();
    finish(child)
}

pub(crate) fn finish(child: Child) -> Printed {
    let output = child.wait_with_output().unwrap();
    Printed {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A report, or the report of one capture in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report(Value);

impl Printed {
    /// The report of a run with `--json` that found no defect.
    pub(crate) fn report(&self) -> Report {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        Report(serde_json::from_str(&self.out).unwrap())
    }

    /// The message of a run that could not be done.
    pub(crate) fn refusal(&self) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{}", self.err);
        self.err.trim_end()
    }
}

impl Report {
    /// The value at a JSON pointer without its first slash.
    pub(crate) fn value(&self, pointer: &str) -> &Value {
        self.0.pointer(&format!("/{pointer}")).unwrap_or_else(|| panic!("no {pointer} in {}", self.0))
    }

    pub(crate) fn number(&self, pointer: &str) -> u64 {
        self.value(pointer).as_u64().unwrap_or_else(|| panic!("{pointer} is {}", self.value(pointer)))
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.value(pointer).as_str().unwrap_or_else(|| panic!("{pointer} is {}", self.value(pointer)))
    }

    pub(crate) fn parts(&self, pointer: &str) -> Vec<Self> {
        self.value(pointer).as_array().unwrap().iter().cloned().map(Self).collect()
    }

    pub(crate) fn captures(&self) -> Vec<Self> {
        self.parts("captures")
    }

    pub(crate) fn failed_allocations(&self) -> [u64; 3] {
        ["address_space", "node_memory", "bad_request"]
            .map(|reason| self.number(&format!("failed_allocations/{reason}")))
    }

    /// Without what differs from run to run.
    pub(crate) fn without_times(mut self) -> Self {
        let times = self.0.as_object_mut().unwrap().remove("latency_ns");
        assert!(times.is_some());
        self
    }

    /// Checks what has to hold whatever failed.
    pub(crate) fn check_soundness(&self) {
        let name = self.0.get("name").unwrap_or(&Value::Null);
        for defect in ["failed_frees", "leaked_granules", "erase_allocations"] {
            assert_eq!(self.number(defect), 0, "{defect} of {name}");
        }
        assert_eq!(self.value("tree_valid"), &Value::Bool(true), "{name}");
        let live = self.number("live_ranges");
        assert_eq!(live + self.number("frees"), self.number("allocations"), "{name}");
        if self.0.get("domain_reports").is_some() {
            let domains = self.parts("domain_reports");
            assert_eq!(domains.len() as u64, self.number("domains"), "{name}");
            assert_eq!(
                domains.iter().map(|domain| domain.number("live_ranges")).sum::<u64>(),
                live,
                "{name}"
            );
            for domain in domains {
                assert_eq!((domain.number("leaked_granules"), domain.value("violation")), (0, &Value::Null));
            }
        }
    }
}

/// All captures of the repository.
pub(crate) fn captures() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(TRACES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zst"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 23, "{paths:?}");
    paths
}

pub(crate) fn capture(stem: &str) -> String {
    format!("{TRACES}/{stem}.txt.zst")
}

/// The text of a capture.
pub(crate) fn text_of(stem: &str) -> Vec<u8> {
    let file = fs::File::open(capture(stem)).unwrap();
    let mut text = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(file).unwrap();
    std::io::copy(&mut decoder, &mut text).unwrap();
    text
}

/// Replays all captures in one run.
pub(crate) fn replay_all(options: &[&str]) -> Report {
    let mut args: Vec<String> = captures().iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    args.extend(options.iter().map(|&option| option.to_owned()));
    args.push("--json".to_owned());
    run(&args).report()
}

/// The replay of all captures with all the memory there is; done once.
pub(crate) fn all_without_failures() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| replay_all(&[]))
}

/// A file of its own for each name, in a directory for tests.
pub(crate) fn file(name: &str, content: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Probe lines, as they stand in a capture: each gets a header in front.
pub(crate) fn probes(lines: &[&str]) -> String {
    let line = |(number, line): (usize, &&str)| {
        let (event, fields) = line.split_once(' ').unwrap();
        format!("             dd-229     [000] ...1.    23.{number:06}: {event}: (a+0x1/0x2 <- b) {fields}\n")
    };
    lines.iter().enumerate().map(line).collect()
}

/// Replays probe lines from the standard input.
pub(crate) fn replay_probes(lines: &[&str], options: &[&str]) -> Report {
    let args = [&["-", "--json"], options].concat();
    run_with_input(&args, probes(lines).as_bytes()).report()
}
