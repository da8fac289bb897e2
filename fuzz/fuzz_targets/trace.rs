//! Captures from arbitrary bytes: see the crate `maple-fuzz`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| maple_fuzz::read_capture(bytes));
