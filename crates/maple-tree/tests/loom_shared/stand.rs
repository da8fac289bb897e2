//! What the tree is put together from in the model: values, node memory and a lock, which loom watches.

use std::alloc::Layout as MemoryLayout;
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};

use lock_api::{GuardSend, RawMutex};
use loom::cell::UnsafeCell;
use loom::sync::{Mutex, MutexGuard};
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{ReadGuard, SharedMapleTree, WriteGuard};
use maple_tree::{AllocError, AllocMode, CloneEntry, Entry, Global, NodeAlloc, Word};

pub(crate) type Tree<L> = SharedMapleTree<Value, Lock, Epochs, L, Kept>;
pub(crate) type Writer<'t, L> = WriteGuard<'t, Value, Lock, Epochs, L, Kept>;
pub(crate) type Reader<'t, L> = ReadGuard<'t, Value, Lock, Epochs, L, Kept>;

// All threads of a model are of one thread of the system. What is here is from the current iteration: should the tree give
// something back too soon, the memory is still there, and it is loom that complains.
std::thread_local! {
    static BODIES: RefCell<Vec<Arc<Body>>> = const { RefCell::new(Vec::new()) };
    static GIVEN_BACK: RefCell<Vec<(NonNull<u8>, MemoryLayout)>> = const { RefCell::new(Vec::new()) };
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// Before an iteration: lets go of what the one before left.
pub(crate) fn begin() {
    BODIES.take().clear();
    TAKEN.set(0);
    for (node, layout) in GIVEN_BACK.take() {
        // SAFETY: it came from there, and the iteration that used it is over.
        unsafe { Global.deallocate(node, layout) };
    }
}

/// After an iteration: all values were dropped, and all nodes given back.
pub(crate) fn end() {
    BODIES.with_borrow(|bodies| assert!(bodies.iter().all(|body| !body.is_alive()), "a value was lost"));
    assert_eq!(TAKEN.get(), GIVEN_BACK.with_borrow(Vec::len), "a node was lost");
}

/// How many values there are that were not dropped.
pub(crate) fn alive() -> usize {
    BODIES.with_borrow(|bodies| bodies.iter().filter(|body| body.is_alive()).count())
}

/// A value whose drop is a write that loom compares with all looks at it.
#[derive(Debug)]
pub(crate) struct Value(Arc<Body>);

#[derive(Debug)]
pub(crate) struct Body {
    number: u64,
    alive: UnsafeCell<bool>,
}

impl Value {
    pub(crate) fn new(number: u64) -> Self {
        let body = Arc::new(Body { number, alive: UnsafeCell::new(true) });
        BODIES.with_borrow_mut(|bodies| bodies.push(Arc::clone(&body)));
        Self(body)
    }

    pub(crate) fn body(&self) -> &Body {
        &self.0
    }
}

impl Body {
    fn is_alive(&self) -> bool {
        // SAFETY: loom says so if somebody changes it.
        self.alive.with(|alive| unsafe { *alive })
    }

    /// Looks at the value.
    pub(crate) fn number(&self) -> u64 {
        assert!(self.is_alive(), "{} was dropped", self.number);
        self.number
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.number() == other.number()
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        Self::new(self.body().number())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.body() == other.body()
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: loom says so if somebody looks.
        self.0.alive.with_mut(|alive| assert!(unsafe { alive.replace(false) }, "dropped twice"));
    }
}

// SAFETY: the word is the pointer of the `Arc`, which owns a count until the value is made again.
unsafe impl Entry for Value {
    type Borrowed<'a> = &'a Body;
    type BorrowedMut<'a> = &'a Body;

    fn into_word(self) -> Word {
        let body = Arc::as_ptr(&self.0);
        std::mem::forget(self);
        // SAFETY: a pointer of an `Arc` is not null.
        unsafe { NonNull::new_unchecked(body.cast_mut()) }.cast()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: by contract the word owns a count, which this takes over.
        Self(unsafe { Arc::from_raw(word.cast().as_ptr()) })
    }

    unsafe fn borrow<'a>(word: Word) -> &'a Body {
        // SAFETY: by contract the value is there during that time.
        unsafe { word.cast().as_ref() }
    }

    unsafe fn borrow_mut<'a>(word: Word) -> &'a Body {
        // SAFETY: as above.
        unsafe { word.cast().as_ref() }
    }
}

// SAFETY: the body is shared by all counts of the `Arc`.
unsafe impl CloneEntry for Value {}

/// The global allocator, but nothing is used again in the same iteration.
#[derive(Debug)]
pub(crate) struct Kept;

// SAFETY: memory is the global allocator's.
unsafe impl NodeAlloc for Kept {
    fn allocate(&self, layout: MemoryLayout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        TAKEN.set(TAKEN.get() + 1);
        Global.allocate(layout, mode)
    }

    unsafe fn deallocate(&self, node: NonNull<u8>, layout: MemoryLayout) {
        GIVEN_BACK.with_borrow_mut(|given| given.push((node, layout)));
    }
}

/// A lock that loom knows. Made when it is first taken, since loom cannot make one in a constant.
#[derive(Debug)]
pub(crate) struct Lock {
    mutex: OnceLock<Mutex<()>>,
    guard: RefCell<Option<MutexGuard<'static, ()>>>,
}

// SAFETY: the cell is for who has the lock.
unsafe impl Send for Lock {}
// SAFETY: as above.
unsafe impl Sync for Lock {}

impl Lock {
    fn mutex(&self) -> &'static Mutex<()> {
        let mutex = self.mutex.get_or_init(|| Mutex::new(()));
        // SAFETY: it is used while it is locked only, and then borrowed.
        unsafe { &*ptr::from_ref(mutex) }
    }
}

// SAFETY: so is the mutex.
unsafe impl RawMutex for Lock {
    #[expect(clippy::declare_interior_mutable_const, reason = "the trait is like this")]
    const INIT: Self = Self { mutex: OnceLock::new(), guard: RefCell::new(None) };
    type GuardMarker = GuardSend;

    fn lock(&self) {
        let guard = self.mutex().lock().unwrap();
        self.guard.replace(Some(guard));
    }

    fn try_lock(&self) -> bool {
        let guard = self.mutex().try_lock().ok();
        let locked = guard.is_some();
        if locked {
            self.guard.replace(guard);
        }
        locked
    }

    unsafe fn unlock(&self) {
        // Empty before others have the lock.
        let guard = self.guard.take();
        drop(guard);
    }
}
