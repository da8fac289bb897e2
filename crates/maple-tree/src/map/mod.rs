//! The typed tree: [`MapleTree`].
#![expect(unsafe_code, reason = "turns the words of the raw tree into values and back")]

mod gaps;
mod inspect;

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::RangeBounds;

use crate::alloc::{AllocMode, Global, NodeAlloc};
use crate::entry::{Entry, Held};
use crate::error::{InsertError, InsertErrorKind};
use crate::iter::{Iter, Range};
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::{InsertFailure, RawTree};

/// A map from disjoint ranges of `u64` indices to values, with exact gap search and an erase that cannot fail.
///
/// `T` is what it holds ([`Entry`]: boxes, arcs, references, non-zero integers, `()`), `L` whether it tracks gaps
/// ([`Gaps`], [`NoGaps`](crate::NoGaps)), `A` where nodes come from ([`NodeAlloc`]).
///
/// | operation | node visits | allocates |
/// | --- | --- | --- |
/// | [`get`](Self::get), [`get_entry`](Self::get_entry) | height | never |
/// | [`insert`](Self::insert) | O(height), about 4 per level on average | only if a leaf is full: 1 leaf, and 1 branch per full level above it |
/// | [`erase`](Self::erase) | O(height), about 5 per level on average | never, and cannot fail |
/// | [`find_gap`](Self::find_gap) | O(height), at most 2 per level without a window, for natural requests and alignment 1 | never |
/// | a step of an iterator | O(1), once per leaf O(height) | never |
///
/// The height is O(log n): 5 for 100 000 entries, 6 for a million. A test counts visits up to a million entries, in
/// adversarial orders; see "Complexity" in `docs/design.md`. No operation panics, whatever its arguments are,
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
    pub const fn bounded(bounds: IndexRange) -> Self {
        Self::bounded_in(bounds, Global)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// An empty tree that takes its nodes from `alloc`. Allocates nothing.
    pub const fn new_in(alloc: A) -> Self {
        Self::bounded_in(IndexRange::FULL, alloc)
    }

    /// An empty tree whose index space is just `bounds` and that takes its nodes from `alloc`; see
    /// [`bounded`](Self::bounded). Allocates nothing.
    pub const fn bounded_in(bounds: IndexRange, alloc: A) -> Self {
        Self { raw: RawTree::new(bounds, alloc), values: PhantomData }
    }

    /// The index space of the tree: the bounds that it was given, or `0..=u64::MAX`.
    pub fn bounds(&self) -> IndexRange {
        self.raw.bounds()
    }

    /// Where the tree's nodes come from.
    pub fn allocator(&self) -> &A {
        self.raw.memory().alloc()
    }

    /// How many entries the tree holds.
    pub fn len(&self) -> usize {
        self.raw.entries()
    }

    /// Whether the tree holds no entry. It has no nodes then.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`.
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

    /// The range and the value of the entry at `index`.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.get_entry(15).map(|(range, _)| range), IndexRange::new(10, 19));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn get_entry(&self, index: u64) -> Option<(IndexRange, T::Borrowed<'_>)> {
        self.raw.entry(index).map(|found| (found.range, self.lend(found.word)))
    }

    /// What lies at `index`: the range and the value of an entry, or the extent of the gap and `None`. Outside of
    /// the tree's bounds there is neither.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.insert(10..20, ())?;
    /// assert_eq!(tree.extent(15), IndexRange::new(10, 19).map(|range| (range, Some(()))));
    /// assert_eq!(tree.extent(5), IndexRange::new(0, 9).map(|range| (range, None)));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn extent(&self, index: u64) -> Option<(IndexRange, Option<T::Borrowed<'_>>)> {
        if let Some((range, value)) = self.get_entry(index) {
            return Some((range, Some(value)));
        }
        Some((self.raw.gap_at(index)?, None))
    }

    /// Stores `value` over `range`, all of which must be free; memory may be waited for.
    ///
    /// Allocates only if the tree is empty or the leaf that takes the entry is full (an entry takes up to three slots
    /// of the gap that it divides) and no leaf beside it under the same branch has four slots left.
    ///
    /// # Errors
    ///
    /// An entry is in the way, there is no node memory, or the range is empty or out of bounds. The tree is as it was, to the last
    /// slot, and the error has the value.
    ///
    /// ```
    /// use maple_tree::{IndexRange, InsertErrorKind, MapleTree};
    ///
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let error = tree.insert(15.., Box::new(2)).unwrap_err();
    /// assert_eq!(*error.value, 2);
    /// assert_eq!(Some(error.kind), IndexRange::new(10, 19).map(|by| InsertErrorKind::Occupied { by }));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn insert(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.insert_with(range, value, AllocMode::Normal)
    }

    /// Like [`insert`](Self::insert), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn insert_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
    ) -> Result<(), InsertError<T>> {
        let Some(range) = IndexRange::from_bounds(range) else {
            return Err(InsertError { value, kind: InsertErrorKind::EmptyRange });
        };
        let bounds = self.bounds();
        if !bounds.contains_range(range) {
            return Err(InsertError { value, kind: InsertErrorKind::OutOfBounds { bounds } });
        }
        let word = value.into_word();
        self.raw.insert(range, Held(word), mode).map_err(|failure| InsertError {
            // SAFETY: the word was made above from a `T`, and the tree did not take it.
            value: unsafe { T::from_word(word) },
            kind: match failure {
                InsertFailure::Occupied(by) => InsertErrorKind::Occupied { by },
                InsertFailure::NoMemory(error) => InsertErrorKind::NodeMemory(error),
            },
        })
    }

    /// Takes out the entry that covers `index`, all of it: its range and its value, or `None` if `index` is free.
    ///
    /// Never allocates and cannot fail. The range is free at once: the next gap search sees it, joined with what
    /// is free beside it. May give nodes back to the allocator.
    ///
    /// ```
    /// # use maple_tree::{IndexRange, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// let (range, value) = tree.erase(12).expect("there is an entry");
    /// assert_eq!((Some(range), *value), (IndexRange::new(10, 19), 7));
    /// assert!(tree.erase(12).is_none());
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase(&mut self, index: u64) -> Option<(IndexRange, T)> {
        self.erase_if(index, |_, _| true)
    }

    /// Takes out the entry that covers `index` if `wanted` says so of its range and value; else changes nothing.
    ///
    /// Like [`erase`](Self::erase) in one walk with a look at what is to be erased. Never allocates and cannot fail.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(7))?;
    /// assert!(tree.erase_if(12, |range, _| range.first() == 12).is_none());
    /// assert!(tree.erase_if(10, |range, value| range.first() == 10 && **value == 7).is_some());
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn erase_if(
        &mut self,
        index: u64,
        wanted: impl FnOnce(IndexRange, &T) -> bool,
    ) -> Option<(IndexRange, T)> {
        let found = self.raw.erase_if(index, |found| {
            // SAFETY: the tree holds this word, so it came from `into_word` of a `T`. Nothing is borrowed, since the
            // tree is borrowed exclusively. The value is forgotten, also should `wanted` panic.
            let value = ManuallyDrop::new(unsafe { T::from_word(found.word.0) });
            wanted(found.range, &value)
        })?;
        // SAFETY: the tree held this word, so it came from `into_word` of a `T`; it holds it no more.
        Some((found.range, unsafe { T::from_word(found.word.0) }))
    }

    /// Replaces the value of the entry that covers `index`; its range stays. Returns the old value, or `value` as an
    /// error if `index` is free.
    ///
    /// Never allocates.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// assert_eq!(tree.replace(15, Box::new(2)), Ok(Box::new(1)));
    /// assert_eq!(tree.replace(20, Box::new(3)), Err(Box::new(3)));
    /// assert_eq!(tree.get(10), Some(&2));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The value that was not stored.
    pub fn replace(&mut self, index: u64, value: T) -> Result<T, T> {
        let word = value.into_word();
        let replaced = self.raw.replace(index, Held(word));
        // SAFETY: this is either the old word, which the tree does not hold any more, or the new one, which it did
        // not take. Both came from `into_word` of a `T`.
        let value = unsafe { T::from_word(replaced.map_or(word, |old| old.0)) };
        if replaced.is_some() { Ok(value) } else { Err(value) }
    }

    /// Takes out and drops all entries and gives all nodes back. O(n), allocates nothing.
    pub fn clear(&mut self) {
        // SAFETY: as in `erase`: each word is passed on once, when the tree does not hold it any more.
        self.raw.clear(|word| drop(unsafe { T::from_word(word.0) }));
    }

    /// The entries in order of their ranges, from either end.
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
    /// O(height) node visits to begin at either end; an empty window has no entries.
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

    fn within_bounds(&self, window: impl RangeBounds<u64>) -> Option<IndexRange> {
        IndexRange::from_bounds(window)?.intersection(self.bounds())
    }

    pub(crate) fn raw(&self) -> &RawTree<L, A> {
        &self.raw
    }

    /// Lends out a value while the tree is borrowed.
    pub(crate) fn lend(&self, word: Held) -> T::Borrowed<'_> {
        // SAFETY: `word` is in this tree, so it came from `into_word` of a `T`; it is taken out only through
        // `&mut self`, which waits for the borrow to end.
        unsafe { T::borrow(word.0) }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> Drop for MapleTree<T, L, A> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc + Default> Default for MapleTree<T, L, A> {
    fn default() -> Self {
        Self::new_in(A::default())
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> IntoIterator for &'a MapleTree<T, L, A> {
    type Item = (IndexRange, T::Borrowed<'a>);
    type IntoIter = Iter<'a, T, L, A>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The ranges of the entries. Values are not printed: to ask that of all of `T::Borrowed<'_>` would exclude types
/// with lifetimes.
impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for MapleTree<T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(range, _)| range)).finish()
    }
}
