//! A node in memory.
//!
//! What readers look at comes first: pivots, which stay as they are while there may be readers, and slots. The gap
//! summary of a branch, which is for its writer alone and changes with each write below, has cache lines of its own.
//!
//! A node goes through these stages ([`Stage`]); in a tree that is not shared all nodes are private.
//!
//! ```text
//!   private     only its writer knows it: anything may be changed (`&mut` to all of it)
//!   published   readers may be in it: a slot changes by one store, the header and the summary are the writer's
//!   replaced    a private copy is going to stand in its place
//!   retired     not linked any more, but readers may be in it still: the header is the link of a chain
//! ```
#![expect(unsafe_code, reason = "parts of a node change while readers are in it")]

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use super::prefetch::prefetch;
use super::shape::{Parts, Shape};
use super::store::Store;
use crate::sync::{AtomicPtr, Ordering};

/// What a slot may hold: a pointer, under whatever name.
///
/// # Safety
///
/// The type is a transparent wrapper of a `NonNull<()>`, without a destructor.
pub unsafe trait SlotWord: Sized {
    /// The pointer.
    fn pointer(&self) -> NonNull<()>;

    /// What has this pointer.
    ///
    /// # Safety
    ///
    /// The pointer is that of such a value, which is not used to own anything from now on, or else this one is not.
    unsafe fn with_pointer(pointer: NonNull<()>) -> Self;

    /// Moves `count` slots from `from` to `to`; those that they leave become vacant, and those between are.
    #[inline]
    fn slide(slots: &mut [Option<Self>], from: usize, to: usize, count: usize) {
        if from < to {
            for i in (0..count).rev() {
                slots[to + i] = slots[from + i].take();
            }
        } else {
            for i in 0..count {
                slots[to + i] = slots[from + i].take();
            }
        }
    }
}

/// What [`SlotWord::slide`] does, for words that can be copied.
#[inline]
pub(crate) fn slide_copies<W: Copy>(slots: &mut [Option<W>], from: usize, to: usize, count: usize) {
    slots.copy_within(from..from + count, to);
    let left = if from < to { from..to } else { to + count..from + count };
    slots[left].fill(None);
}

/// Who may be in a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Its writer only.
    Private,
    /// Readers, too.
    Published,
    /// Readers, too, and a private copy of it is going to be published in its place.
    Replaced,
}

impl Stage {
    /// All of them as bytes.
    pub(super) const ALL: [u8; 3] = [Self::Private as u8, Self::Published as u8, Self::Replaced as u8];
}

/// What a writer keeps about a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Which slots are in use and empty, a bit for each.
    pub(super) empty: u32,
    /// How many slots are in use.
    pub(super) len: u8,
    pub(super) stage: Stage,
}

/// The header of a node, or the link of one that is retired.
#[repr(C)]
union HeaderOrNext {
    header: Header,
    next: Option<NonNull<()>>,
}

/// Something on cache lines of its own.
#[repr(C, align(64))]
struct OwnLines<X>(X);

/// One node in memory. `W` is what a live slot holds, `X` what a branch keeps beside its slots.
#[repr(C, align(64))]
pub struct Block<W, X, const PIVOTS: usize, const SLOTS: usize> {
    pivots: [u64; PIVOTS],
    header: UnsafeCell<HeaderOrNext>,
    slots: UnsafeCell<[Option<W>; SLOTS]>,
    store: OwnLines<UnsafeCell<X>>,
    #[cfg(loom)]
    mirror: Mirror<SLOTS>,
}

// SAFETY: through a shared reference a node is only looked at, but for what an `InPlace` does, of which there is one at
// a time (P1) and which readers are prepared for.
unsafe impl<W: Sync, X: Sync, const PIVOTS: usize, const SLOTS: usize> Sync for Block<W, X, PIVOTS, SLOTS> {}

/// Where the parts of a node are that a writer may change while readers are in it.
#[derive(Debug)]
pub struct Cells<W, X> {
    pub(super) header: *mut Header,
    pub(super) next: *mut Option<NonNull<()>>,
    pub(super) slots: *mut Option<W>,
    pub(super) store: *mut X,
    #[cfg(loom)]
    pub(super) mirror: *const [AtomicPtr<()>],
}

impl<W, X: core::fmt::Debug, const PIVOTS: usize, const SLOTS: usize> core::fmt::Debug
    for Block<W, X, PIVOTS, SLOTS>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Block").field("pivots", &self.pivots).finish_non_exhaustive()
    }
}

impl<W: SlotWord, X: Store, const PIVOTS: usize, const SLOTS: usize> Shape for Block<W, X, PIVOTS, SLOTS> {
    type Live = W;
    type Store = X;
    const CAPACITY: usize = {
        // The last slot has no pivot; the bitmap has 32 bits; a split must leave something on both sides, for which leaves
        // take more (see `layout.rs`).
        assert!(SLOTS == PIVOTS + 1 && SLOTS <= 32 && SLOTS >= 3);
        SLOTS
    };

    fn vacant() -> Self {
        let header = Header { empty: 0, len: 0, stage: Stage::Private };
        Self {
            pivots: [u64::MAX; PIVOTS],
            header: UnsafeCell::new(HeaderOrNext { header }),
            slots: UnsafeCell::new([const { None }; SLOTS]),
            store: OwnLines(UnsafeCell::new(X::default())),
            #[cfg(loom)]
            mirror: Mirror::vacant(),
        }
    }

    #[inline]
    fn pivots(&self) -> &[u64] {
        &self.pivots
    }

