//! The shared tree.

mod random;
