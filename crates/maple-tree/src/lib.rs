//! A range tree with exact gap search whose erase never allocates and never fails.
#![no_std]

extern crate alloc as std_alloc;
#[cfg(test)]
extern crate std;

mod alloc;
mod dump;
mod entry;
mod error;
mod gap;
mod iter;
mod map;
mod node;
mod range;
mod raw;
mod stats;
mod validate;

pub use alloc::{AllocError, AllocMode, Global, NodeAlloc};
pub use dump::Dump;
pub use entry::{Entry, Word};
pub use error::{InsertError, InsertErrorKind};
pub use gap::{Direction, GapRequest, InvalidRequest};
pub use iter::{GapIter, Iter};
pub use map::MapleTree;
pub use node::{Gaps, Layout, NoGaps, TracksGaps};
#[doc(hidden)]
pub use node::{SmallGaps, SmallNoGaps};
pub use range::IndexRange;
pub use stats::Stats;
pub use validate::Violation;
