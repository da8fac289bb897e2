//! A tree that many threads read without a lock while one writes.
#![expect(unsafe_code, reason = "takes a tree out of what would be dropped with it")]

mod cursor;
mod cursor_mut;
mod iter;
mod prepared;
mod read;
mod stats;
mod write;

pub use cursor::ReadCursor;
pub use cursor_mut::SharedCursorMut;
pub use iter::ReadRange;
pub use prepared::SharedPrepared;
pub use read::ReadGuard;
pub use stats::SharedStats;
pub use write::{ReplaceError, ReplaceErrorKind, WriteGuard};

use core::fmt;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, needs_drop};
use core::ptr;

use lock_api::{Mutex, RawMutex};

use crate::alloc::{AllocError, AllocMode, Global, NodeAlloc};
use crate::entry::Entry;
use crate::error::Rejected;
use crate::map::MapleTree;
use crate::map::words::take_back;
use crate::node::{Gaps, Layout, Root};
use crate::range::IndexRange;
use crate::raw::shared::{PreparedShared, Retired};
use crate::reclaim::{Epochs, Reader, Reclaim};
use crate::sync::const_unless_loom;

/// A [`MapleTree`] that many threads read while one of them writes.
///
/// Readers take no lock, never wait, never try again, and write nothing but a mark of their own that they are there:
/// [`read`](Self::read). Writers come one after the other: [`write`](Self::write) takes a lock of the type `R` (see
/// [`lock_api`]), and gives what a tree of one owner has. An erase still needs no memory and cannot fail; it does not wait
/// for readers either.
///
/// What a writer takes out is *retired*: values are dropped and nodes given back when all readers are gone who may have
/// found them. `G` tells when that is ([`Reclaim`]): [`Epochs`], the one of a whole program (`GlobalEpochs`, feature
/// `std`), or the RCU of a kernel.
///
/// | | a tree of one owner | a shared tree |
/// | --- | --- | --- |
/// | erase, the exact range inserted again, replace | in place | in place, one store; the latter two may need memory to remember a value by that is to be dropped |
/// | other insertions | in place, a node if a leaf is full | a copy of one leaf; with a split or across leaves of the nodes on the path |
/// | values | dropped, or handed back | shown to the caller, dropped later |
///
/// `docs/shared-mode.md` in the repository says what a reader may see while something is written, and why.
///
/// ```
/// use maple_tree::shared::SharedMapleTree;
///
/// let tree: SharedMapleTree<Box<&str>, spin::Mutex<()>> = SharedMapleTree::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| tree.write().insert(0x1000..0x2000, Box::new("code")));
///     scope.spawn(|| {
///         let reader = tree.read();
///         // Either it is there already, or it is not.
///         assert!(matches!(reader.get(0x1800), None | Some(&"code")));
///     });
/// });
/// assert_eq!(tree.read().get(0x1800), Some(&"code"));
/// ```
///
/// One that lives as long as the program:
///
/// ```
/// use maple_tree::reclaim::Epochs;
/// use maple_tree::shared::SharedMapleTree;
/// use maple_tree::{Global, IndexRange};
///
/// static MAP: SharedMapleTree<(), spin::Mutex<()>> =
///     SharedMapleTree::bounded_in(IndexRange::FULL, Global, Epochs::new());
/// assert_eq!(MAP.read().get(0), None);
/// ```
pub struct SharedMapleTree<
    T: Entry,
    R: RawMutex,
    G: Reclaim = Epochs,
    L: Layout = Gaps,
    A: NodeAlloc = Global,
> {
    published: Published<L, G>,
    writer: Mutex<R, Writing<T, L, A, G::Cookie>>,
    values: PhantomData<T>,
}

/// A tree that could not be shared, and what was to tell when readers are gone.
pub type ShareError<T, G, L = Gaps, A = Global> = Rejected<(MapleTree<T, L, A>, G), AllocError>;

/// What readers use, apart from what a writer writes.
#[repr(align(128))]
struct Published<L: Layout, G> {
    root: Root<L>,
    bounds: IndexRange,
    reclaim: G,
}

/// What the lock is for.
struct Writing<T: Entry, L: Layout, A: NodeAlloc, C> {
    tree: MapleTree<T, L, A>,
    retired: Retired<L, C>,
    /// Of the [`SharedPrepared`] that is there, or was forgotten.
    prepared: Option<PreparedShared<L>>,
}

