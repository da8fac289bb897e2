//! The shared tree.

mod linear;
mod random;
#[path = "../model/seed.rs"]
mod seed;
mod stress;
