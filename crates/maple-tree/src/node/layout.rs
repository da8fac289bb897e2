//! The choice of node sizes, and with it whether a tree tracks gaps: a type parameter.

use core::fmt;

use super::block::Block;
use super::link::Link;
use super::shape::Shape;
use super::store::{GapStore, Store};
use crate::entry::Held;

/// What a live slot of a leaf holds: an entry.
pub(super) type LeafSlot = Held;
/// What a live slot of a branch holds: the node below.
pub(super) type BranchSlot<L> = Link<L>;

type Leaf<const PIVOTS: usize, const SLOTS: usize> = Block<LeafSlot, (), PIVOTS, SLOTS>;
type Branch<L, X, const PIVOTS: usize, const SLOTS: usize> = Block<BranchSlot<L>, X, PIVOTS, SLOTS>;

/// The node sizes of a tree and whether it tracks gaps: [`Gaps`] or [`NoGaps`].
///
/// This trait is sealed: there is no use in implementing it outside of this crate.
pub trait Layout: Sized + fmt::Debug + 'static {
    /// A leaf, whose slots hold entries.
    #[doc(hidden)]
    type Leaf: Shape<Live = LeafSlot>;
    /// A branch, whose slots hold nodes.
    #[doc(hidden)]
    type Branch: Shape<Live = BranchSlot<Self>, Store: Store>;
    #[doc(hidden)]
    const TRACKS_GAPS: bool = <<Self::Branch as Shape>::Store as Store>::TRACKS_GAPS;
}

/// Layouts of trees that track gaps and so can search for them.
///
/// This trait is sealed, like [`Layout`].
pub trait TracksGaps: Layout {}

/// Track gaps: leaves of 16 slots in 256 bytes, branches of 17 slots in 512 bytes.
///
/// A branch spends 26 bytes per slot: pivot, child, longest run, natural size.
#[derive(Debug)]
pub enum Gaps {}

/// Do not track gaps: leaves of 16 slots in 256 bytes, branches of 31 slots in 512 bytes.
#[derive(Debug)]
pub enum NoGaps {}

/// Like [`Gaps`] with leaves of 5 and branches of 4 slots, so that tests meet deep trees and full nodes at once.
#[doc(hidden)]
#[derive(Debug)]
pub enum SmallGaps {}

/// Like [`NoGaps`] with leaves of 5 and branches of 4 slots, for tests.
#[doc(hidden)]
#[derive(Debug)]
pub enum SmallNoGaps {}

impl Layout for Gaps {
    type Leaf = Leaf<15, 16>;
    type Branch = Branch<Self, GapStore<17>, 16, 17>;
}

impl Layout for NoGaps {
    type Leaf = Leaf<15, 16>;
    type Branch = Branch<Self, (), 30, 31>;
}

impl Layout for SmallGaps {
    type Leaf = Leaf<4, 5>;
    type Branch = Branch<Self, GapStore<4>, 3, 4>;
}

impl Layout for SmallNoGaps {
    type Leaf = Leaf<4, 5>;
    type Branch = Branch<Self, (), 3, 4>;
}

/// The smallest nodes that there can be, so that a few indices make a tree of three levels: leaves of 5 slots, branches
/// of 3.
#[cfg(test)]
#[derive(Debug)]
pub(crate) enum TinyGaps {}

#[cfg(test)]
impl Layout for TinyGaps {
    type Leaf = Leaf<4, 5>;
    type Branch = Branch<Self, GapStore<3>, 2, 3>;
}

#[cfg(test)]
impl TracksGaps for TinyGaps {}

/// Nodes of a size between, for what smaller ones have no room for: leaves of 8 slots, branches of 6.
#[cfg(test)]
#[derive(Debug)]
pub(crate) enum WideGaps {}

#[cfg(test)]
impl Layout for WideGaps {
    type Leaf = Leaf<7, 8>;
    type Branch = Branch<Self, GapStore<6>, 5, 6>;
}

#[cfg(test)]
impl TracksGaps for WideGaps {}

impl TracksGaps for Gaps {}
impl TracksGaps for SmallGaps {}

// A leaf of 4 slots could hold just an entry between two empty slots when that is divided in three: then either half of the
// leaf would have nothing live, wherever it is cut.
const _: () = {
    assert!(<<Gaps as Layout>::Leaf as Shape>::CAPACITY >= 5);
    assert!(<<SmallGaps as Layout>::Leaf as Shape>::CAPACITY >= 5);
    assert!(<<NoGaps as Layout>::Leaf as Shape>::CAPACITY >= 5);
    assert!(<<SmallNoGaps as Layout>::Leaf as Shape>::CAPACITY >= 5);
};

#[cfg(all(target_pointer_width = "64", not(loom)))]
const _: () = {
    assert!(size_of::<<Gaps as Layout>::Leaf>() == 256);
    assert!(size_of::<<Gaps as Layout>::Branch>() == 512);
    assert!(size_of::<<NoGaps as Layout>::Branch>() == 512);
};
