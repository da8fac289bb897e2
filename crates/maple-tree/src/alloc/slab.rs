//! Nodes cut from slabs: dense, quick, and still fallible.
//!
//! Nodes of 256 and 512 bytes that begin at cache lines are a bad fit for allocators that keep a header in front of each
//! piece: glibc's `malloc` takes 384 and 640 bytes for them, so a tree lies on half as many pages again. A slab is a larger
//! piece of memory, aligned to its size, that is divided into nodes of one size; which slab a node belongs to follows from
//! its address. The idea is that of Bonwick, *The Slab Allocator* (1994), and of the kernel's `kmem_cache`, from which its
//! maple tree takes nodes.
//!
//! ```text
//!  partial --> slab <--> slab <--> slab       some nodes in use, some not; the first one serves
//!  spare ----> slab                           none in use: at most one is kept
//!              slab  slab  slab               all in use: in no list
//! ```
//!
//! Invariants, of each of the two caches:
//!
//! - **C1** A slab that `partial` or `spare` leads to, and that a node in use lies in, is memory of the source with an
//!   initialised header that nobody else writes to.
//! - **C2** Exactly the slabs with both kinds of nodes are in `partial`. What is in no list has all nodes in use.
//! - **C3** Nodes that are not in use are those in the slab's `free` list and those from number `fresh` on.
#![expect(unsafe_code, reason = "cuts raw memory into nodes")]

use core::alloc::Layout;
use core::cell::Cell;
use core::ops::Deref;
use core::ptr::NonNull;

use super::{AllocError, AllocMode, Global, NodeAlloc};

/// An allocator of nodes that takes slabs of `BYTES` bytes from another one and cuts them into nodes.
///
/// Worth it for trees of some hundred ranges and more over a `malloc`; an allocator with classes of sizes (mimalloc,
/// jemalloc, a kernel's) has slabs of its own. Each kind of node has its slabs, so the least that a tree takes is one for leaves and,
/// beyond 16 slots, another for branches. Trees may share one: `&SlabAlloc` is an allocator, too. It has no lock, so
/// a tree that owns one can be sent to other threads but is not [`Sync`]; in a lock it is.
///
/// | call | cost | of the source |
/// | --- | --- | --- |
/// | `allocate` | O(1) | one slab, if no node of that size is left |
/// | `deallocate` | O(1) | gives back a slab without nodes, if there is another |
///
/// `BYTES` is a power of two, at least 4096. Where nodes have more than two layouts, or are too large, the others come from the
/// source itself.
///
/// ```
/// use maple_tree::{Gaps, MapleTree, SlabAlloc};
///
/// let mut tree: MapleTree<(), Gaps, SlabAlloc> = MapleTree::new_in(SlabAlloc::new());
/// for first in (0..64_000).step_by(64) {
///     tree.insert(first..first + 32, ())?;
/// }
/// assert!(tree.allocator().slabs() < 8);
/// tree.clear();
/// // One of each kind is kept, for what comes next.
/// assert_eq!(tree.allocator().slabs(), 2);
/// # Ok::<(), maple_tree::InsertError<()>>(())
/// ```
#[derive(Debug)]
pub struct SlabAlloc<A: NodeAlloc = Global, const BYTES: usize = 32768> {
    source: A,
    caches: [Cache<BYTES>; 2],
    slabs: Cell<usize>,
}

// SAFETY: it owns its slabs, and what lies in them is only touched through it. Nodes that are in use are their user's.
unsafe impl<A: NodeAlloc + Send, const BYTES: usize> Send for SlabAlloc<A, BYTES> {}

impl<const BYTES: usize> SlabAlloc<Global, BYTES> {
    /// Without slabs; they will come from the global allocator. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self::new_in(Global)
    }
}

impl<const BYTES: usize> Default for SlabAlloc<Global, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: NodeAlloc, const BYTES: usize> SlabAlloc<A, BYTES> {
    /// Without slabs; they will come from `source`. Allocates nothing.
    pub const fn new_in(source: A) -> Self {
        const { assert!(BYTES.is_power_of_two() && BYTES >= 4096, "the size of a slab") };
        Self { source, caches: [const { Cache::new() }; 2], slabs: Cell::new(0) }
    }

    /// How many slabs it has of its source now, of `BYTES` bytes each.
    pub fn slabs(&self) -> usize {
        self.slabs.get()
    }

    /// Where slabs come from.
    pub fn source(&self) -> &A {
        &self.source
    }

