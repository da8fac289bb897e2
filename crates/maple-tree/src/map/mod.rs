//! The typed tree: [`MapleTree`].

mod allocate;
mod bulk;
mod changes;
mod compact;
mod copy;
mod cursors;
mod gaps;
mod inspect;
mod merge;
mod prepared;
mod removal;
mod sets;
mod store;
mod traits;
pub(crate) mod words;
mod write;

pub use allocate::{Cyclic, Placed};
pub use prepared::Prepared;

pub(crate) use words::ValuesMut;

use core::marker::PhantomData;
use core::ops::RangeBounds;

use crate::alloc::{Global, NodeAlloc};
use crate::content::Content;
use crate::entry::Entry;
use crate::iter::{Iter, Range};
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::RawTree;

/// A map from disjoint ranges of `u64` indices to values, with exact gap search and an erase that cannot fail.
///
/// `T` is what it holds ([`Entry`]: boxes, arcs, references, non-zero integers, `()`), `L` whether it tracks gaps
/// ([`Gaps`], [`NoGaps`](crate::NoGaps)), `A` where nodes come from ([`NodeAlloc`]).
///
/// | operation | node visits | allocates |
/// | --- | --- | --- |
/// | [`get`](Self::get), [`get_entry`](Self::get_entry) | height | never |
/// | [`insert`](Self::insert) | O(height), about 4 per level on average | only if a leaf is full: 1 leaf, and 1 branch per full level above it |
/// | [`store`](Self::store), [`clear_range`](Self::clear_range) | O((1 + k) height) for k entries that go | as an insertion; never if something lies wholly in the range |
/// | [`replace`](Self::replace) | height | never |
/// | [`erase`](Self::erase), [`unreserve`](Self::unreserve) | O(height), about 5 per level on average | never, and cannot fail |
/// | [`find_gap`](Self::find_gap) | O(height), at most 2 per level without a window, for natural requests and alignment 1 | never |
/// | a step of an iterator that leaves entries where they are, or of a [`Cursor`](crate::Cursor) | O(1), once per leaf O(height) | never |
/// | a step of one that takes them out, or of a [`CursorMut`](crate::CursorMut) | O(height) | never |
/// | [`union`](Self::union), [`intersection`](Self::intersection), ... | O(n + m) in all | never |
/// | [`extend_sorted`](Self::extend_sorted) | less than 3 per entry | the nodes that the tree then has, full ones |
/// | [`try_clone`](Self::try_clone) | 4 per node | as many nodes as there are |
/// | [`compact`](Self::compact) | all nodes, a few times | never, and cannot fail |
///
/// A walk goes from the root to a leaf: it visits as many nodes as the tree is high. The height is O(log n): 5
/// for 100 000 entries, 6 for a million. A test counts visits up to a million entries, in adversarial orders;
/// see "Complexity" in `docs/design.md`. A step to an entry passes over the reserved ranges before it one by
/// one, each at the cost of a step; n and m count them, too. No operation panics, whatever its arguments are,
/// unless code of yours that it calls does (the drop of a value, a predicate).
///
/// ```
/// use maple_tree::{Direction, GapRequest, IndexRange, MapleTree};
///
/// let mut tree: MapleTree<Box<&str>> = MapleTree::new();
/// tree.insert(0x1000..0x2000, Box::new("code"))?;
/// tree.insert(0x4000..=0x4fff, Box::new("stack"))?;
/// assert_eq!(tree.get(0x1800), Some(&"code"));
///
/// let request = GapRequest::new(..0x10000, 0x1000, 0x1000, Direction::BottomUp)?;
/// assert_eq!(tree.find_gap(&request), IndexRange::new(0, 0xfff));
///
/// let (range, value) = tree.erase(0x1000).ok_or("nothing there")?;
/// assert_eq!((range.last(), *value), (0x1fff, "code"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MapleTree<T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    raw: RawTree<L, A>,
    values: PhantomData<T>,
}

