//! The shared tree.

mod linear;
mod panics;
mod random;
mod refusals;
#[path = "../model/seed.rs"]
mod seed;
mod stress;
