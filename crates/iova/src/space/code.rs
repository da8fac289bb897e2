//! What the tree holds for a range: one number.

use core::fmt;
use core::num::NonZeroUsize;

/// The entry of the tree. 1 is an allocation; each reservation has a number of its own above that, the same for
/// all pieces that it added.
pub(super) type Code = NonZeroUsize;

pub(super) const ALLOCATED: Code = NonZeroUsize::MIN;

/// The code of a reservation that is made when there are so many reserved pieces.
///
/// It cannot saturate: each piece takes a slot in memory, so there are fewer than `usize::MAX - 2` of them.
pub(super) fn reserved(pieces: usize) -> Code {
    ALLOCATED.saturating_add(1).saturating_add(pieces)
}

/// What a range of a space that is not free is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeKind {
    /// Handed out, until it is freed.
    Allocated,
    /// Never handed out.
    Reserved,
}

impl RangeKind {
    pub(super) fn of(code: Code) -> Self {
        if code == ALLOCATED { Self::Allocated } else { Self::Reserved }
    }
}

impl fmt::Display for RangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allocated => "allocated",
            Self::Reserved => "reserved",
        })
    }
}