    /// A slab's memory. Aligned to its size, it has room for the header and a node at least (see `Grid::of`).
    const SLAB: Result<Layout, core::alloc::LayoutError> = Layout::from_size_align(BYTES, BYTES);

    /// The cache for nodes of a layout, which is always the same one, or none.
    #[inline]
    fn cache(&self, node: Layout) -> Option<&Cache<BYTES>> {
        let [first, second] = &self.caches;
        [first, second].into_iter().find(|cache| cache.is_for(node))
    }

    /// A slab with a node that is not in use, the first in its list.
    #[inline]
    fn slab_of(&self, cache: &Cache<BYTES>, mode: AllocMode) -> Result<SlabRef, AllocError> {
        match cache.partial.get() {
            Some(slab) => Ok(slab),
            None => self.another_slab(cache, mode),
        }
    }

    #[cold]
    fn another_slab(&self, cache: &Cache<BYTES>, mode: AllocMode) -> Result<SlabRef, AllocError> {
        let slab = match cache.spare.take() {
            Some(slab) => slab,
            None => {
                let layout = Self::SLAB.map_err(|_| AllocError)?;
                let memory = self.source.allocate(layout, mode)?.cast::<Slab>();
                // SAFETY: by the contract of `NodeAlloc` the memory is unused and has this layout, so a header fits.
                unsafe { memory.write(Slab::default()) };
                self.slabs.set(self.slabs.get() + 1);
                SlabRef(memory)
            }
        };
        cache.link(slab);
        Ok(slab)
    }

    /// Takes a slab without nodes out of its list, to be kept or given back.
    #[cold]
    fn emptied(&self, cache: &Cache<BYTES>, slab: SlabRef) {
        cache.unlink(slab);
        if let Some(needless) = cache.spare.replace(Some(slab)) {
            self.give_back(needless);
        }
    }

    fn give_back(&self, slab: SlabRef) {
        if let Ok(layout) = Self::SLAB {
            self.slabs.set(self.slabs.get() - 1);
            // SAFETY: by C1 it came from the source with this layout. No node in it is in use and no list leads to it.
            unsafe { self.source.deallocate(slab.0.cast(), layout) };
        }
    }
}

// SAFETY: (1) a node lies in a slab, which is memory of the source that does not move, at a place of the grid that is
// aligned and large enough (`Grid::of`); by C3 it is handed out once until it comes back. (2) Nothing in here unwinds, and
// the source does not by its own promise.
unsafe impl<A: NodeAlloc, const BYTES: usize> NodeAlloc for SlabAlloc<A, BYTES> {
    #[inline]
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        let Some(cache) = self.cache(layout) else { return self.source.allocate(layout, mode) };
        let slab = self.slab_of(cache, mode)?;
        // SAFETY: by C2 it has a node that is not in use.
        Ok(unsafe { cache.take(slab) })
    }

    #[inline]
    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        let Some(cache) = self.cache(layout) else {
            // SAFETY: no cache is for this layout, and none was when the node was allocated, so it came from the source.
            return unsafe { self.source.deallocate(node, layout) };
        };
        // SAFETY: by the contract of this method the node is from this cache, and not used any more.
        if let Some(slab) = unsafe { cache.put(node) } {
            self.emptied(cache, slab);
        }
    }
}

impl<A: NodeAlloc, const BYTES: usize> Drop for SlabAlloc<A, BYTES> {
    fn drop(&mut self) {
        let [first, second] = &self.caches;
        for spare in [first.spare.take(), second.spare.take()].into_iter().flatten() {
            self.give_back(spare);
        }
        // Slabs in which nodes are in use are their user's from now on: a tree that was leaked.
    }
}

/// The slabs for nodes of one layout.
#[derive(Debug)]
struct Cache<const BYTES: usize> {
    grid: Cell<Grid>,
    partial: Cell<Option<SlabRef>>,
    spare: Cell<Option<SlabRef>>,
}

/// Where nodes lie in a slab.
#[derive(Clone, Copy, Debug)]
struct Grid {
    /// Of no size as long as the cache has none.
    node: Layout,
    /// The distance of the first one from the slab's start.
    first: usize,
    count: u32,
}

impl Grid {
    const NONE: Self = Self { node: Layout::new::<()>(), first: 0, count: 0 };

