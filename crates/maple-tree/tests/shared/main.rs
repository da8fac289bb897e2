//! The shared tree. Programs compared with a model are in `tests/model`, with those for a tree of one owner.

mod erase;
mod linear;
mod panics;
mod refusals;
#[path = "../model/seed.rs"]
mod seed;
mod stress;