impl<T: Entry, L: Layout> MapleTree<T, L> {
    /// An empty tree. Allocates nothing.
    ///
    /// ```
    /// use maple_tree::MapleTree;
    ///
    /// static TAKEN: MapleTree<()> = MapleTree::new();
    /// assert!(TAKEN.is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self::new_in(Global)
    }

    /// An empty tree whose index space is just `bounds`. Allocates nothing.
    ///
    /// What lies outside is neither free nor taken: it does not exist, and costs nothing in a search. A tree for
    /// a device that can address 48 bits, say, finds a gap below 2^48 in fewer steps than one over all of `u64`.
    ///
    /// ```
    /// use maple_tree::{IndexRange, InsertErrorKind, MapleTree};
    ///
    /// let bounds = IndexRange::new(1, 99).ok_or("empty")?;
    /// let mut tree: MapleTree<()> = MapleTree::bounded(bounds);
    /// assert_eq!(tree.gaps().collect::<Vec<_>>(), [bounds]);
    /// let error = tree.insert(90..110, ()).unwrap_err();
    /// assert_eq!(error.kind, InsertErrorKind::OutOfBounds { bounds });
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub const fn bounded(bounds: IndexRange) -> Self {
        Self::bounded_in(bounds, Global)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// An empty tree that takes its nodes from `alloc`. Allocates nothing.
    /// An allocator may be passed by reference, to be shared by several trees.
    ///
    /// ```
    /// use maple_tree::{Gaps, Global, MapleTree};
    ///
    /// let nodes = Global;
    /// let mut tree: MapleTree<(), Gaps, &Global> = MapleTree::new_in(&nodes);
    /// tree.insert(10..20, ())?;
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use]
    pub const fn new_in(alloc: A) -> Self {
        Self::bounded_in(IndexRange::FULL, alloc)
    }

    /// An empty tree whose index space is just `bounds` and that takes its nodes from `alloc`; see
    /// [`bounded`](Self::bounded). Allocates nothing.
    ///
    /// ```
    /// use maple_tree::{Gaps, Global, IndexRange, MapleTree};
    ///
    /// let bounds = IndexRange::new(1, 99).ok_or("empty")?;
    /// let tree: MapleTree<(), Gaps, Global> = MapleTree::bounded_in(bounds, Global);
    /// assert_eq!(tree.bounds(), bounds);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub const fn bounded_in(bounds: IndexRange, alloc: A) -> Self {
        Self { raw: RawTree::new(bounds, alloc), values: PhantomData }
    }

    /// The index space of the tree: the bounds that it was given, or `0..=u64::MAX`. O(1).
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let tree: MapleTree<()> = MapleTree::new();
    /// assert_eq!(tree.bounds(), IndexRange::FULL);
    /// ```
    #[must_use]
    pub fn bounds(&self) -> IndexRange {
        self.raw.bounds()
    }

    /// Where the tree's nodes come from. O(1).
    ///
    /// ```
    /// # use maple_tree::{Gaps, MapleTree};
    /// let tree: MapleTree<()> = MapleTree::new();
    /// // A second tree with nodes from the same place.
    /// let other: MapleTree<Box<u8>, Gaps, _> = MapleTree::new_in(tree.allocator());
    /// assert!(other.is_empty());
    /// ```
    pub fn allocator(&self) -> &A {
        self.raw.memory().alloc()
    }

    /// How many entries the tree holds. Reserved ranges do not count. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// tree.reserve(20..30)?;
    /// assert_eq!(tree.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.entries()
    }

    /// Whether the tree holds no entry. It has no nodes then, unless ranges are reserved. O(1).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// tree.erase(10);
    /// assert!(tree.is_empty());
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`. One walk, allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// assert_eq!((tree.get(19), tree.get(20)), (Some(&7), None));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    #[inline]
    pub fn get(&self, index: u64) -> Option<T::Borrowed<'_>> {
        self.raw.get(index).map(|word| self.lend(word))
    }

    /// The range and the value of the entry at `index`. One walk, allocates nothing.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.get_entry(15).map(|(range, _)| range), IndexRange::new(10, 19));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn get_entry(&self, index: u64) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let found = self.raw.find(index)?;
        Some((found.range, self.lend(found.word?)))
    }

    /// What lies at `index`, and how far: an entry, a reserved range, or a gap with its whole extent. Outside of the
    /// tree's bounds there is nothing.
    ///
    /// One walk, and for a gap a step of a cursor to either side (`mas_walk` of the kernel). Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::{Content, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.extent(15), IndexRange::new(10, 19).map(|range| (range, Content::Entry(()))));
    /// assert_eq!(tree.extent(5), IndexRange::new(0, 9).map(|range| (range, Content::Gap)));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn extent(&self, index: u64) -> Option<(IndexRange, Content<T::Borrowed<'_>>)> {
        self.cursor_at(index).current()
    }

    /// The entries in order of their ranges, from either end.
    ///
    /// A step is O(1), once per leaf O(height), for each reserved range that it passes over as well. Allocates
    /// nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(30..40, Box::new('b'))?;
    /// tree.insert(10..20, Box::new('a'))?;
    /// let values: String = tree.iter().map(|(_, value)| value).collect();
    /// assert_eq!(values, "ab");
    /// assert_eq!(tree.iter().next_back().map(|(range, _)| range.first()), Some(30));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, T, L, A> {
        Iter::new(self)
    }

    /// The entries that overlap `window`, in order, from either end. Those at its edges may reach beyond it.
    ///
    /// O(height) node visits to begin at either end, then as for [`iter`](Self::iter); an empty window has no
    /// entries. Allocates nothing.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// tree.insert(30..40, Box::new('b'))?;
    /// tree.insert(50..60, Box::new('c'))?;
    /// let values: String = tree.range(15..=30).map(|(_, value)| value).collect();
    /// assert_eq!(values, "ab");
    /// assert_eq!(tree.range(..35).next_back().map(|(_, value)| *value), Some('b'));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn range(&self, window: impl RangeBounds<u64>) -> Range<'_, T, L, A> {
        Range::new(self, self.within_bounds(window))
    }

    pub(crate) fn within_bounds(&self, window: impl RangeBounds<u64>) -> Option<IndexRange> {
        IndexRange::from_bounds(window)?.intersection(self.bounds())
    }

    pub(crate) fn raw(&self) -> &RawTree<L, A> {
        &self.raw
    }

    pub(crate) fn raw_mut(&mut self) -> &mut RawTree<L, A> {
        &mut self.raw
    }
}
