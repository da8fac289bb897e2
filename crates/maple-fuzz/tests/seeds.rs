//! Makes the first inputs of the target `domain` from real traces: what the kernel's allocator was asked for,
//! as a program.
//!
//! `cargo test -p maple-fuzz --test seeds -- --ignored` writes them anew to `fuzz/corpus/domain`; needed when
//! the operations of a program have changed.

use std::fs;
use std::path::{Path, PathBuf};

use iova_trace::{Line, OperationKind, Options, RangeId, Requests};
use maple_fuzz::DomainProgram;

/// Operations of a capture that become one program, and where in the capture they begin.
const OPERATIONS: usize = 200;
const BEGINS: [usize; 2] = [0, 5000];

#[test]
#[ignore = "writes to the corpus"]
fn from_captures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let captures = fs::read_dir(root.join("traces")).expect("the captures are in the repository");
    for path in captures.map(|file| file.expect("a capture").path()) {
        if path.extension().is_none_or(|extension| extension != "zst") {
            continue;
        }
        let name = path.file_name().expect("a file").to_string_lossy().replace(".txt.zst", "");
        for begin in BEGINS {
            let program = program(&path, begin);
            // The capture is not that long.
            if program.len() < 300 {
                continue;
            }
            let shown = format!("{:?}", DomainProgram::from_bytes(&program));
            assert!(shown.contains("exact: true") && shown.contains("Allocate"), "{shown}");
            let seed = root.join("fuzz/corpus/domain").join(format!("seed-{name}-{begin}"));
            fs::write(seed, program).expect("the corpus can be written to");
        }
    }
}

/// The bytes of a program: see `Setup` and `Op` in `src/domain`.
fn program(capture: &PathBuf, begin: usize) -> Vec<u8> {
    let lines = iova_trace::open(capture).expect("a capture");
    let records = lines.filter_map(|line| match line {
        Ok(Line::Record(record)) => Some(record),
        _ => None,
    });
    let requests = Requests::from_records(records, &Options::default());
    // A large domain of two CPUs with caches and a queue, in which every free is checked.
    let mut bytes = vec![0, 1, 6, 2, 255, 64, 0, 1, 0];
    let mut live: Vec<RangeId> = Vec::new();
    for (nth, operation) in requests.operations.iter().skip(begin).take(OPERATIONS).enumerate() {
        match &operation.kind {
            OperationKind::Allocate { range, granules, .. } => {
                match u8::try_from(*granules) {
                    Ok(few @ 1..=16) => bytes.extend([0, 0, few - 1, 0]),
                    _ => bytes.extend([0, 1, granules.next_power_of_two().ilog2().min(7) as u8, 0]),
                }
                live.push(*range);
            }
            OperationKind::Free { range, .. } => {
                let Some(at) = live.iter().position(|live| live == range) else { continue };
                live.remove(at);
                let [low, high] = (at as u16).to_le_bytes();
                bytes.extend([1, low, high, 0, 0]);
            }
            _ => {}
        }
        match nth % 50 {
            // Time passes, or another CPU goes on.
            49 => bytes.extend([11, 0xff, 0x0f]),
            20 => bytes.extend([2, (nth / 50) as u8]),
            _ => {}
        }
    }
    bytes
}
