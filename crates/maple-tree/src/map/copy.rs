//! Copying a tree, with the memory for all of it or not at all.

use core::marker::PhantomData;

use super::MapleTree;
use super::words::keep;
use crate::alloc::{AllocError, AllocMode, Global, NodeAlloc};
use crate::entry::{CloneEntry, Entry};
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: CloneEntry, L: Layout, A: NodeAlloc + Clone> MapleTree<T, L, A> {
    /// A tree of the same shape with clones of all values: bounds, entries and reserved ranges. Nodes come from
    /// a clone of the allocator; memory may be waited for.
    ///
    /// O(nodes), and a clone of each value, in order and when all nodes are there. The kernel's `mtree_dup`.
    ///
    /// # Errors
    ///
    /// There is no memory for all nodes. No value has been cloned then, and nothing is left of the copy.
    ///
    /// ```
    /// use maple_tree::MapleTree;
    ///
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// tree.reserve(20..30)?;
    /// let copy = tree.try_clone()?;
    /// tree.clear();
    /// assert_eq!(copy.get(15), Some(&1));
    /// assert_eq!(copy.stats().reserved, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_clone(&self) -> Result<Self, AllocError> {
        let mut copy = self.copy_frame(AllocMode::Normal)?;
        self.raw.fill_copy(&mut copy.raw, |_, word| Some(keep(self.duplicate(word))));
        Ok(copy)
    }
}

impl<T: CloneEntry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// A clone of the value at `index`, for values that are shared by being cloned: an `Arc`, say, that is to outlive
    /// the borrow of the tree. One walk; allocates what the clone does.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use maple_tree::MapleTree;
    ///
    /// let mut tree: MapleTree<Arc<&str>> = MapleTree::new();
    /// tree.insert(10..20, Arc::new("device"))?;
    /// let device = tree.get_cloned(15);
    /// tree.erase(15);
    /// assert_eq!(device, Some(Arc::new("device")));
    /// # Ok::<(), maple_tree::InsertError<Arc<&str>>>(())
    /// ```
    #[must_use = "the tree keeps its value; this is a clone"]
    pub fn get_cloned(&self, index: u64) -> Option<T> {
        self.raw.get(index).map(|word| self.duplicate(word))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc + Clone> MapleTree<T, L, A> {
    /// Like [`try_clone`](Self::try_clone), with values made by a function and the choice whether node memory
    /// may be waited for. An entry for which the function has no value becomes a reserved range of the copy,
    /// which [`replace`](Self::replace) can give a value later.
    ///
    /// This is what the kernel's `fork` does to an address space: the tree of the parent is copied, each VMA in
    /// it is replaced by a copy, and a place whose VMA could not be copied is marked.
    ///
    /// # Errors
    ///
    /// There is no memory for all nodes. The function has not been called then.
    ///
    /// ```
    /// use maple_tree::{AllocMode, Content, IndexRange, MapleTree};
    ///
    /// let mut parent: MapleTree<Box<&str>> = MapleTree::new();
    /// parent.insert(0x1000..0x2000, Box::new("code"))?;
    /// parent.insert(0x4000..0x8000, Box::new("secret"))?;
    /// let mut child = parent.try_clone_with(AllocMode::Normal, |_range, name| {
    ///     (*name != "secret").then(|| Box::new(*name))
    /// })?;
    /// assert_eq!(child.get(0x1000), Some(&"code"));
    /// assert_eq!(child.extent(0x5000).map(|(_, content)| content), Some(Content::Reserved));
    /// // Instead of keeping the place, give it up.
    /// assert_eq!(child.unreserve(0x5000), IndexRange::new(0x4000, 0x7fff));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_clone_with<'a>(
        &'a self,
        mode: AllocMode,
        mut value: impl FnMut(IndexRange, T::Borrowed<'a>) -> Option<T>,
    ) -> Result<Self, AllocError> {
        let mut copy = self.copy_frame(mode)?;
        self.raw.fill_copy(&mut copy.raw, |range, word| value(range, self.lend(word)).map(keep));
        Ok(copy)
    }

    /// A tree of the same shape in which all that is taken is reserved.
    fn copy_frame(&self, mode: AllocMode) -> Result<Self, AllocError> {
        let raw = self.raw.copy_frame(self.allocator().clone(), mode)?;
        Ok(Self { raw, values: PhantomData })
    }
}

/// Like the collections of the standard library, this calls
/// [`handle_alloc_error`](std_alloc::alloc::handle_alloc_error) if there is no memory, which mostly ends the
/// program: `clone` cannot report it. [`try_clone`](MapleTree::try_clone) can.
impl<T: CloneEntry, L: Layout> Clone for MapleTree<T, L, Global> {
    fn clone(&self) -> Self {
        match self.try_clone() {
            Ok(copy) => copy,
            // Which kind of node it was is not known, so this names the smaller one.
            Err(AllocError) => std_alloc::alloc::handle_alloc_error(core::alloc::Layout::new::<L::Leaf>()),
        }
    }
}
