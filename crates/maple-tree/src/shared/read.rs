//! Reading a shared tree.
#![expect(unsafe_code, reason = "lends out values that a writer may take out meanwhile")]

use core::fmt;
use core::ops::RangeBounds;

use lock_api::RawMutex;

use super::{ReadCursor, ReadRange, SharedMapleTree};
use crate::alloc::NodeAlloc;
use crate::entry::{Entry, Held};
use crate::map::words;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Toward;
use crate::raw::shared::Reading;
use crate::reclaim::Reclaim;

/// A reader of a shared tree; made by [`SharedMapleTree::read`].
///
/// What it finds it may look at as long as the guard is there. Each call sees the tree as it is then: two calls may see
/// different things. [`get`](Self::get) and [`get_entry`](Self::get_entry) are linearizable: they answer what was true at one
/// moment between call and return. [`find`](Self::find), iterators and cursors are weakly consistent: see [`range`](Self::range).
pub struct ReadGuard<'t, T: Entry, R: RawMutex, G: Reclaim + 't, L: Layout, A: NodeAlloc> {
    tree: &'t SharedMapleTree<T, R, G, L, A>,
    _pinned: G::Guard<'t>,
}

impl<'t, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> ReadGuard<'t, T, R, G, L, A> {
    #[inline]
    pub(super) fn new(tree: &'t SharedMapleTree<T, R, G, L, A>, pinned: G::Guard<'t>) -> Self {
        Self { tree, _pinned: pinned }
    }

    #[inline]
    pub(super) fn reading(&self) -> Reading<'_, L> {
        let published = &self.tree.published;
        // SAFETY: this borrows the guard, so the reader is there during that time. Nodes that were linked at its beginning
        // or later are given back after a grace period that waits for it (S4).
        Reading::new(unsafe { published.root.pinned() }, published.bounds)
    }

    /// Lends out a value that this reader found.
    #[inline]
    pub(super) fn lend(&self, word: Held) -> T::Borrowed<'_> {
        // SAFETY: by V1 the word was made from a `T`. It was in the tree while this reader was there, so it is taken back
        // after a grace period that waits for it (S4). A shared tree lends no value to be changed.
        unsafe { words::lend_unbound::<T>(word) }
    }

    /// The value at `index`. One walk: takes no lock, does not wait, allocates nothing.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new(7))?;
    /// let reader = tree.read();
    /// assert_eq!((reader.get(19), reader.get(20)), (Some(&7), None));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    #[inline]
    pub fn get(&self, index: u64) -> Option<T::Borrowed<'_>> {
        self.reading().get(index).map(|word| self.lend(word))
    }

    /// The range and the value of the entry at `index`, which belong together. One walk.
    ///
    /// ```
    /// # use maple_tree::IndexRange;
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<(), spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, ())?;
    /// assert_eq!(tree.read().get_entry(15).map(|(range, ())| range), IndexRange::new(10, 19));
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn get_entry(&self, index: u64) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let (range, word) = self.reading().find(index)?;
        Some((range, self.lend(word)))
    }

    /// The first entry in a direction that lies wholly within `range`, which reaches to the end of all indices there.
    pub(super) fn entry_from(
        &self,
        range: IndexRange,
        toward: Toward,
    ) -> Option<(IndexRange, T::Borrowed<'_>)> {
        let (range, word) = self.reading().entry_from(toward.near_edge(range), toward)?;
        Some((range, self.lend(word)))
    }

    /// The first entry that ends at or after `index` (the kernel's `mt_find`): the first step of [`range`](Self::range).
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<(), spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, ())?;
    /// assert_eq!(tree.read().find(5).map(|(range, ())| range.first()), Some(10));
    /// assert_eq!(tree.read().find(20), None);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn find(&self, index: u64) -> Option<(IndexRange, T::Borrowed<'_>)> {
        self.range(index..).next()
    }

    /// The entries in order of their ranges; see [`range`](Self::range).
    pub fn iter(&self) -> ReadRange<'_, 't, T, R, G, L, A> {
        self.range(..)
    }

    /// The entries that overlap `window`, in order, from either end. Those at its edges may reach beyond it.
    ///
    /// Weakly consistent: ranges come in strictly ascending order and do not overlap. An entry that is there from the call to the
    /// end comes exactly once, one that is never there in that time does not come, one that comes or goes may. A step is
    /// O(1), once per leaf O(height); takes no lock, does not wait, allocates nothing.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<char>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new('a'))?;
    /// tree.write().insert(30..40, Box::new('b'))?;
    /// let reader = tree.read();
    /// let values: String = reader.range(15..).map(|(_, value)| value).collect();
    /// assert_eq!(values, "ab");
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn range(&self, window: impl RangeBounds<u64>) -> ReadRange<'_, 't, T, R, G, L, A> {
        let window =
            IndexRange::from_bounds(window).and_then(|window| window.intersection(self.tree.bounds()));
        ReadRange::new(self, window)
    }

    /// A cursor that stands at `index`.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<char>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new('a'))?;
    /// tree.write().insert(30..40, Box::new('b'))?;
    /// let reader = tree.read();
    /// let mut cursor = reader.cursor_at(25);
    /// assert_eq!(cursor.current(), None);
    /// assert_eq!(cursor.next_entry().map(|(_, value)| *value), Some('b'));
    /// assert_eq!(cursor.prev_entry().map(|(_, value)| *value), Some('a'));
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn cursor_at(&self, index: u64) -> ReadCursor<'_, 't, T, R, G, L, A> {
        ReadCursor::new(self, index)
    }

    /// A cursor before the first entry.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<(), spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(0..20, ())?;
    /// let reader = tree.read();
    /// assert!(reader.cursor_front().next_entry().is_some());
    /// assert!(reader.cursor_back().prev_entry().is_some());
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn cursor_front(&self) -> ReadCursor<'_, 't, T, R, G, L, A> {
        ReadCursor::before(self)
    }

    /// A cursor after the last entry.
    pub fn cursor_back(&self) -> ReadCursor<'_, 't, T, R, G, L, A> {
        ReadCursor::after(self)
    }

    /// The index space of the tree.
    #[must_use]
    pub fn bounds(&self) -> IndexRange {
        self.tree.bounds()
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug for ReadGuard<'_, T, R, G, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadGuard").field("bounds", &self.bounds()).finish_non_exhaustive()
    }
}
