//! Shared mode where shuttle says which thread comes next: programs that are too long, and have too many threads, for loom to
//! try all of their interleavings. So some of these are tried, at random.
//!
//! ```sh
//! RUSTFLAGS="--cfg shuttle" cargo test -p maple-tree --release --test shuttle
//! ```
//!
//! One thread runs at a time and sees all that others have done before: no load sees an older value. That is for loom. A
//! failure prints its schedule; `docs/testing.md` has how to run it again.
#![cfg(shuttle)]

mod lock;
mod run;
mod stand;
mod tests;