    /// The grid of nodes of a layout, if a slab has room for two of them and they for a link.
    fn of<const BYTES: usize>(node: Layout) -> Option<Self> {
        let first = size_of::<Slab>().next_multiple_of(node.align());
        let suits = node.size() >= size_of::<Free>()
            && node.align() >= align_of::<Free>()
            && node.size() % node.align() == 0
            && first < BYTES
            && (BYTES - first) / node.size() >= 2;
        suits.then(|| Self { node, first, count: ((BYTES - first) / node.size()) as u32 })
    }
}

/// The header of a slab.
#[derive(Debug, Default)]
struct Slab {
    previous: Cell<Option<SlabRef>>,
    next: Cell<Option<SlabRef>>,
    free: Cell<Option<NonNull<Free>>>,
    fresh: Cell<u32>,
    used: Cell<u32>,
}

/// A slab that C1 is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SlabRef(NonNull<Slab>);

impl Deref for SlabRef {
    type Target = Slab;

    #[inline]
    fn deref(&self) -> &Slab {
        // SAFETY: C1. It is all cells, and not shared between threads: the allocator that leads to it is not.
        unsafe { self.0.as_ref() }
    }
}

/// What lies in a node that is not in use but was.
struct Free {
    next: Option<NonNull<Free>>,
}

impl<const BYTES: usize> Cache<BYTES> {
    const fn new() -> Self {
        Self { grid: Cell::new(Grid::NONE), partial: Cell::new(None), spare: Cell::new(None) }
    }

    /// Whether nodes of this layout come from here. If it has no layout yet, and this one suits, it is for that from now on.
    #[inline]
    fn is_for(&self, node: Layout) -> bool {
        let own = self.grid.get().node;
        own == node && node.size() > 0 || own.size() == 0 && self.becomes_for(node)
    }

    #[cold]
    fn becomes_for(&self, node: Layout) -> bool {
        let grid = Grid::of::<BYTES>(node);
        self.grid.set(grid.unwrap_or(Grid::NONE));
        grid.is_some()
    }

    /// A node of the slab.
    ///
    /// # Safety
    ///
    /// The slab is the first one in the list of this cache.
    #[inline]
    unsafe fn take(&self, slab: SlabRef) -> NonNull<u8> {
        let grid = self.grid.get();
        slab.used.set(slab.used.get() + 1);
        let node = match slab.free.get() {
            Some(free) => {
                // SAFETY: by C3 the node is not in use and was: `put` wrote this.
                slab.free.set(unsafe { free.read() }.next);
                free.cast()
            }
            None => {
                let number = slab.fresh.replace(slab.fresh.get() + 1);
                // SAFETY: by C2 and C3 there is such a node, and by `Grid::of` all of it lies in the slab.
                unsafe { slab.0.cast::<u8>().add(grid.first + number as usize * grid.node.size()) }
            }
        };
        if slab.used.get() == grid.count {
            self.unlink(slab);
        }
        node
    }

    /// Takes back a node, and returns its slab if that was the last one in use.
    ///
    /// # Safety
    ///
    /// The node was taken from here and is not used any more.
    #[inline]
    unsafe fn put(&self, node: NonNull<u8>) -> Option<SlabRef> {
        let address = node.as_ptr().map_addr(|address| address & !(BYTES - 1));
        // SAFETY: a slab is aligned to its size and not at address 0, so this is the one that the node lies in.
        let slab = SlabRef(unsafe { NonNull::new_unchecked(address) }.cast());
        let free = node.cast::<Free>();
        // SAFETY: nobody uses the node, and by `Grid::of` it is large enough and aligned for this.
        unsafe { free.write(Free { next: slab.free.get() }) };
        slab.free.set(Some(free));
        let used = slab.used.get();
        slab.used.set(used - 1);
        if used == self.grid.get().count {
            self.link(slab);
        }
        (used == 1).then_some(slab)
    }

    /// Puts a slab in front of the list.
    fn link(&self, slab: SlabRef) {
        let next = self.partial.replace(Some(slab));
        slab.previous.set(None);
        slab.next.set(next);
        if let Some(next) = next {
            next.previous.set(Some(slab));
        }
    }

    /// Takes a slab out of the list, wherever it is.
    fn unlink(&self, slab: SlabRef) {
        let (previous, next) = (slab.previous.take(), slab.next.take());
        match previous {
            Some(previous) => previous.next.set(next),
            None => self.partial.set(next),
        }
        if let Some(next) = next {
            next.previous.set(previous);
        }
    }
}

#[cfg(test)]
mod tests;
