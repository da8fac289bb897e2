//! Storing over whatever is there, and clearing a range.

use core::ops::RangeBounds;

use super::MapleTree;
use super::prepared::{Prepared, values};
use super::words::{keep, take_back};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{InsertError, InsertErrorKind};
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: Entry + Clone, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Stores `value` over all of `range`, whatever is there; memory may be waited for.
    ///
    /// Entries that lie wholly in the range are dropped. One that sticks out keeps what lies outside; if it sticks out
    /// on both sides, its value stays on the left and a clone of it gets the right part. Reserved ranges are
    /// overwritten likewise. The clone is made before anything is changed; if that takes memory (as for a `Box`), it is
    /// taken as the type does it. To choose the value of the right part, or for types that are not `Clone`, there is
    /// [`prepare_store_split`](Self::prepare_store_split). An entry that loses its front keeps its value as it is.
    ///
    /// A whole entry (or reserved range) in the range gives its slot to the new one, so overwriting needs no memory then.
    /// Else it may take the nodes of one insertion: 1 leaf, if that is full, and 1 branch per full level
    /// above it. O((1 + k) height) node visits for k entries and reserved ranges that go.
    ///
    /// # Errors
    ///
    /// There is no node memory, or the range is empty or out of bounds. The tree holds what it held, and the
    /// error has the value. It is never [`Occupied`](crate::InsertErrorKind::Occupied).
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..100, Box::new('a'))?;
    /// tree.store(40..60, Box::new('b'))?;
    /// tree.store(50..=69, Box::new('c'))?;
    /// let entries: Vec<String> = tree.iter().map(|(range, value)| format!("{range:?} {value}")).collect();
    /// assert_eq!(entries, ["0..=39 a", "40..=49 b", "50..=69 c", "70..=99 a"]);
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn store(&mut self, range: impl RangeBounds<u64>, value: T) -> Result<(), InsertError<T>> {
        self.store_with(range, value, AllocMode::Normal, |_, _| ())
    }

    /// Like [`store`](Self::store), with the choice whether node memory may be waited for; passes the entries that lay
    /// wholly in the range to `displaced`, in order. Should that panic, the store is completed all the same, and the other
    /// entries are dropped.
    ///
    /// # Errors
    ///
    /// As for [`store`](Self::store).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..10, Box::new('a'))?;
    /// tree.insert(10..20, Box::new('b'))?;
    /// let mut displaced = String::new();
    /// tree.store_with(5..20, Box::new('c'), AllocMode::Atomic, |_, value| displaced.push(*value))?;
    /// assert_eq!(displaced, "b");
    /// # Ok::<(), maple_tree::InsertError<Box<char>>>(())
    /// ```
    pub fn store_with(
        &mut self,
        range: impl RangeBounds<u64>,
        value: T,
        mode: AllocMode,
        displaced: impl FnMut(IndexRange, T),
    ) -> Result<(), InsertError<T>> {
        let range = match self.checked(range) {
            Ok(range) => range,
            Err(kind) => return Err(InsertError { value, kind }),
        };
        let word = keep(value);
        if let Some(stored) = self.raw.store_directly(range, Some(word)) {
            if let Some(found) = stored {
                values(displaced)(found);
            }
            return Ok(());
        }
        let value = take_back(word);
        match self.prepare_store(range, mode) {
            Ok(prepared) => {
                prepared.store_each(value, displaced);
                Ok(())
            }
            Err(kind) => Err(InsertError { value, kind }),
        }
    }

    /// Frees all of `range`, as far as it lies within the bounds: storing the kernel's `NULL` over it. Memory may be
    /// waited for.
    ///
    /// Entries that lie wholly in the range are dropped, and reserved ranges freed. One that sticks out keeps what lies
    /// outside, as with [`store`](Self::store). Without such a one this needs no memory and cannot fail, nor does it if
    /// anything lies wholly in the range. Else it may take the nodes of one insertion, though mostly not where a gap adjoins
    /// what is cut off, which only becomes larger. O((1 + k) height) node visits for k entries and reserved ranges that go.
    ///
    /// # Errors
    ///
    /// There is no node memory. Then nothing was cleared.
    ///
    /// ```
    /// # use maple_tree::MapleTree;
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..100, Box::new('a'))?;
    /// tree.clear_range(40..60)?;
    /// let entries: Vec<String> = tree.iter().map(|(range, value)| format!("{range:?} {value}")).collect();
    /// assert_eq!(entries, ["0..=39 a", "60..=99 a"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_range(&mut self, range: impl RangeBounds<u64>) -> Result<(), AllocError> {
        self.clear_range_with(range, AllocMode::Normal, |_, _| ())
    }

    /// Like [`clear_range`](Self::clear_range), with the choice whether node memory may be waited for; passes the
    /// entries that lay wholly in the range to `cleared`, in order. Should that panic, the range is cleared all the same, and
    /// the other entries are dropped.
    ///
    /// # Errors
    ///
    /// As for [`clear_range`](Self::clear_range).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<char>> = MapleTree::new();
    /// tree.insert(0..10, Box::new('a'))?;
    /// tree.insert(10..20, Box::new('b'))?;
    /// let mut cleared = String::new();
    /// tree.clear_range_with(5.., AllocMode::Atomic, |_, value| cleared.push(*value))?;
    /// assert_eq!((cleared.as_str(), tree.get(4), tree.get(5)), ("b", Some(&'a'), None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_range_with(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        cleared: impl FnMut(IndexRange, T),
    ) -> Result<(), AllocError> {
        let cleared = self.clear_range_split(range, mode, |_, value| Some(value.clone()), cleared);
        cleared.map_err(|_| AllocError)
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Like [`clear_range_with`](Self::clear_range_with) for values that cannot be cloned, or not just so.
    ///
    /// Where the range cuts an entry in two, its value stays on the left, and `split` makes one for the right part: it gets
    /// the range of that part and the value. It is called at most once, and before anything is changed.
    ///
    /// # Errors
    ///
    /// There is no node memory, or `split` returned nothing ([`NotSplit`](crate::InsertErrorKind::NotSplit)). Then nothing
    /// was cleared.
    ///
    /// ```
    /// # use maple_tree::{AllocMode, MapleTree};
    /// let mut tree: MapleTree<Box<u64>> = MapleTree::new();
    /// tree.insert(0..100, Box::new(0))?;
    /// tree.clear_range_split(40..60, AllocMode::Normal, |right, _| Some(Box::new(right.first())), |_, _| ())?;
    /// assert_eq!((tree.get(0), tree.get(50), tree.get(99)), (Some(&0), None, Some(&60)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_range_split(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
        split: impl FnOnce(IndexRange, &T) -> Option<T>,
        cleared: impl FnMut(IndexRange, T),
    ) -> Result<(), InsertErrorKind> {
        let Some(range) = self.within_bounds(range) else { return Ok(()) };
        let store = self.raw.prepare_clear(range, mode)?;
        Prepared::new(self, store).split(split)?.clear_each(cleared);
        Ok(())
    }
}
