//! Programs on a shared tree and its readers, and on a model: see the crate `maple-fuzz`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maple_fuzz::SharedProgram;

fuzz_target!(|bytes: &[u8]| SharedProgram::from_bytes(bytes).run());
