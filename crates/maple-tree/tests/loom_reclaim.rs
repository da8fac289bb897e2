//! Reclamation in a model of memory: all interleavings, and all values that a load may see.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p maple-tree --release --test loom_reclaim
//! ```
//!
//! Readers look at objects that a writer unlinks and, after a grace period, changes. The objects are loom's cells: it
//! reports a change that does not come after the look, whatever the values. Where there are too many
//! interleavings, `model` bounds how often a thread is taken off its processor: to three times, or two.
#![cfg(loom)]
#![expect(unsafe_code, reason = "an allocator that has little, and objects that change when no one looks")]

use std::alloc::Layout;
use std::ptr::NonNull;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use loom::thread;
use maple_tree::reclaim::{Epochs, Guard, Reclaim};
use maple_tree::{AllocError, AllocMode, Global, NodeAlloc};

/// Explores with at most so many preemptions, or all of them.
fn model(preemptions: Option<usize>, check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(check);
}

/// An allocator that has memory for so many records. Not of the model: which reader gets one is seen to by the tests.
#[derive(Debug)]
struct Few(std::sync::atomic::AtomicUsize);

// SAFETY: memory is the global allocator's.
unsafe impl NodeAlloc for Few {
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        let left = self.0.load(Relaxed);
        self.0.store(left.saturating_sub(1), Relaxed);
        if left == 0 { Err(AllocError) } else { Global.allocate(layout, mode) }
    }

    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        // SAFETY: it came from there.
        unsafe { Global.deallocate(node, layout) };
    }
}

/// Objects, and which of them is linked. An object is poisoned after its grace period.
struct Shared {
    epochs: Epochs<Few>,
    linked: AtomicUsize,
    objects: Vec<UnsafeCell<bool>>,
}

impl Shared {
    /// With records that are there already: `records`; memory for so many more: `more`.
    fn new(objects: usize, records: usize, more: usize) -> Arc<Self> {
        let epochs = Epochs::new_in(Few(std::sync::atomic::AtomicUsize::new(records + more)));
        drop((0..records).map(|_| epochs.pin()).collect::<Vec<_>>());
        let objects = (0..objects).map(|_| UnsafeCell::new(false)).collect();
        Arc::new(Self { epochs, linked: AtomicUsize::new(0), objects })
    }

    /// Looks at what is linked.
    fn look(&self, _guard: &Guard<'_>) {
        let linked = self.linked.load(Acquire);
        // SAFETY: it was linked while there was a guard: it does not change.
        let poisoned = self.objects[linked].with(|object| unsafe { *object });
        assert!(!poisoned);
    }

    fn read(&self) {
        let guard = self.epochs.pin();
        self.look(&guard);
    }

    /// Links the next object, for one writer, and returns when the one before was unlinked.
    fn unlink(&self) -> (usize, <Epochs as Reclaim>::Cookie) {
        let old = self.linked.load(Relaxed);
        self.linked.store(old + 1, Release);
        (old, self.epochs.cookie())
    }

    fn poison(&self, object: usize) {
        // SAFETY: the object is unlinked, and its grace period is over.
        self.objects[object].with_mut(|object| unsafe { *object = true });
    }

    /// Unlinks the linked object, and poisons it if nobody is in the way.
    fn replace(&self) -> bool {
        let (old, cookie) = self.unlink();
        let over = self.epochs.is_over(cookie);
        if over {
            self.poison(old);
        }
        over
    }
}

fn spawn(shared: &Arc<Shared>, work: impl Fn(&Shared) + 'static) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || work(&shared))
}

#[test]
fn one_reader() {
    model(None, || {
        let shared = Shared::new(2, 1, 0);
        let reader = spawn(&shared, Shared::read);
        shared.replace();
        reader.join().unwrap();
    });
}

#[test]
fn one_reader_whose_record_is_new() {
    model(None, || {
        let shared = Shared::new(2, 0, 1);
        let reader = spawn(&shared, Shared::read);
        shared.replace();
        reader.join().unwrap();
    });
}

