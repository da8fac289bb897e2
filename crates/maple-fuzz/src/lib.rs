//! Programs from arbitrary bytes, run on the tree and on a model that is obviously right, side by side.
//!
//! Any bytes are a program: they choose a layout, an index space, how memory fails, and a sequence of calls. The result
//! of each call is compared, what it asks of memory is counted, and the tree is checked as a whole every now and then.
//! A fuzzer finds the bytes (`fuzz/` in the repository), a test replays those that it found (`tests/replay.rs`).
//!
//! ```
//! maple_fuzz::run(b"any bytes are a program");
//! ```

mod check;
mod choice;
mod domain;
mod layouts;
mod model;
mod ops;
mod place;
mod program;
mod shared;
mod subject;
mod trace;
mod values;

pub use domain::DomainProgram;
pub use program::Program;
pub use shared::SharedProgram;
pub use trace::read_capture;

/// Runs the program that some bytes stand for.
///
/// # Panics
///
/// If the tree does anything wrong.
pub fn run(data: &[u8]) {
    Program::from_bytes(data).run();
}
