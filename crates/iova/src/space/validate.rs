//! Recomputing every invariant from scratch.

use core::fmt;

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use super::code::RangeKind;
use super::statistics::Usage;

/// An invariant of a [`Space`] that does not hold:
///
/// - D1: the tree is sound, and bounded to the aperture.
/// - D2: the numbers that are kept up to date are those of what the tree holds.
/// - D3: the code of a reserved piece is below the one that the next reservation gets.
/// - D4: allocations less frees are the ranges that are allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// D1: the tree itself is not sound.
    Tree(maple_tree::Violation),
    /// D2: a number that is kept up to date is not what the tree holds.
    Usage {
        /// Of what.
        what: &'static str,
        /// The number that was kept.
        kept: u128,
        /// The number that the tree holds.
        held: u128,
    },
    /// D3: a reserved piece has a code that a later reservation may get.
    ReservedCode {
        /// Its pfns.
        pfns: IndexRange,
    },
    /// D4: allocations less frees are not the allocated ranges.
    Balance {
        /// Allocations less frees.
        counted: u64,
        /// The allocated ranges.
        held: u64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(violation) => violation.fmt(f),
            Self::Usage { what, kept, held } => {
                write!(f, "D2: {kept} {what} were counted, {held} are there")
            }
            Self::ReservedCode { pfns } => write!(f, "D3: pfns {pfns} have a code that is not in use yet"),
            Self::Balance { counted, held } => {
                write!(f, "D4: {counted} more allocations than frees, but {held} allocated ranges")
            }
        }
    }
}

impl core::error::Error for Violation {}

impl<A: NodeAlloc> Space<A> {
    /// Recomputes every invariant of the space and its tree from scratch, in O(n). For tests and debugging; the
    /// tree's part needs scratch memory from the global allocator.
    ///
    /// # Errors
    ///
    /// The first [`Violation`] that it meets. There is none unless this crate or the tree's has a bug.
    pub fn validate(&self) -> Result<(), Violation> {
        self.tree.validate().map_err(Violation::Tree)?;
        let mut held = Usage::default();
        for (pfns, code) in &self.tree {
            match RangeKind::of(code) {
                RangeKind::Allocated => {
                    held.allocated_ranges += 1;
                    held.allocated_granules += pfns.count();
                }
                RangeKind::Reserved if code < self.usage.next_reserved_code() => {
                    held.reserved_pieces += 1;
                    held.reserved_granules += pfns.count();
                }
                RangeKind::Reserved => return Err(Violation::ReservedCode { pfns }),
            }
        }
        self.usage.agrees_with(&held)?;
        let counted = self.counters.allocations.wrapping_sub(self.counters.frees);
        if counted == held.allocated_ranges {
            Ok(())
        } else {
            Err(Violation::Balance { counted, held: held.allocated_ranges })
        }
    }
}

impl Usage {
    fn agrees_with(&self, held: &Self) -> Result<(), Violation> {
        let numbers = [
            ("allocated ranges", self.allocated_ranges.into(), held.allocated_ranges.into()),
            ("allocated granules", self.allocated_granules, held.allocated_granules),
            ("reserved pieces", self.reserved_pieces as u128, held.reserved_pieces as u128),
            ("reserved granules", self.reserved_granules, held.reserved_granules),
        ];
        match numbers.into_iter().find(|(_, kept, held)| kept != held) {
            Some((what, kept, held)) => Err(Violation::Usage { what, kept, held }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllocMode, Granule, Request};

    /// Eight granules from 0x1000; one is allocated, two are reserved.
    fn space() -> Space {
        let mut space = Space::new(Granule::FOUR_KIB, 0x1000..0x9000).unwrap();
        space.allocate(&Request::new(1)).unwrap();
        space.reserve(0x1000..0x3000, AllocMode::Normal).unwrap();
        assert_eq!(space.validate(), Ok(()));
        space
    }

    #[test]
    fn each_wrong_number_is_seen() {
        type Corrupt = fn(&mut Usage);
        let corruptions: [(&str, Corrupt); 4] = [
            ("allocated ranges", |usage| usage.allocated_ranges += 1),
            ("allocated granules", |usage| usage.allocated_granules += 1),
            ("reserved pieces", |usage| usage.reserved_pieces += 1),
            ("reserved granules", |usage| usage.reserved_granules -= 1),
        ];
        for (name, corrupt) in corruptions {
            let mut space = space();
            corrupt(&mut space.usage);
            let seen = space.validate();
            assert!(matches!(seen, Err(Violation::Usage { what, .. }) if what == name), "{name}: {seen:?}");
        }
    }

    #[test]
    fn a_lost_entry_is_seen() {
        let mut space = space();
        space.tree.erase(8).unwrap();
        assert!(matches!(space.validate(), Err(Violation::Usage { .. })));
    }

    #[test]
    fn a_code_of_the_future_is_seen() {
        let mut space = space();
        space.tree.insert(5..6, space.usage.next_reserved_code()).unwrap();
        assert_eq!(space.validate(), Err(Violation::ReservedCode { pfns: IndexRange::single(5) }));
    }

    #[test]
    fn an_uncounted_free_is_seen() {
        let mut space = space();
        space.counters.freed();
        assert_eq!(space.validate(), Err(Violation::Balance { counted: 0, held: 1 }));
    }
}
