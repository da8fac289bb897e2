//! Errors of the tree: small values that hand back what was passed in.

use core::fmt;

use crate::alloc::AllocError;
use crate::range::IndexRange;

/// Why an insertion did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertErrorKind {
    /// An entry overlaps the range.
    Occupied {
        /// The range of the first entry, by index, that is in the way.
        by: IndexRange,
    },
    /// There was no memory for a node.
    NodeMemory(AllocError),
    /// The range holds no index.
    EmptyRange,
    /// The range does not lie within the bounds of the tree.
    OutOfBounds {
        /// These bounds.
        bounds: IndexRange,
    },
}

impl fmt::Display for InsertErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied { by } => write!(f, "the range is occupied by the entry at {by}"),
            Self::NodeMemory(error) => fmt::Display::fmt(error, f),
            Self::EmptyRange => f.write_str("the range is empty"),
            Self::OutOfBounds { bounds } => write!(f, "the range lies outside of the tree's bounds {bounds}"),
        }
    }
}

/// An insertion that did not happen: the tree is as it was, and the value is here.
///
/// After `InsertError` of Rust for Linux's `kernel::maple_tree`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InsertError<T> {
    /// The value that was to be inserted.
    pub value: T,
    /// What was wrong.
    pub kind: InsertErrorKind,
}

impl<T> fmt::Debug for InsertError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsertError").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for InsertError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl<T> core::error::Error for InsertError<T> {}
