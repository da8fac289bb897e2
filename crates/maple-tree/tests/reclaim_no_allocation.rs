//! After a thread's first reader, reading and asking for grace periods make no call to the allocator.
#![cfg(not(loom))]
#![expect(unsafe_code, reason = "a global allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use maple_tree::AllocMode;
use maple_tree::reclaim::{Epochs, Reclaim};

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: forwards to the system's allocator. The counter needs no memory and has no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) };
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many calls of the allocator this thread makes in it.
fn calls(work: impl FnOnce()) -> usize {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

/// A reader inside a reader, and grace periods that are held up and that end.
fn read<R: Reclaim>(reclaim: &'static R, pin: impl Fn() -> R::Guard<'static>) {
    for _ in 0..100 {
        let outer = pin();
        let cookie = reclaim.cookie();
        let inner = pin();
        assert!(!reclaim.is_over(cookie));
        drop((outer, inner));
        reclaim.synchronize();
        assert!(reclaim.is_over(cookie));
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(calls(|| drop(black_box(Box::new(1)))), 2);
    assert_eq!(calls(|| ()), 0);
}

#[test]
fn pins_of_epochs_use_records_again() {
    static EPOCHS: Epochs = Epochs::new();
    assert_eq!(calls(|| drop([EPOCHS.pin(), EPOCHS.pin()])), 2);
    assert_eq!(calls(|| read(&EPOCHS, || EPOCHS.pin())), 0);
}

#[test]
fn a_reader_that_registered_needs_nothing() {
    static EPOCHS: Epochs = Epochs::new();
    let reader = EPOCHS.register(AllocMode::Normal).unwrap();
    assert_eq!(calls(|| read(&EPOCHS, || reader.pin())), 0);
    drop(reader);
    assert_eq!(calls(|| drop(EPOCHS.register(AllocMode::Normal))), 0);
}

#[cfg(feature = "std")]
#[test]
fn a_thread_that_read_once_needs_nothing() {
    use maple_tree::reclaim::GlobalEpochs;

    drop(GlobalEpochs.pin());
    assert_eq!(calls(|| read(&GlobalEpochs, || GlobalEpochs.pin())), 0);
}
