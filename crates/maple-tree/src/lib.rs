//! A range tree with exact gap search whose *erase never allocates and never fails*.
//!
//! A [`MapleTree`] maps disjoint ranges of `u64` indices to values: address spaces, VMAs, guest memory maps,
//! I/O virtual addresses. It is a B-tree over ranges that knows, for every subtree, the largest gap in it. So
//! it finds a free range of a given size in O(log n), the highest or the lowest. That holds for any size
//! without alignment, and for a power of two aligned to itself. A search for any other alignment is just as
//! exact, but may take longer.
//!
//! ```
//! use maple_tree::{Direction, GapRequest, IndexRange, MapleTree};
//!
//! let mut taken: MapleTree<()> = MapleTree::new();
//! let request = GapRequest::new(0..1 << 20, 16, 16, Direction::TopDown)?;
//! let range = taken.find_gap(&request).ok_or("full")?;
//! taken.insert(range, ())?;
//! assert_eq!((range.first(), range.last()), (0xffff0, 0xfffff));
//!
//! // Needs no memory, cannot fail, and the range is free at once.
//! taken.erase(range.first());
//! assert_eq!(taken.find_gap(&request), Some(range));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why erase cannot fail
//!
//! Linux's maple tree holds a free range in exactly one empty slot of one leaf. So an erase next to a gap has
//! to join slots, maybe across nodes, which takes new nodes, which may not be there. Here a free range may be
//! held by *several* adjacent empty slots, across leaves or at any level. Then erase stores
//! "empty" into one slot, and that is all that it must do. The gap summaries see through the cuts: see
//! `docs/design.md` in the repository.
//!
//! # Guarantees
//!
//! - [`erase`](MapleTree::erase), [`drain`](MapleTree::drain), [`clear`](MapleTree::clear) and all else that takes
//!   out whole entries call the allocator only to give nodes back. The same holds for
//!   [`replace`](MapleTree::replace), [`merge`](MapleTree::merge) and [`compact`](MapleTree::compact).
//! - [`find_gap`](MapleTree::find_gap) finds a range if and only if one exists: the highest, or the lowest.
//! - An [`insert`](MapleTree::insert) or a [`store`](MapleTree::store) happens wholly, or not at all and hands the
//!   value back. A write that was prepared ([`Prepared`]) cannot fail.
//! - Lack of node memory is an error value. Only `clone` cannot report it: [`try_clone`](MapleTree::try_clone) can.
//! - The library itself never panics. A panic can only come from code of yours that it calls: the drop of a value,
//!   a predicate, an iterator. Recursion is bounded by the height.
//! - The whole index space is usable, `u64::MAX` included.
//!
//! Three things take memory that is not for nodes. [`validate`](MapleTree::validate) and serde's `Deserialize`
//! use vectors from the global allocator. And a clone of a value is the type's own affair: that of a `Box`
//! allocates, and aborts if there is no memory. A write that cuts an entry in two clones its value, unless the
//! caller makes the second one: with [`prepare_store_split`](MapleTree::prepare_store_split) or
//! [`clear_range_split`](MapleTree::clear_range_split).
//!
//! # What there is to choose
//!
//! - What it holds: anything that is one non-zero word ([`Entry`]).
//! - Whether gaps are tracked: [`Gaps`] or [`NoGaps`], a type parameter.
//! - Where nodes come from: [`NodeAlloc`], fallible, told at each call whether it may wait ([`AllocMode`]). [`SlabAlloc`] lays
//!   them side by side, which is worth it over a `malloc`.
//! - Whether ranges and trees can be serialized: the feature `serde`.
//! - For measuring, whether nodes that are looked at are counted: the feature `visits`.
//!
//! Those who know the kernel's functions find them in `docs/coming-from-linux.md` in the repository.
//!
//! # When not to use it
//!
//! For keys that are not integers, for ranges that overlap, or for a plain map of points, use a `BTreeMap` or an
//! interval tree.
//!
//! # Many readers and a writer
//!
//! Readers share a tree as they share any `&T`. To read without a lock while one thread writes there is
//! [`SharedMapleTree`](shared::SharedMapleTree); `docs/shared-mode.md` in the repository says what readers see then.
#![no_std]
// Nothing panics (nor may it `panic!` or `unwrap`, by the lints of the workspace). `node` and `raw` may index: their slot
// numbers are bounded by invariants that `validate` checks. Overflows are found by the tests, which run with checks.
#![cfg_attr(not(test), warn(clippy::expect_used, clippy::indexing_slicing, clippy::unreachable))]

extern crate alloc as std_alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

#[macro_use]
mod reached;

mod alloc;
mod content;
mod cursor;
mod dump;
mod entry;
mod error;
mod gap;
mod iter;
mod map;
#[cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "slots are below the capacity: N1 to N3"))]
mod node;
mod range;
#[cfg_attr(not(test), expect(clippy::indexing_slicing, reason = "slots are in use: N1 to N3, T3"))]
mod raw;
pub mod reclaim;
#[cfg(feature = "serde")]
mod serde;
mod set;
pub mod shared;
mod stats;
mod sync;
mod validate;
#[cfg(doctest)]
mod variance;
#[cfg(feature = "visits")]
pub mod visits;
#[cfg(all(test, not(miri), not(loom)))]
mod worlds;

pub use alloc::{AllocError, AllocMode, Global, NodeAlloc, SlabAlloc};
pub use content::Content;
pub use cursor::{Cursor, CursorMut};
pub use dump::Dump;
pub use entry::{CloneEntry, Entry, Word};
pub use error::{
    AllocateError, AllocateErrorKind, ExtendError, ExtendErrorKind, InsertError, InsertErrorKind, Rejected,
};
pub use gap::{Direction, GapRequest, InvalidRequest};
pub use iter::{Drain, GapIter, IntoIter, Iter, IterMut, Range, RangeMut, SetIter, TakenIter};
pub use map::{Cyclic, MapleTree, Placed, Prepared};
pub use node::{Gaps, Layout, NoGaps, TracksGaps};
#[doc(hidden)]
pub use node::{SmallGaps, SmallNoGaps};
pub use range::IndexRange;
pub use raw::Compaction;
pub use stats::{SlotCounts, SlotStats, Stats};
pub use validate::Violation;