    #[inline]
    fn slots(&self) -> &[Option<W>] {
        // SAFETY: slots are changed through `&mut`, or by an `InPlace`, which is for the one who may borrow this.
        unsafe { &*self.slots.get() }
    }

    #[inline]
    fn len(&self) -> usize {
        usize::from(self.header().len)
    }

    #[inline]
    fn empty(&self) -> u32 {
        self.header().empty
    }

    #[inline]
    fn stage(&self) -> Stage {
        self.header().stage
    }

    fn stage_byte(&self) -> u8 {
        // SAFETY: whatever the header is used for, all of it is initialised but what nobody looks at as a stage.
        unsafe { (&raw const (*self.cells().header).stage).cast::<u8>().read() }
    }

    #[inline]
    fn store(&self) -> &X {
        // SAFETY: as for the slots.
        unsafe { &*self.store.0.get() }
    }

    #[inline]
    fn parts(&mut self) -> Parts<'_, W, X> {
        // SAFETY: only retired nodes have a link there, and nobody changes these.
        let header = unsafe { &mut self.header.get_mut().header };
        Parts {
            pivots: &mut self.pivots,
            slots: self.slots.get_mut(),
            empty: &mut header.empty,
            len: &mut header.len,
            store: self.store.0.get_mut(),
        }
    }

    #[inline]
    fn cells(&self) -> Cells<W, X> {
        Cells {
            header: self.header.get().cast(),
            next: self.header.get().cast(),
            slots: self.slots.get().cast(),
            store: self.store.0.get(),
            #[cfg(loom)]
            mirror: &raw const self.mirror.slots,
        }
    }

    #[inline]
    fn prefetch_slots(&self) {
        prefetch(self.slots.get());
    }

    #[cfg(not(loom))]
    #[inline]
    fn load(&self, slot: usize) -> Option<W> {
        self.copy_of(slot, Ordering::Acquire)
    }

    #[cfg(loom)]
    fn load(&self, slot: usize) -> Option<W> {
        self.mirror.visit();
        let word = self.mirror.slots.get(slot)?.load(Ordering::Acquire);
        // SAFETY: the mirror holds what the slot holds, and readers do not own.
        NonNull::new(word).map(|pointer| unsafe { W::with_pointer(pointer) })
    }

    // Atomic, though nobody changes it: the compiler may not put off the load until it is known that it is needed.
    #[cfg(not(loom))]
    #[inline]
    fn peek(&self, slot: usize) -> Option<W> {
        self.copy_of(slot, Ordering::Relaxed)
    }

    #[cfg(loom)]
    fn peek(&self, slot: usize) -> Option<W> {
        // SAFETY: it is the pointer of what the slot holds, and the caller does not own by it.
        self.slots().get(slot)?.as_ref().map(|held| unsafe { W::with_pointer(held.pointer()) })
    }

    #[cfg(loom)]
    fn visit(&self) {
        self.mirror.visit();
    }

    #[cfg(loom)]
    fn mark(&self, alive: bool) {
        self.mirror.mark(alive);
    }
}

#[cfg(not(loom))]
impl<W: SlotWord, X, const PIVOTS: usize, const SLOTS: usize> Block<W, X, PIVOTS, SLOTS> {
    /// A second pointer to what a slot holds, which does not own.
    #[inline]
    fn copy_of(&self, slot: usize, ordering: Ordering) -> Option<W> {
        if slot >= SLOTS {
            return None;
        }
        let cell = self.slots.get().cast::<*mut ()>();
        // SAFETY: a slot is a pointer or null (`SlotWord`), within the array, and aligned. While readers may be here it
        // is written by atomic stores only.
        unsafe {
            let word = AtomicPtr::from_ptr(cell.add(slot)).load(ordering);
            NonNull::new(word).map(|pointer| W::with_pointer(pointer))
        }
    }
}

impl<W, X, const PIVOTS: usize, const SLOTS: usize> Block<W, X, PIVOTS, SLOTS> {
    #[inline]
    fn header(&self) -> Header {
        // SAFETY: only retired nodes have a link there, and nobody asks these. The header is changed as the slots are.
        unsafe { (*self.header.get()).header }
    }
}

#[cfg(loom)]
pub(super) use mirror::Mirror;

/// What readers see of a node under loom, whose atomics cannot be made from what is in memory already.
#[cfg(loom)]
mod mirror {
    use core::cell::Cell;
    use core::ptr::null_mut;

    use crate::sync::AtomicPtr;

    #[derive(Debug)]
    pub(crate) struct Mirror<const SLOTS: usize> {
        pub(super) slots: [AtomicPtr<()>; SLOTS],
        /// Whether the node was not given back. Written when the node is made, published and given back, read by all who
        /// come to it: loom tells of any of these that is not ordered with the others.
        life: loom::cell::UnsafeCell<Cell<bool>>,
    }

    impl<const SLOTS: usize> Mirror<SLOTS> {
        pub(super) fn vacant() -> Self {
            let slots = core::array::from_fn(|_| AtomicPtr::new(null_mut()));
            Self { slots, life: loom::cell::UnsafeCell::new(Cell::new(true)) }
        }

        /// Somebody comes to the node.
        pub(super) fn visit(&self) {
            // SAFETY: loom says so if it is not.
            let alive = self.life.with(|life| unsafe { (*life).get() });
            assert!(alive, "this node was given back");
        }

        /// The node is published, or given back: it is for its writer alone.
        pub(super) fn mark(&self, alive: bool) {
            // SAFETY: loom says so if it is not.
            self.life.with_mut(|life| unsafe { (*life).set(alive) });
        }
    }
}
