//! The shared tree.

mod linear;
mod panics;
mod random;
#[path = "../model/seed.rs"]
mod seed;
mod stress;
