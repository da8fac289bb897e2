//! Programs from arbitrary bytes, run on a tree or a domain and on a model that is obviously right, side by side.
//!
//! Any bytes are a program: they choose what it runs on, how memory fails, and a sequence of calls. The result of each call
//! is compared, what it asks of memory is counted, and everything is checked as a whole every now and then. [`Program`] is
//! for a tree of one owner, [`SharedProgram`] for a shared one and its readers, [`DomainProgram`] for all of `iova`; and any
//! bytes are a capture: [`read_capture`].
//!
//! A fuzzer finds the bytes (`fuzz/` in the repository), a test replays those that it found (`tests/replay.rs`).
//!
//! ```
//! maple_fuzz::Program::from_bytes(b"any bytes are a program").run();
//! ```

mod calls;
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
mod sweep;
mod trace;
mod values;

pub use domain::DomainProgram;
pub use program::Program;
pub use shared::SharedProgram;
pub use trace::read_capture;
