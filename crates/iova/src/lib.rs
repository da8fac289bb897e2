//! An I/O virtual address allocator whose free never allocates and never fails.
//!
//! A device that does DMA uses addresses of its own, *iovas*, which an IOMMU translates. Somebody has to hand these
//! addresses out: a range for each buffer that is mapped, taken back when it is unmapped, often millions of times a
//! second and often where nothing may wait. There are two layers to meet:
//!
//! - A [`Domain`] is what a driver or a VMM uses, from all its threads. It has caches of freed ranges per CPU and, if
//!   wanted, a queue of those that the IOMMU may still know. With the feature `std` a `StdDomain` needs no further
//!   decisions.
//! - A [`Space`] is what it stands on: the exact address space of one owner, without locks, caches or hidden state. It is
//!   all that a program of one thread needs, and where windows and reserved regions are set up.
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```ignore")]
//! use iova::{AllocMode, Granule, Request, Space, StdDomain};
//!
//! // A device with 32 address lines behind an IOMMU with pages of 4 KiB; message interrupts take some of it.
//! let mut space = Space::new(Granule::FOUR_KIB, 0..=0xffff_ffff)?;
//! space.reserve(0xfee0_0000..=0xfeef_ffff, AllocMode::Normal)?;
//! let domain = StdDomain::for_this_machine(space)?;
//!
//! let buffer = domain.allocate(&Request::new(16).mode(AllocMode::Atomic))?;
//! assert_eq!(buffer.to_string(), "0xffff0000..=0xffffffff");
//! let below = domain.allocate(&Request::new(1).limit(0xfeff_ffff))?;
//! assert_eq!(below.first(), 0xfeff_f000);
//!
//! domain.free(buffer)?;
//! assert_eq!(domain.statistics().live_ranges(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Units
//!
//! - A **position** is a byte address in a `u64`, called *iova*. Where a position is the end of something
//!   (`last`, `limit`) it is inclusive, as DMA masks are: `0xffff_ffff` is the last address of 32 bits. There
//!   is no special address: 0 is as good as any other, and so is [`u64::MAX`].
//! - A **length** is in *granules* and says so in its name; [`Granule::count_of`] makes it from bytes. It is a
//!   `u128` where it may reach 2^64, and a request's length is a `u64`.
//! - An iova divided by the granule is a [`Pfn`], a type of its own, so that neither is taken for the other.
//!
//! # How it works
//!
//! The ranges of a space are the entries of a [`MapleTree`](maple_tree::MapleTree), a B-tree over ranges of
//! indices (here: pfns) that knows, in each branch, the longest free run below each slot, and the largest
//! naturally aligned free block. Nothing is stored per range beside its slot in a node. Three properties of that
//! tree become the space's:
//!
//! **The search is exact.** An allocation takes the *highest* range that is free, ends at or below the limit, is
//! aligned as requested and crosses no boundary. It reports that there is no address space if and only if no such range
//! exists. In particular it does not ask for more than it needs in order to be sure of an alignment: a hole of exactly one
//! aligned block, which is what freeing one of many such blocks leaves, is found and used. There is no hint of
//! where to search either, and so no failure is remembered. A natural request (size and alignment the same
//! power of two) visits at most two nodes per level, whatever the space looks like.
//!
//! **Free cannot fail.** A freed range becomes an empty slot in place, and that needs no memory. It is free at
//! once, joined with the free space at its sides; nothing is deferred, queued or swept. What can be wrong is
//! the caller's address or size, which is a [`FreeError`] and changes nothing. Many ranges are freed in a
//! [`FreeBatch`], so many at a time that a lock is not held for long.
//!
//! **No memory and no space are different things.** A range that is taken may need a new tree
//! node (up to 16 ranges share one). If there is none, that is [`OutOfNodeMemory`], with the range that could not
//! be recorded; the space is as it was. [`OutOfAddressSpace`] says what was free, and how much of it in one piece.
//! Where memory must not be missing at the wrong time it can be had beforehand: [`Space::prepare`].
//!
//! # What can be asked for
//!
//! A [`Request`] has a size and, if you like, a limit, a limit that is preferred (32 bits first, then what the device
//! can do), an alignment, and a boundary that must not be crossed. [`Space::allocate_at`] takes a range of your choice.
//!
//! ```
//! use iova::{Granule, Request, Space};
//!
//! // An IOMMU that reports two ranges, and a device with 40 address lines that prefers 32 bits.
//! let mut space = Space::with_windows(Granule::FOUR_KIB, [0x1000..=0xfedf_ffff, 0xfef0_0000..=0xffff_ffff_ffff])?;
//! let request = Request::new(4).prefer_limit(0xffff_ffff).limit(0xff_ffff_ffff).not_crossing(16);
//! assert_eq!(space.allocate(&request)?.first(), 0xffff_c000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is not handed out
//!
//! - What is **reserved**, for message interrupts or by firmware, until it is unreserved. Regions are added and taken away,
//!   whole or in part, at any time; those that overlap or adjoin are one.
//! - What lies **between windows**, if the IOMMU reports several: no reservation, and never free.
//!
//! [`Space::find`] tells both from what is allocated.
//!
//! # Natural alignment
//!
//! By default a range of n granules begins at a multiple of n rounded up to a power of two, as DMA allocators
//! do: such a range never crosses a boundary of its size, which devices and page tables with large pages rely
//! on, and ranges of one size pack without loss. With sizes that are powers of two the space then behaves like
//! a buddy system without its lists: a block that is freed is whole again the moment its buddy is free.
//!
//! What external fragmentation there is can be read from the [`Statistics`], for the whole space, and from
//! [`Space::longest_free_run`] for any limit. Failures are counted there by cause.
//!
//! # Many threads
//!
//! In front of a domain's space there are [caches](cache) of freed ranges per CPU, so that most operations take no lock that
//! another CPU takes, and a [flush queue](flush), so that a range is used again only when the IOMMU has forgotten it. When
//! a request finds no space, both are emptied before it fails. When there is no node memory they are not.
//!
//! A double free is an error value of a space. In a domain it is, too, unless callers are [trusted](Checking); an [`Allocation`]
//! cannot be freed twice in the first place. [`Domain::validate`] checks that every granule is in exactly one place.
//!
//! A [`LockedSpace`] is a space behind one lock, exact and strictly top-down.
//!
//! # Features
//!
//! - `std` (default): [`StdDomain`](Domain), with a lock of the crate `parking_lot`, and [`cpu`]`::ThisCpu`, which asks the
//!   operating system.
//! - `tracing`: domains tell the crate of that name, with the target `iova`, of allocations and reservations that fail
//!   (warnings), of caches that are given back for lack of space, of flushes of the IOTLB (debug), and of wrong frees
//!   (errors). No event is on the way of an operation that succeeds at once.
//!
//! The crate is `no_std`. It uses no unsafe code.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

/// The project's README, whose example is run as a test of this crate.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

pub mod backing;
pub mod cache;
pub mod cpu;
mod domain;
mod error;
mod events;
pub mod flush;
mod granule;
mod locked;
mod pad;
mod range;
mod request;
mod space;
mod sync;

#[cfg(feature = "std")]
pub use domain::StdDomain;
pub use domain::{Allocation, Checking, Domain, DomainConfig, DomainStatistics, DomainViolation, RangeState};
pub use error::{
    AllocateError, BadRequest, FreeError, InvalidAperture, InvalidGranule, OutOfAddressSpace,
    OutOfNodeMemory, PlaceError, PreferredLimit, WindowsError,
};
pub use granule::{Granule, Pfn};
pub use locked::LockedSpace;
pub use range::IovaRange;
pub use request::{Alignment, Request};
pub use space::{
    Allocations, Counters, Failures, FreeBatch, PreparedAllocation, RangeKind, ReservedRegions, Space,
    Statistics, Violation, Windows, WrongFrees,
};

pub use lock_api;
pub use maple_tree::{AllocMode, Global, NodeAlloc};
