//! What is free: going over gaps, and searching for one that fits.

use core::ops::RangeBounds;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::gap::GapRequest;
use crate::iter::GapIter;
use crate::node::{Layout, TracksGaps};
use crate::range::IndexRange;

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// The gaps (maximal free ranges) in order, from either end. O(n) in all for n entries and reserved ranges,
    /// allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let gaps: Vec<String> = tree.gaps().map(|gap| format!("{gap:?}")).collect();
    /// assert_eq!(gaps, ["0..=9", "20..=18446744073709551615"]);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn gaps(&self) -> GapIter<'_, L, A> {
        GapIter::new(&self.raw, Some(self.bounds()))
    }

    /// What is free within `window`: the gaps that overlap it, clipped to it, in order, from either end.
    /// The complement within the window is [`taken_within`](Self::taken_within).
    ///
    /// O(height) node visits to begin at either end, then O(1), once per leaf O(height), for each entry or
    /// reserved range in the window. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// let free: Vec<String> = tree.gaps_within(5..=30).map(|gap| format!("{gap:?}")).collect();
    /// assert_eq!(free, ["5..=9", "20..=30"]);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn gaps_within(&self, window: impl RangeBounds<u64>) -> GapIter<'_, L, A> {
        GapIter::new(&self.raw, self.within_bounds(window))
    }
}

impl<T: Entry, L: TracksGaps, A: NodeAlloc> MapleTree<T, L, A> {
    /// The highest (or lowest) free range that satisfies a request: found if and only if there is one.
    ///
    /// O(height) node visits if the size is a power of two equal to the alignment, or the alignment is 1: at
    /// most 2 per level, and 2 more per level for each end of the window that lies inside the bounds of the tree.
    /// For other alignments runs that are long enough but cannot be aligned are rejected one by one, in O(n) at
    /// worst. So are runs that are long enough (though shorter than twice the size) but cut by a boundary
    /// ([`GapRequest::not_crossing`]), unless the size is the alignment or the boundary. Allocates nothing.
    ///
    /// ```
    /// use maple_tree::{Direction, GapRequest, IndexRange, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(4..8, ())?;
    /// let top = GapRequest::new(0..16, 4, 4, Direction::TopDown)?;
    /// assert_eq!(tree.find_gap(&top), IndexRange::new(12, 15));
    /// let bottom = GapRequest::new(1..16, 4, 4, Direction::BottomUp)?;
    /// assert_eq!(tree.find_gap(&bottom), IndexRange::new(8, 11));
    /// let none = GapRequest::new(0..16, 9, 1, Direction::TopDown)?;
    /// assert_eq!(tree.find_gap(&none), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "a search changes nothing: the range stays free"]
    pub fn find_gap(&self, request: &GapRequest) -> Option<IndexRange> {
        self.raw.find_gap(request)
    }

    /// The longest free run within `window`, the highest if there are several; `None` if nothing is free there.
    ///
    /// One gap search if the window does not cut the longest run, up to 65 of them (bisecting the length) if it
    /// does: O(height) node visits either way. Allocates nothing.
    ///
    /// ```
    /// use maple_tree::{IndexRange, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.longest_gap(..), IndexRange::new(20, u64::MAX));
    /// assert_eq!(tree.longest_gap(5..24), IndexRange::new(5, 9));
    /// assert_eq!(tree.longest_gap(10..20), None);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use = "a search changes nothing: the range stays free"]
    pub fn longest_gap(&self, window: impl RangeBounds<u64>) -> Option<IndexRange> {
        self.raw.longest_gap(IndexRange::from_bounds(window)?)
    }
}
