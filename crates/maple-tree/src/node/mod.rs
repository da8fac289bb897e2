//! Nodes: how slots and pivots are laid out, and nothing about what they mean.
//!
//! A node covers a range of indices that only its parent knows (its *bounds*), divided into `len` slots. Slot i
//! ends at pivot i; the last slot ends where the node ends.
//!
//! ```text
//!               bounds.first                                      bounds.last
//!   pivots            |     p0 |       p1 |   p2 |   MAX   MAX  ...   |
//!   slots             | slot 0 |  slot 1  |slot 2|       slot 3       |  len = 4
//! ```
//!
//! Invariants (`validate` checks them all):
//!
//! - **N1** The pivots below `len - 1` are strictly increasing and lie within the bounds; all others are
//!   `u64::MAX`. So the slot that holds an index is the number of pivots below it, and `len` need not be read.
//! - **N2** A slot beyond `len` is vacant.
//! - **N3** Bit i of `empty` is set only if i < `len` and slot i is vacant. Such a slot is called *empty*, all others
//!   in use are *live*. A live slot of a branch holds a node. A live slot of a leaf holds an entry, or it is vacant:
//!   then its range is *reserved*, taken but without a value.
//! - **N4** No two neighbouring slots of a node are empty: fragments in one node are joined at each write.
//!   Cutting a full node relies on it; what reads nodes does not, and takes any run of empty slots for one gap.
//!
//! An empty slot is free address space, in a leaf as well as in a branch, where it stands for a whole free
//! subtree. Empty slots that adjoin across nodes or levels stay as they are: they are fragments of one gap.

mod bag;
mod block;
mod in_place;
mod layout;
mod link;
mod memory;
mod prefetch;
mod seen;
mod shape;
mod spare;
mod store;
mod transfer;
mod unlink;
pub(crate) mod visits;

pub(crate) use bag::{BYTES as BAG_BYTES, Bags, WORDS as BAG_WORDS, WordStack};
pub(crate) use block::{SlotWord, Stage, slide_copies};
pub(crate) use in_place::InPlace;
pub use layout::{Gaps, Layout, NoGaps, SmallGaps, SmallNoGaps, TracksGaps};
#[cfg(test)]
pub(crate) use layout::{TinyGaps, WideGaps};
pub(crate) use link::{Chain, Link, Node, NodeInPlace, NodeMut};
pub(crate) use memory::Memory;
pub(crate) use seen::{PinnedRoot, Root, Seen, SeenNode};
pub(crate) use shape::Shape;
pub(crate) use spare::{Aside, Spare};
pub(crate) use store::Store;
pub(crate) use transfer::{append, move_to_left, move_to_right, split_off};
pub(crate) use unlink::unlink;

#[cfg(test)]
pub(crate) mod tests;
