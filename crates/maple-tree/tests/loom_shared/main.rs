//! A shared tree in a model of memory: all interleavings, and all values that a load may see.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p maple-tree --release --test loom_shared
//! ```
//!
//! [`race`] lets a reader look at a tree while a writer changes it, and compares what the reader sees with the states that
//! the tree went through. loom tells of a node or a value that is given back while somebody may look at it, and of one that is
//! looked at before it was complete. `docs/shared-mode.md` names the test of each atomic.
#![cfg(loom)]
#![expect(unsafe_code, reason = "an allocator, a lock and a type of values for the model")]

mod copies;
mod in_place;
mod memory;
mod race;
mod shapes;
mod stand;
mod writers;