impl<T: Entry, R: RawMutex, G: Reclaim + Default, L: Layout> SharedMapleTree<T, R, G, L> {
    /// An empty tree over all of `u64`. Allocates nothing.
    ///
    /// ```
    /// use maple_tree::shared::SharedMapleTree;
    ///
    /// let tree: SharedMapleTree<(), spin::Mutex<()>> = SharedMapleTree::new();
    /// assert_eq!(tree.read().get(0), None);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::bounded_in(IndexRange::FULL, Global, G::default())
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> SharedMapleTree<T, R, G, L, A> {
    const_unless_loom! {
        /// An empty tree with these bounds, whose nodes come from `alloc`. Allocates nothing.
        ///
        /// ```
        /// use maple_tree::reclaim::Epochs;
        /// use maple_tree::shared::SharedMapleTree;
        /// use maple_tree::{Gaps, Global, IndexRange};
        ///
        /// let bounds = IndexRange::new(1, 99).ok_or("empty")?;
        /// let tree: SharedMapleTree<(), spin::Mutex<()>, Epochs, Gaps, &Global> =
        ///     SharedMapleTree::bounded_in(bounds, &Global, Epochs::new());
        /// assert_eq!(tree.bounds(), bounds);
        /// # Ok::<(), &str>(())
        /// ```
        pub fn bounded_in(bounds: IndexRange, alloc: A, reclaim: G) -> Self {
            let tree = MapleTree::bounded_in(bounds, alloc);
            let retired = Retired::new(needs_drop::<T>());
            Self {
                published: Published { root: Root::new(), bounds, reclaim },
                writer: Mutex::new(Writing { tree, retired, prepared: None }),
                values: PhantomData,
            }
        }
    }

    /// Shares a tree that has had one owner; O(n). Allocates only if values are to be dropped: the room that they take when they
    /// are retired, 8.3 bytes for each.
    ///
    /// # Errors
    ///
    /// There is no memory for that. The tree comes back as it was, and `reclaim` too.
    ///
    /// ```
    /// use maple_tree::MapleTree;
    /// use maple_tree::reclaim::Epochs;
    /// use maple_tree::shared::SharedMapleTree;
    ///
    /// let mut tree: MapleTree<Box<u8>> = MapleTree::new();
    /// tree.insert(10..20, Box::new(1))?;
    /// let shared: SharedMapleTree<_, spin::Mutex<()>> = SharedMapleTree::from_tree(tree, Epochs::new())?;
    /// assert_eq!(shared.read().get(15), Some(&1));
    /// assert_eq!(shared.into_tree().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_tree(tree: MapleTree<T, L, A>, reclaim: G) -> Result<Self, ShareError<T, G, L, A>> {
        Self::from_tree_with(tree, reclaim, AllocMode::Normal)
    }

