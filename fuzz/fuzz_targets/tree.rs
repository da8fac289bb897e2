//! Programs on a tree and on a model: see the crate `maple-fuzz`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maple_fuzz::Program;

fuzz_target!(|bytes: &[u8]| Program::from_bytes(bytes).run());
