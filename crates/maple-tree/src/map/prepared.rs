//! A write that was prepared where memory may be waited for, and cannot fail any more.

use core::fmt;
use core::mem;
use core::ops::RangeBounds;

use super::MapleTree;
use super::words::{keep, look_at, take_back};
use crate::alloc::{AllocMode, Global, NodeAlloc};
use crate::entry::Entry;
use crate::error::InsertErrorKind;
use crate::node::{Gaps, Layout};
use crate::range::IndexRange;
use crate::raw::{Found, PreparedStore};

/// A write over one range that has all the memory that it needs: it is infallible by type.
///
/// Forgetting it ([`core::mem::forget`]) leaks the nodes, and changes nothing in the tree.
///
/// Made by [`MapleTree::prepare_insert`] and [`MapleTree::prepare_store`], used once, by
/// [`store`](Self::store), [`reserve`](Self::reserve) or [`clear`](Self::clear). It borrows the tree, so
/// nothing can come between. Nodes that are not needed, or all if it is dropped, go back. The kernel has
/// `mas_preallocate`, `mas_store_prealloc` and `mas_destroy` for this. To use it takes O((1 + k) height) node
/// visits for k entries and reserved ranges that go.
///
/// ```
/// use maple_tree::{AllocMode, MapleTree};
///
/// let mut mappings: MapleTree<Box<&str>> = MapleTree::new();
/// // Memory may be waited for here, and failing is simple: nothing has happened yet.
/// let prepared = mappings.prepare_insert(0x1000..0x2000, AllocMode::Normal)?;
/// // ... write the page tables, tell the device ...
/// prepared.store(Box::new("buffer")); // Cannot fail.
/// assert_eq!(mappings.get(0x1000), Some(&"buffer"));
/// # Ok::<(), maple_tree::InsertErrorKind>(())
/// ```
#[must_use = "a prepared write does nothing until it is used"]
pub struct Prepared<'a, T: Entry, L: Layout = Gaps, A: NodeAlloc = Global> {
    tree: &'a mut MapleTree<T, L, A>,
    range: IndexRange,
    /// There until it is used.
    store: Option<PreparedStore<L>>,
    /// The second value of an entry that the range is cut out of.
    duplicate: Option<T>,
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Prepares an insertion over `range`, all of which must be free: gets the memory that it needs.
    ///
    /// O(height) node visits. Allocates what an [`insert`](Self::insert) does, which may be nothing.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let prepared = tree.prepare_insert(10..20, AllocMode::Normal)?;
    /// drop(prepared);
    /// assert_eq!(tree.stats().node_bytes, 0);
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn prepare_insert(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<Prepared<'_, T, L, A>, InsertErrorKind> {
        let range = self.checked(range)?;
        let store = self.raw.prepare_insert_as_store(range, mode)?;
        Ok(Prepared::new(self, store))
    }

    /// Prepares a store over `range`, whatever is there: gets the memory that it needs, and clones the value of an entry
    /// that the range is cut out of.
    ///
    /// O(height) node visits. Allocates what a [`store`](Self::store) does, which may be nothing.
    ///
    /// # Errors
    ///
    /// As for [`store`](Self::store).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..100, Box::new('a'))?;
    /// let prepared = tree.prepare_store(40..60, AllocMode::Normal)?;
    /// prepared.clear();
    /// assert_eq!((tree.get(39), tree.get(40), tree.get(60)), (Some(&'a'), None, Some(&'a')));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare_store(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<Prepared<'_, T, L, A>, InsertErrorKind>
    where
        T: Clone,
    {
        self.prepare_store_split(range, mode, |_, value| Some(value.clone()))
    }

    /// Like [`prepare_store`](Self::prepare_store) for values that cannot be cloned, or not just so.
    ///
    /// Where the range cuts an entry in two, its value stays on the left, and `split` makes one for the right part: it gets
    /// the range of that part and the value. It is called at most once, and before anything is changed.
    ///
    /// # Errors
    ///
    /// As for [`store`](Self::store), and [`NotSplit`](InsertErrorKind::NotSplit) if `split` returns nothing.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, InsertErrorKind, MapleTree};
    /// /// A file mapping that begins at this offset.
    /// #[derive(Debug, PartialEq)]
    /// struct Mapping(u64);
    ///
    /// let mut mappings: MapleTree<Box<Mapping>> = MapleTree::new();
    /// mappings.insert(100..200, Box::new(Mapping(0)))?;
    /// let hole = mappings.prepare_store_split(140..160, AllocMode::Normal, |right, mapping| {
    ///     Some(Box::new(Mapping(mapping.0 + right.first() - 100)))
    /// })?;
    /// hole.clear();
    /// assert_eq!(mappings.get(100), Some(&Mapping(0)));
    /// assert_eq!(mappings.get(160), Some(&Mapping(60)));
    ///
    /// let refused = mappings.prepare_store_split(110..120, AllocMode::Normal, |_, _| None);
    /// assert!(matches!(refused, Err(InsertErrorKind::NotSplit { .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare_store_split(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        split: impl FnOnce(IndexRange, &T) -> Option<T>,
    ) -> Result<Prepared<'_, T, L, A>, InsertErrorKind> {
        let range = self.checked(range)?;
        let store = self.raw.prepare_store(range, mode)?;
        Prepared::new(self, store).split(split)
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> Prepared<'a, T, L, A> {
    pub(super) fn new(tree: &'a mut MapleTree<T, L, A>, store: PreparedStore<L>) -> Self {
        Self { tree, range: store.range(), store: Some(store), duplicate: None }
    }

    /// Makes the second value of an entry that is cut in two, if one is. Until then it has just the one.
    pub(super) fn split(
        mut self,
        split: impl FnOnce(IndexRange, &T) -> Option<T>,
    ) -> Result<Self, InsertErrorKind> {
        let Some(store) = self.store.as_mut() else { return Ok(self) };
        let Some(word) = store.duplicate().and_then(|word| *word) else { return Ok(self) };
        let parts = store.divided().and_then(|entry| {
            let right = store.range().after()?.intersection(entry)?;
            Some((entry, right))
        });
        if let Some((entry, right)) = parts {
            self.duplicate = look_at(word, |value| split(right, value));
            if self.duplicate.is_none() {
                return Err(InsertErrorKind::NotSplit { entry });
            }
        }
        Ok(self)
    }

    /// The range that is to be written. O(1).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, IndexRange, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let prepared = tree.prepare_insert(10..20, AllocMode::Normal)?;
    /// assert_eq!(Some(prepared.range()), IndexRange::new(10, 19));
    /// prepared.store(());
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn range(&self) -> IndexRange {
        self.range
    }

    /// The tree, to be read before the write.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let prepared = tree.prepare_store(10..20, AllocMode::Normal)?;
    /// let next = prepared.tree().get(10).map_or(0, |value| value + 1);
    /// prepared.store(Box::new(next));
    /// assert_eq!(tree.get(10), Some(&2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tree(&self) -> &MapleTree<T, L, A> {
        self.tree
    }

    /// Stores `value` over the range; drops the entries that lie wholly in it. Allocates nothing and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.prepare_insert(10..20, AllocMode::Normal)?.store(Box::new(1));
    /// assert_eq!(tree.get(15), Some(&1));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn store(self, value: T) {
        self.store_each(value, |_, _| ());
    }

    /// Stores `value` over the range, and passes the entries that lay wholly in it to `displaced`, in order.
    /// Should that panic, the store is completed all the same, and the other entries are dropped. Allocates
    /// nothing and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// let mut displaced = String::new();
    /// let prepared = tree.prepare_store(0..100, AllocMode::Normal)?;
    /// prepared.store_each(Box::new('b'), |_, value| displaced.push(*value));
    /// assert_eq!((displaced.as_str(), tree.len()), ("a", 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store_each(mut self, value: T, displaced: impl FnMut(IndexRange, T)) {
        if let Some(store) = self.take() {
            let word = Some(keep(value));
            self.tree.raw.commit_store(store, word, values(displaced));
        }
    }

    /// Takes the range without a value: see [`MapleTree::reserve`]. Drops the entries that lie wholly in it.
    /// Allocates nothing and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, Content, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// tree.prepare_insert(10..20, AllocMode::Normal)?.reserve();
    /// assert_eq!(tree.extent(15).map(|(_, content)| content), Some(Content::Reserved));
    /// # Ok::<(), maple_tree::InsertErrorKind>(())
    /// ```
    pub fn reserve(mut self) {
        if let Some(store) = self.take() {
            self.tree.raw.commit_store(store, None, values(|_, value: T| drop(value)));
        }
    }

    /// Frees the range: see [`MapleTree::clear_range`]. Drops the entries that lie wholly in it. Allocates
    /// nothing and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(0..100, Box::new(1))?;
    /// tree.prepare_store(50.., AllocMode::Normal)?.clear();
    /// assert_eq!((tree.get(49), tree.get(50)), (Some(&1), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear(self) {
        self.clear_each(|_, _| ());
    }

    /// Frees the range, and passes the entries that lay wholly in it to `cleared`, in order. Should that panic,
    /// the range is cleared all the same, and the other entries are dropped. Allocates nothing and cannot fail.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(10..20, Box::new('a'))?;
    /// let mut cleared = String::new();
    /// tree.prepare_store(.., AllocMode::Normal)?.clear_each(|_, value| cleared.push(*value));
    /// assert_eq!((cleared.as_str(), tree.len()), ("a", 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_each(mut self, cleared: impl FnMut(IndexRange, T)) {
        if let Some(store) = self.take() {
            self.tree.raw.commit_clear(store, values(cleared));
        }
    }

    /// The raw store, which owns the second value of an entry that is cut in two from now on.
    fn take(&mut self) -> Option<PreparedStore<L>> {
        let mut store = self.store.take()?;
        if let (Some(word), Some(value)) = (store.duplicate(), self.duplicate.take()) {
            *word = Some(keep(value));
        }
        Some(store)
    }
}

/// Turns what the raw tree passes on into values. Once the receiver has panicked it gets no more; the rest is dropped.
pub(super) fn values<T: Entry>(mut receive: impl FnMut(IndexRange, T)) -> impl FnMut(Found) {
    let mut panicked = false;
    move |found| {
        let Some(word) = found.word else { return };
        let value = take_back(word);
        if !mem::replace(&mut panicked, true) {
            receive(found.range, value);
            panicked = false;
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> Drop for Prepared<'_, T, L, A> {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            store.release(&mut self.tree.raw);
        }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for Prepared<'_, T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("range", &self.range).finish_non_exhaustive()
    }
}
