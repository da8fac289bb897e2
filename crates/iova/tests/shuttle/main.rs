//! A whole domain where shuttle says which thread comes next: caches, depot, flush queue, ledger and tree together, with more
//! threads and longer programs than loom can try in all orders. So some orders are tried, at random.
//!
//! ```sh
//! RUSTFLAGS='--cfg shuttle' cargo test -p iova --release --test shuttle
//! ```
//!
//! A magazine has two ranges here. One thread runs at a time and sees all that others have done before; weaker orders are for
//! loom. A failure prints its schedule; `docs/testing.md` has how to run it again.
#![cfg(shuttle)]

mod lock;
mod run;
mod stand;
mod tests;
