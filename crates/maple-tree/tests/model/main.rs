//! Programs on a tree and on a model that is obviously right, side by side.
//!
//! `MAPLE_SEED=<number>` chooses the first seed, `MAPLE_ROUNDS=<number>` how many seeds to run. A check that
//! fails prints the seed, the step and the tree.

mod apply;
mod check;
mod faults;
mod kind;
mod layouts;
mod model;
mod orders;
mod programs;
mod random;
mod rules;
mod seed;
mod values;
