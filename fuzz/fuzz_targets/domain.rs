//! Programs on a domain of `iova`, and on a model: see the crate `maple-fuzz`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maple_fuzz::DomainProgram;

fuzz_target!(|bytes: &[u8]| DomainProgram::from_bytes(bytes).run());
