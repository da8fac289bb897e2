//! Cursors: a place in a tree, from which to look and to go on in either direction, and to write.
//!
//! A cursor stands on a range, be that an entry, a reserved range or a whole gap; or before the first index of
//! the tree's bounds, or after the last one. The ranges of a tree adjoin, so each step leads to the next of
//! them.

mod exclusive;
mod place;
mod shared;
mod writes;

pub use exclusive::CursorMut;
pub use shared::Cursor;
