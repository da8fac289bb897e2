//! Going over a tree in every way there is, beside a model that is obviously right: cursors, iterators that
//! change values, iterators that take them out.
//!
//! `MAPLE_SEED=<number>` chooses the first seed, `MAPLE_ROUNDS=<number>` how many seeds to run.

mod changes;
mod drain;
mod exclusive;
mod model;
mod owned;
mod panics;
mod retain;
mod shared;
mod stand;
mod subject;
