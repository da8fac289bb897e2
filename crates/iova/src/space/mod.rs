//! The exact address space: exact placement, one owner.
//!
//! Invariants (`validate` checks them all):
//!
//! - **S1** The tree is bounded to the aperture. Each of its entries is an allocation, a reserved region, or what lies
//!   between two windows, as its [`Code`] says. What has no entry is free. There is no other state.
//! - **S2** [`Usage`] has the numbers of what the tree holds.
//! - **S3** Reserved regions are whole: no two entries of them adjoin. Neither do two entries between windows, and they
//!   are not at the ends of the aperture.
//! - **S4** Allocations less frees are the ranges that are allocated.
//! - **S5** What was freed last may still be in the tree, as [`ranges`] says, and counts as free.
//!
//! Each operation is one file. Those that may fail look first and change then; the counters of failures are all
//! that a failed operation leaves behind.

mod allocate;
mod batch;
mod find;
mod free;
mod iter;
mod kind;
mod prepare;
mod ranges;
mod reserve;
mod search;
mod statistics;
mod unreserve;
mod validate;
mod windows;

use core::fmt;
use core::ops::RangeBounds;

use maple_tree::{Global, IndexRange, NodeAlloc};

use self::ranges::Ranges;
use self::statistics::Usage;
use crate::error::InvalidAperture;
use crate::granule::Granule;
use crate::range::{IovaRange, aperture_pfns};

pub use batch::FreeBatch;
pub use iter::{Allocations, ReservedRegions};
pub use kind::RangeKind;
pub use prepare::PreparedAllocation;
pub use statistics::{Counters, Failures, Statistics, WrongFrees};
pub use validate::Violation;
pub use windows::Windows;

/// An address space from which ranges are allocated, with one owner. (A [`Domain`](crate::Domain) is for several.)
///
/// `A` is where tree nodes come from. With n allocated ranges, reserved regions and windows:
///
/// | operation | node visits | allocates |
/// | --- | --- | --- |
/// | [`allocate`](Self::allocate) | O(log n) for natural requests and alignment 1 | a node, if a leaf is full |
/// | [`allocate_at`](Self::allocate_at) | O(log n) | a node, if a leaf is full |
/// | [`prepare`](Self::prepare) | as `allocate` | the same; to commit it allocates nothing and cannot fail |
/// | [`free`](Self::free), [`free_sized`](Self::free_sized) | O(log n) | never, and cannot fail for what is allocated |
/// | [`free_batch`](Self::free_batch) | O(log n) per range, of so many as you say | never, and cannot fail |
/// | [`find`](Self::find), [`longest_free_run`](Self::longest_free_run) | O(log n) | never |
/// | [`reserve`](Self::reserve) | O(log n) per region in the range | nodes, if leaves are full |
/// | [`unreserve`](Self::unreserve) | O(log n) per range in the range | whole regions: never; else a node, if a leaf is full |
/// | [`statistics`](Self::statistics) | see there | never |
///
/// A node holds up to 16 ranges. No operation panics, whatever its arguments are. Dropping a space gives all
/// nodes back and allocates nothing.
///
/// ```
/// use iova::{Granule, Request, Space};
///
/// let mut space = Space::new(Granule::FOUR_KIB, 0..=0xffff_ffff)?;
/// let range = space.allocate(&Request::new(32))?;
/// assert_eq!(range.first() % (32 * 4096), 0);
/// assert_eq!(space.free(range.first()), Ok(range));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Space<A: NodeAlloc = Global> {
    granule: Granule,
    ranges: Ranges<A>,
    usage: Usage,
    counters: Counters,
}

impl Space {
    /// An empty space with nodes from the global allocator. Allocates nothing.
    ///
    /// `aperture` is what may be handed out, in iovas (byte addresses): any of Rust's range notations, such as
    /// `0..1 << 32` (without its end), `0..=0xffff_ffff` (with it), or `..` for 2^64 bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidAperture`] if it is empty or does not consist of whole granules.
    ///
    /// ```
    /// use iova::{Granule, InvalidAperture, Space};
    ///
    /// let space = Space::new(Granule::FOUR_KIB, 0x1000..0x1_0000_0000)?;
    /// assert_eq!((space.aperture().first(), space.aperture().last()), (0x1000, 0xffff_ffff));
    /// let odd = Space::new(Granule::FOUR_KIB, 0..0x1800).err();
    /// assert!(matches!(odd, Some(InvalidAperture::Misaligned { last: 0x17ff, .. })));
    /// # Ok::<(), InvalidAperture>(())
    /// ```
    pub fn new(granule: Granule, aperture: impl RangeBounds<u64>) -> Result<Self, InvalidAperture> {
        Self::new_in(granule, aperture, Global)
    }
}

impl<A: NodeAlloc> Space<A> {
    /// Like [`new`](Space::new), with nodes from `alloc`.
    ///
    /// # Errors
    ///
    /// As for [`new`](Space::new).
    pub fn new_in(
        granule: Granule,
        aperture: impl RangeBounds<u64>,
        alloc: A,
    ) -> Result<Self, InvalidAperture> {
        Ok(Self::of_pfns(granule, aperture_pfns(aperture, granule)?, alloc))
    }

    fn of_pfns(granule: Granule, aperture: IndexRange, alloc: A) -> Self {
        Self {
            granule,
            ranges: Ranges::new(aperture, alloc),
            usage: Usage::default(),
            counters: Counters::default(),
        }
    }

    /// The smallest unit that is handed out.
    pub fn granule(&self) -> Granule {
        self.granule
    }

    /// The smallest range that has all that may be handed out: reserved regions are in it, and what lies between
    /// [windows](Self::windows).
    pub fn aperture(&self) -> IovaRange {
        self.range(self.bounds())
    }

    /// Where the tree's nodes come from.
    pub fn allocator(&self) -> &A {
        self.ranges.tree().allocator()
    }

    /// As iovas. The pfns lie in the aperture, so they exist.
    fn range(&self, pfns: IndexRange) -> IovaRange {
        IovaRange::of_pfns(pfns, self.granule)
    }

    /// The aperture in pfns.
    fn bounds(&self) -> IndexRange {
        self.ranges.tree().bounds()
    }

    fn free_granules(&self) -> u128 {
        self.usage.free_granules(self.bounds())
    }
}

impl<A: NodeAlloc> fmt::Debug for Space<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("granule", &self.granule)
            .field("aperture", &self.aperture())
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}
