//! What is taken, as a set of indices: of one tree, and of two together. What the values are does not matter
//! here.

use core::ops::RangeBounds;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::iter::{SetIter, TakenIter};
use crate::node::Layout;
use crate::set::Operation;

/// The operations on two trees regard each as the set of indices that are taken in it. The trees may differ in
/// type, allocator and bounds; what lies outside of a tree's bounds is not taken in it. Ranges come out in
/// order and *maximal*: those that adjoin are one. Reserved ranges are taken, like entries. Each of both is
/// passed once, so that all is O(n + m); nothing is allocated.
impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// The maximal taken ranges in order, from either end: the ranges of the entries and the reserved ranges,
    /// those that adjoin joined into one. What is between them are the [`gaps`](Self::gaps).
    ///
    /// O(n) in all for n entries and reserved ranges. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// tree.reserve(20..30)?;
    /// tree.insert(40.., Box::new('b'))?;
    /// let taken: Vec<String> = tree.taken().map(|range| format!("{range:?}")).collect();
    /// assert_eq!(taken, ["10..=29", "40..=18446744073709551615"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn taken(&self) -> TakenIter<'_, L, A> {
        TakenIter::new(&self.raw, Some(self.bounds()))
    }

    /// What is taken within `window`: maximal ranges, clipped to it, in order, from either end. The complement
    /// within the window, what is free there, is [`gaps_within`](Self::gaps_within).
    ///
    /// O(height) node visits to begin at either end, O(n) in all for n entries and reserved ranges. Allocates
    /// nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// tree.insert(20..30, ())?;
    /// tree.insert(40..50, ())?;
    /// let taken: Vec<String> = tree.taken_within(15..=40).map(|range| format!("{range:?}")).collect();
    /// assert_eq!(taken, ["15..=29", "40..=40"]);
    /// assert_eq!(tree.taken_within(15..=40).next_back().map(|range| range.count()), Some(1));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn taken_within(&self, window: impl RangeBounds<u64>) -> TakenIter<'_, L, A> {
        TakenIter::new(&self.raw, self.within_bounds(window))
    }

    /// What is taken in this tree, in `other`, or in both: maximal ranges in order.
    ///
    /// O(n + m) in all. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let (mut code, mut data): (MapleTree<()>, MapleTree<Box<u8>>) = Default::default();
    /// code.insert(0..10, ())?;
    /// data.insert(10..20, Box::new(7))?;
    /// assert!(code.union(&data).eq(IndexRange::new(0, 19)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn union<'a, U: Entry, M: Layout, B: NodeAlloc>(
        &'a self,
        other: &'a MapleTree<U, M, B>,
    ) -> SetIter<'a, L, A, M, B> {
        SetIter::new(Operation::Union, &self.raw, &other.raw)
    }

    /// What is taken in both this tree and `other`: maximal ranges in order.
    ///
    /// O(n + m) in all. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let (mut mapped, mut dirty): (MapleTree<()>, MapleTree<()>) = Default::default();
    /// mapped.insert(10..20, ())?;
    /// dirty.insert(15.., ())?;
    /// assert!(mapped.intersection(&dirty).eq(IndexRange::new(15, 19)));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn intersection<'a, U: Entry, M: Layout, B: NodeAlloc>(
        &'a self,
        other: &'a MapleTree<U, M, B>,
    ) -> SetIter<'a, L, A, M, B> {
        SetIter::new(Operation::Intersection, &self.raw, &other.raw)
    }

    /// What is taken in this tree and not in `other`: maximal ranges in order.
    ///
    /// O(n + m) in all. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let (mut mapped, mut dirty): (MapleTree<()>, MapleTree<()>) = Default::default();
    /// mapped.insert(10..20, ())?;
    /// dirty.insert(15.., ())?;
    /// assert!(mapped.difference(&dirty).eq(IndexRange::new(10, 14)));
    /// assert!(dirty.difference(&mapped).eq(IndexRange::new(20, u64::MAX)));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn difference<'a, U: Entry, M: Layout, B: NodeAlloc>(
        &'a self,
        other: &'a MapleTree<U, M, B>,
    ) -> SetIter<'a, L, A, M, B> {
        SetIter::new(Operation::Difference, &self.raw, &other.raw)
    }

    /// What is taken in just one of this tree and `other`: maximal ranges in order. There is none if and only
    /// if both have the same indices taken.
    ///
    /// O(n + m) in all. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let (mut before, mut after): (MapleTree<()>, MapleTree<()>) = Default::default();
    /// before.insert(10..20, ())?;
    /// after.insert(10..15, ())?;
    /// assert_eq!(before.symmetric_difference(&after).map(|range| range.first()).next(), Some(15));
    /// after.insert(15..20, ())?;
    /// assert_eq!(before.symmetric_difference(&after).next(), None);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn symmetric_difference<'a, U: Entry, M: Layout, B: NodeAlloc>(
        &'a self,
        other: &'a MapleTree<U, M, B>,
    ) -> SetIter<'a, L, A, M, B> {
        SetIter::new(Operation::SymmetricDifference, &self.raw, &other.raw)
    }
}