    /// Like [`from_tree`](Self::from_tree), with the choice whether memory may be waited for.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn from_tree_with(
        tree: MapleTree<T, L, A>,
        reclaim: G,
        mode: AllocMode,
    ) -> Result<Self, ShareError<T, G, L, A>> {
        let mut retired = Retired::new(needs_drop::<T>());
        match retired.make_room_for_all(tree.raw(), mode) {
            Ok(()) => Ok(Self::with_retired(tree, reclaim, retired)),
            Err(kind) => Err(ShareError { value: (tree, reclaim), kind }),
        }
    }

    fn with_retired(tree: MapleTree<T, L, A>, reclaim: G, retired: Retired<L, G::Cookie>) -> Self {
        let mut tree = tree;
        let (root, bounds) = (Root::new(), tree.bounds());
        tree.raw_mut().share();
        root.publish(tree.raw().root());
        Self {
            published: Published { root, bounds, reclaim },
            writer: Mutex::new(Writing { tree, retired, prepared: None }),
            values: PhantomData,
        }
    }

    /// The tree, for one owner again. Drops all values that were retired; O(n), allocates nothing.
    pub fn into_tree(self) -> MapleTree<T, L, A> {
        let mut writing = self.writer.into_inner();
        writing.end();
        let writing = ManuallyDrop::new(writing);
        // SAFETY: it is not dropped, and what it has beside the tree was given back.
        unsafe { ptr::read(&raw const writing.tree) }
    }

    /// Begins to read. Takes no lock and does not wait; see [`Reclaim::pin`] for what it costs. While there is a guard,
    /// nothing is given back that it may have found, so keep it for a moment only.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new(1))?;
    /// let reader = tree.read();
    /// let value = reader.get(10);
    /// // Taken out of the tree, but this reader may still look at it.
    /// tree.write().erase(10);
    /// assert_eq!((value, reader.get(10)), (Some(&1), None));
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    #[inline]
    pub fn read(&self) -> ReadGuard<'_, T, R, G, L, A> {
        ReadGuard::new(self, self.published.reclaim.pin())
    }

    /// Begins to write: waits for the lock.
    ///
    /// While it is held, your code runs in it: closures that are passed to a write, `clone`, and the drops of values that were
    /// retired, by any write. None of these may write to the tree, wait for its readers, or panic while it holds what others
    /// need: the lock is not re-entrant.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<(), spin::Mutex<()>> = SharedMapleTree::new();
    /// let mut writer = tree.write();
    /// writer.insert(10..20, ())?;
    /// // All that can be asked of a tree can be asked of it.
    /// assert_eq!(writer.len(), 1);
    /// # Ok::<(), maple_tree::InsertError<()>>(())
    /// ```
    pub fn write(&self) -> WriteGuard<'_, T, R, G, L, A> {
        WriteGuard::new(&self.published, self.writer.lock())
    }

    /// Begins to write, if nobody else does.
    pub fn try_write(&self) -> Option<WriteGuard<'_, T, R, G, L, A>> {
        Some(WriteGuard::new(&self.published, self.writer.try_lock()?))
    }

    /// Waits until all readers are gone that are there now, then drops the values and gives back the nodes that were
    /// retired before. Must not be called by a thread that is reading, or writing.
    ///
    /// ```
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new(1))?;
    /// tree.write().erase(10);
    /// tree.synchronize();
    /// assert_eq!(tree.write().shared_stats().retired_values, 0);
    /// # Ok::<(), maple_tree::InsertError<Box<u8>>>(())
    /// ```
    pub fn synchronize(&self) {
        // What is retired waits in two generations.
        for _ in 0..2 {
            self.published.reclaim.synchronize();
            self.write().collect();
        }
    }

    /// The index space of the tree.
    #[must_use]
    pub fn bounds(&self) -> IndexRange {
        self.published.bounds
    }

    /// What tells when readers are gone.
    pub fn reclaim(&self) -> &G {
        &self.published.reclaim
    }
}

impl<T: Entry, R: RawMutex, B: NodeAlloc, L: Layout, A: NodeAlloc> SharedMapleTree<T, R, Epochs<B>, L, A> {
    /// Begins to read with the record that a thread keeps: cheaper than [`read`](Self::read), writes nothing that other
    /// threads write, and never allocates. Nothing if the record is not one of this tree's [`Epochs`].
    ///
    /// ```
    /// # use maple_tree::AllocMode;
    /// # use maple_tree::shared::SharedMapleTree;
    /// let tree: SharedMapleTree<Box<u8>, spin::Mutex<()>> = SharedMapleTree::new();
    /// tree.write().insert(10..20, Box::new(1))?;
    /// let record = tree.reclaim().register(AllocMode::Normal)?;
    /// let reader = tree.read_with(&record).ok_or("another tree's")?;
    /// assert_eq!(reader.get(15), Some(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn read_with<'t>(&'t self, reader: &Reader<'t>) -> Option<ReadGuard<'t, T, R, Epochs<B>, L, A>> {
        self.published.reclaim.has(reader).then(|| ReadGuard::new(self, reader.pin()))
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc, C> Writing<T, L, A, C> {
    /// Gives up what was prepared and not used.
    fn give_up(&mut self) {
        if let Some(prepared) = self.prepared.take() {
            prepared.release(self.tree.raw_mut());
        }
    }

    /// Drops and gives back all that is retired, of a tree that has no readers any more, and takes the nodes back. Should
    /// the drop of a value panic, the others are dropped before that goes on.
    fn end(&mut self) {
        let end = End(self);
        end.0.give_back_all();
    }

    fn give_back_all(&mut self) {
        self.give_up();
        let memory = self.tree.raw_mut().memory_mut();
        self.retired.give_back_all(memory, &mut |word| drop(take_back::<T>(word)));
        self.tree.raw_mut().unshare();
    }
}

/// Completes the end of a shared tree when it is dropped.
struct End<'a, T: Entry, L: Layout, A: NodeAlloc, C>(&'a mut Writing<T, L, A, C>);

impl<T: Entry, L: Layout, A: NodeAlloc, C> Drop for End<'_, T, L, A, C> {
    fn drop(&mut self) {
        self.0.give_back_all();
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc, C> Drop for Writing<T, L, A, C> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim + Default, L: Layout> Default for SharedMapleTree<T, R, G, L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for SharedMapleTree<T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMapleTree").field("bounds", &self.bounds()).finish_non_exhaustive()
    }
}
