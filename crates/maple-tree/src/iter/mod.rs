//! Iterators: over entries, to read them or to change their values or to take them out, over gaps, and over what
//! is taken, in one tree or in two.

mod changes;
mod drain;
mod entries;
mod gaps;
mod owned;
mod sets;
mod taken;

pub use changes::{IterMut, RangeMut};
pub use drain::Drain;
pub use entries::{Iter, Range};
pub use gaps::GapIter;
pub use owned::IntoIter;
pub use sets::{SetIter, TakenIter};

pub(crate) use taken::RawIter;

use sets::EntryRanges;
