//! Recomputing every invariant from scratch.

use core::fmt;

use maple_tree::{IndexRange, NodeAlloc};

use super::Space;
use super::kind::{ALLOCATED, Code, EXCLUDED, RESERVED};
use super::statistics::Usage;

/// An invariant of a [`Space`] that does not hold:
///
/// - S1: the tree is sound, and bounded to the aperture.
/// - S2: the numbers that are kept up to date are those of what the tree holds.
/// - S3: each reserved region is one entry, and so is what lies between two windows.
/// - S4: allocations less frees are the ranges that are allocated.
/// - S5: what was freed last may be in the tree still, if the last request would get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// S1: the tree itself is not sound.
    Tree(maple_tree::Violation),
    /// S2: a number that is kept up to date is not what the tree holds.
    Usage {
        /// Of what.
        what: &'static str,
        /// The number that was kept.
        kept: u128,
        /// The number that the tree holds.
        held: u128,
    },
    /// S3: an entry is a part of a region, or of what lies between windows, or is at an end of the aperture and lies
    /// between no windows.
    Part {
        /// Its pfns.
        pfns: IndexRange,
    },
    /// S5: what was freed last is not there, or is not what the last request would get; or that is not there.
    Vacated {
        /// Its pfns.
        pfns: Option<IndexRange>,
    },
    /// S4: allocations less frees are not the allocated ranges.
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
                write!(f, "S2: {kept} {what} were counted, {held} are there")
            }
            Self::Part { pfns } => {
                write!(f, "S3: pfns {pfns} are not all of a region, or between no windows")
            }
            Self::Vacated { pfns: Some(pfns) } => {
                write!(f, "S5: {pfns} were freed last, but the last request would not get them")
            }
            Self::Vacated { pfns: None } => {
                f.write_str("S5: the last allocation is remembered, but is not there")
            }
            Self::Balance { counted, held } => {
                write!(f, "S4: {counted} more allocations than frees, but {held} allocated ranges")
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
        self.ranges.tree().validate().map_err(Violation::Tree)?;
        if !self.ranges.is_sound() {
            return Err(Violation::Vacated { pfns: self.ranges.vacated() });
        }
        let mut held = Usage::default();
        let mut before = None;
        for (pfns, code) in self.ranges.tree() {
            let granules = match code {
                ALLOCATED if self.ranges.vacated() == Some(pfns) => continue,
                ALLOCATED => {
                    held.allocated_ranges += 1;
                    &mut held.allocated_granules
                }
                RESERVED => &mut held.reserved_granules,
                EXCLUDED => &mut held.excluded_granules,
                _ => return Err(Violation::Part { pfns }),
            };
            *granules += pfns.count();
            if !self.is_whole(pfns, code, before) {
                return Err(Violation::Part { pfns });
            }
            before = Some((pfns, code));
        }
        self.usage.agrees_with(&held)?;
        let counted = self.counters.allocations.wrapping_sub(self.counters.frees);
        if counted == held.allocated_ranges {
            Ok(())
        } else {
            Err(Violation::Balance { counted, held: held.allocated_ranges })
        }
    }

    /// Whether an entry is all of a region, or of what lies between two windows, as far as the one before it shows.
    fn is_whole(&self, pfns: IndexRange, code: Code, before: Option<(IndexRange, Code)>) -> bool {
        let adjoins =
            |(other, of): (IndexRange, Code)| of == code && other.last().checked_add(1) == Some(pfns.first());
        let bounds = self.bounds();
        let at_an_end = pfns.first() == bounds.first() || pfns.last() == bounds.last();
        code == ALLOCATED || !(before.is_some_and(adjoins) || code == EXCLUDED && at_an_end)
    }
}

impl Usage {
    fn agrees_with(&self, held: &Self) -> Result<(), Violation> {
        let numbers = [
            ("allocated ranges", self.allocated_ranges.into(), held.allocated_ranges.into()),
            ("allocated granules", self.allocated_granules, held.allocated_granules),
            ("reserved granules", self.reserved_granules, held.reserved_granules),
            ("excluded granules", self.excluded_granules, held.excluded_granules),
        ];
        match numbers.into_iter().find(|(_, kept, held)| kept != held) {
            Some((what, kept, held)) => Err(Violation::Usage { what, kept, held }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::ADDED;
    use super::*;
    use crate::{AllocMode, Granule, Request};

    /// Eight granules from 0x1000 in two windows; one is allocated, two are reserved, one lies between.
    fn space() -> Space {
        let mut space = Space::with_windows(Granule::FOUR_KIB, [0x1000..0x5000, 0x6000..0x9000]).unwrap();
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
            ("reserved granules", |usage| usage.reserved_granules -= 1),
            ("excluded granules", |usage| usage.excluded_granules += 1),
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
        space.ranges.tree_mut().erase(8).unwrap();
        assert!(matches!(space.validate(), Err(Violation::Usage { .. })));
    }

    #[test]
    fn parts_are_seen() {
        for (pfn, code) in [(3, RESERVED), (4, EXCLUDED), (7, ADDED), (6, EXCLUDED)] {
            let mut space = space();
            if pfn == 7 {
                space.free(0x8000).unwrap();
            }
            space.ranges.tree_mut().insert(pfn..=pfn, code).unwrap();
            let part = if pfn == 4 { 5 } else { pfn };
            assert_eq!(space.validate(), Err(Violation::Part { pfns: IndexRange::single(part) }), "{pfn}");
        }
        let mut space = space();
        space.free(0x8000).unwrap();
        space.ranges.tree_mut().insert(7..=8, EXCLUDED).unwrap();
        assert_eq!(space.validate(), Err(Violation::Part { pfns: IndexRange::new(7, 8).unwrap() }));
    }

    #[test]
    fn an_uncounted_free_is_seen() {
        let mut space = space();
        space.counters.freed();
        assert_eq!(space.validate(), Err(Violation::Balance { counted: 0, held: 1 }));
    }
}
