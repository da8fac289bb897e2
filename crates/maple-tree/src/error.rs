//! Errors of the tree: small values that hand back what was passed in.

use core::error::Error;
use core::fmt;

use crate::alloc::AllocError;
use crate::range::IndexRange;

/// A value that did not get into a tree, and why. The tree holds what it held before.
///
/// After `InsertError` of Rust for Linux's `kernel::maple_tree`, whose `cause` is called `kind` here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rejected<T, K> {
    /// The value that was to be stored.
    pub value: T,
    /// What was wrong.
    pub kind: K,
}

/// An insertion or a store that did not happen.
pub type InsertError<T> = Rejected<T, InsertErrorKind>;

/// An allocation that did not happen.
pub type AllocateError<T> = Rejected<T, AllocateErrorKind>;

/// An entry that was not appended, with its range. What came before it is in the tree.
pub type ExtendError<T> = Rejected<(IndexRange, T), ExtendErrorKind>;

/// Why nothing was stored over a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertErrorKind {
    /// The range is not free.
    Occupied {
        /// The first entry or reserved range, by index, that is in the way.
        by: IndexRange,
    },
    /// There was no memory for a node; see [`AllocError`].
    NodeMemory(AllocError),
    /// The range would cut an entry in two, and there was no second value for it.
    NotSplit {
        /// That entry.
        entry: IndexRange,
    },
    /// The range holds no index.
    EmptyRange,
    /// The range does not lie within the bounds of the tree.
    OutOfBounds {
        /// These bounds.
        bounds: IndexRange,
    },
}

/// Why nothing was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AllocateErrorKind {
    /// No free range satisfies the request.
    NoGap,
    /// There was no memory for a node.
    NodeMemory(AllocError),
}

/// Why an entry was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExtendErrorKind {
    /// The range does not lie wholly after everything that was there before it.
    OutOfOrder {
        /// The last range that is taken, by an entry or reserved.
        after: IndexRange,
    },
    /// The range does not lie within the bounds of the tree.
    OutOfBounds {
        /// These bounds.
        bounds: IndexRange,
    },
    /// There was no memory for a node.
    NodeMemory(AllocError),
}

impl fmt::Display for InsertErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Occupied { by } => write!(f, "the range is occupied by what is at {by}"),
            Self::NodeMemory(error) => fmt::Display::fmt(error, f),
            Self::NotSplit { entry } => {
                write!(f, "the entry at {entry} would be cut in two, and was not split")
            }
            Self::EmptyRange => f.write_str("the range is empty"),
            Self::OutOfBounds { bounds } => write!(f, "the range lies outside of the tree's bounds {bounds}"),
        }
    }
}

impl fmt::Display for AllocateErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGap => f.write_str("no free range satisfies the request"),
            Self::NodeMemory(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl fmt::Display for ExtendErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { after } => write!(f, "the range does not lie after what is at {after}"),
            Self::OutOfBounds { bounds } => write!(f, "the range lies outside of the tree's bounds {bounds}"),
            Self::NodeMemory(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl Error for InsertErrorKind {}
impl Error for AllocateErrorKind {}
impl Error for ExtendErrorKind {}

impl From<AllocError> for InsertErrorKind {
    fn from(error: AllocError) -> Self {
        Self::NodeMemory(error)
    }
}

impl From<AllocError> for AllocateErrorKind {
    fn from(error: AllocError) -> Self {
        Self::NodeMemory(error)
    }
}

impl From<AllocError> for ExtendErrorKind {
    fn from(error: AllocError) -> Self {
        Self::NodeMemory(error)
    }
}

impl<T, K: fmt::Debug> fmt::Debug for Rejected<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<T, K: fmt::Display> fmt::Display for Rejected<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl<T, K: fmt::Debug + fmt::Display> Error for Rejected<T, K> {}