#[test]
fn two_readers() {
    model(Some(3), || {
        let shared = Shared::new(2, 2, 0);
        let readers = [spawn(&shared, Shared::read), spawn(&shared, Shared::read)];
        shared.replace();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// Both find no record, or the same free one.
#[test]
fn two_readers_want_the_same_record() {
    for (records, more) in [(0, 2), (1, 1)] {
        model(Some(3), move || {
            let shared = Shared::new(2, records, more);
            let readers = [spawn(&shared, Shared::read), spawn(&shared, Shared::read)];
            shared.replace();
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            assert!(shared.epochs.records() <= 2);
        });
    }
}

/// A reader in a record that another thread has just given back.
#[test]
fn a_record_goes_from_reader_to_reader() {
    model(Some(3), || {
        let shared = Shared::new(3, 1, 1);
        let reader = spawn(&shared, |shared| {
            shared.read();
            shared.read();
        });
        shared.replace();
        shared.read();
        shared.replace();
        reader.join().unwrap();
    });
}

/// A thread that keeps its record: an advance may see that it reads again, and not that it had stopped.
#[test]
fn a_reader_that_registered() {
    model(Some(3), || {
        let shared = Shared::new(3, 0, 1);
        let reader = spawn(&shared, |shared| {
            let reader = shared.epochs.register(AllocMode::Normal).unwrap();
            for _ in 0..2 {
                let outer = reader.pin();
                let inner = reader.pin();
                drop(outer);
                shared.look(&inner);
            }
        });
        shared.replace();
        shared.replace();
        reader.join().unwrap();
    });
}

/// The reader pins while two threads move the time. They ask about cookies of their own, before and after.
fn pins_while_time_moves(records: usize) {
    model(Some(3), move || {
        let shared = Shared::new(2, records, 0);
        let reader = spawn(&shared, Shared::read);
        let mover = spawn(&shared, |shared| {
            shared.epochs.is_over(shared.epochs.cookie());
        });
        shared.epochs.is_over(shared.epochs.cookie());
        shared.replace();
        reader.join().unwrap();
        mover.join().unwrap();
    });
}

#[test]
fn a_reader_pins_while_time_moves() {
    pins_while_time_moves(1);
}

/// It may be counted as one of another epoch.
#[test]
fn a_reader_without_memory_pins_while_time_moves() {
    pins_while_time_moves(0);
}

/// One thread unlinks, another one finds that the grace period is over.
#[test]
fn a_cookie_goes_to_another_thread() {
    model(Some(3), || {
        let shared = Shared::new(2, 1, 0);
        let reader = spawn(&shared, Shared::read);
        let (old, cookie) = shared.unlink();
        let poisons = spawn(&shared, move |shared| {
            if shared.epochs.is_over(cookie) {
                shared.poison(old);
            }
        });
        shared.epochs.is_over(cookie);
        reader.join().unwrap();
        poisons.join().unwrap();
    });
}

#[test]
fn a_reader_without_memory() {
    model(None, || {
        let shared = Shared::new(2, 0, 0);
        let reader = spawn(&shared, Shared::read);
        shared.replace();
        reader.join().unwrap();
    });
}

/// Time goes on, and on, and waits for it.
#[test]
fn a_reader_without_memory_while_time_moves() {
    model(Some(3), || {
        let shared = Shared::new(4, 0, 0);
        let reader = spawn(&shared, Shared::read);
        for _ in 0..3 {
            shared.replace();
        }
        reader.join().unwrap();
    });
}

#[test]
fn two_readers_without_memory() {
    model(Some(2), || {
        let shared = Shared::new(3, 0, 0);
        let readers = [spawn(&shared, Shared::read), spawn(&shared, Shared::read)];
        shared.replace();
        shared.replace();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// One reader gets the only record, the other one is counted.
#[test]
fn readers_with_and_without_memory() {
    model(Some(3), || {
        let shared = Shared::new(2, 1, 0);
        let readers = [spawn(&shared, Shared::read), spawn(&shared, Shared::read)];
        shared.replace();
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

/// With all readers gone, one question is enough.
#[test]
fn time_goes_on() {
    model(None, || {
        let shared = Shared::new(2, 0, 1);
        let readers = [spawn(&shared, Shared::read), spawn(&shared, Shared::read)];
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert!(shared.replace());
    });
}

#[test]
fn synchronize_comes_back() {
    model(Some(3), || {
        let shared = Shared::new(2, 1, 0);
        let reader = spawn(&shared, Shared::read);
        let (old, _) = shared.unlink();
        shared.epochs.synchronize();
        shared.poison(old);
        reader.join().unwrap();
    });
}
