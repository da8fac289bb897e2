//! What the tree holds for a range: one small number.

use core::fmt;
use core::num::NonZeroU8;

/// The entry of the tree.
pub(super) type Code = NonZeroU8;

pub(super) const ALLOCATED: Code = NonZeroU8::MIN;
pub(super) const RESERVED: Code = ALLOCATED.saturating_add(1);
/// Between two windows.
pub(super) const EXCLUDED: Code = RESERVED.saturating_add(1);
/// A piece of a reservation that is not complete yet. There is none between two operations.
pub(super) const ADDED: Code = EXCLUDED.saturating_add(1);

/// What a range of a space that is not free is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeKind {
    /// Handed out, until it is freed.
    Allocated,
    /// Not handed out, until it is unreserved.
    Reserved,
    /// Never handed out: between two windows of the space.
    Excluded,
}

impl RangeKind {
    pub(super) fn of(code: Code) -> Self {
        if code == ALLOCATED {
            Self::Allocated
        } else if code == EXCLUDED {
            Self::Excluded
        } else {
            Self::Reserved
        }
    }
}

impl fmt::Display for RangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allocated => "allocated",
            Self::Reserved => "reserved",
            Self::Excluded => "between two windows",
        })
    }
}
