//! Epochs from the inside: which grace periods a reader holds up, also where counters wrap.

use core::alloc::Layout;
use core::ptr::NonNull;
use std::vec::Vec;

use super::{Epochs, Guard, Reclaim};
use crate::alloc::{AllocError, AllocMode, Global, NodeAlloc};

/// There is no memory: all readers are counted.
struct Nothing;

// SAFETY: never returns memory.
unsafe impl NodeAlloc for Nothing {
    fn allocate(&self, _layout: Layout, _mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        Err(AllocError)
    }

    unsafe fn deallocate(&self, _node: NonNull<u8>, _layout: Layout) {}
}

/// Epochs to begin at, so that the tests go over the wrap at each of their steps.
fn starts() -> impl Iterator<Item = usize> {
    (0..16).map(|steps| 0_usize.wrapping_sub(2 * steps)).chain([usize::MAX / 2 - 7, 1 << 20])
}

/// Takes cookies in all epochs around that of a reader, and compares which are over.
fn holds_up<A: NodeAlloc>(epochs: &Epochs<A>, pin: impl Fn() -> Guard<'static>) {
    let mut before = Vec::new();
    for _ in 0..4 {
        before.push(epochs.cookie());
        assert!(epochs.advance());
    }
    before.push(epochs.cookie());
    let reader = pin();
    // The cookie of the reader's own epoch may have been taken after it pinned.
    let same = epochs.cookie();
    assert_eq!(before.pop(), Some(same));
    assert!(epochs.advance(), "the reader pinned in this epoch");
    let after = epochs.cookie();
    for _ in 0..4 {
        assert!(!epochs.advance(), "the reader is still there");
        assert!(before.iter().all(|&cookie| epochs.is_over(cookie)));
        assert!(!epochs.is_over(same));
        assert!(!epochs.is_over(after));
    }
    drop(reader);
    assert!(epochs.is_over(after));
    assert!(epochs.is_over(same));
}

fn leaked<A: NodeAlloc>(epochs: Epochs<A>) -> &'static Epochs<A> {
    std::boxed::Box::leak(std::boxed::Box::new(epochs))
}

#[test]
#[cfg_attr(miri, ignore = "leaks on purpose")]
fn a_reader_holds_up_what_began_after_it() {
    for start in starts() {
        let epochs = leaked(Epochs::new().at_epoch(start));
        holds_up(epochs, || epochs.pin());
        let with_record = leaked(Epochs::new_in(Global).at_epoch(start));
        let reader = with_record.register(AllocMode::Normal).unwrap();
        holds_up(with_record, || reader.pin());
        let counted = leaked(Epochs::new_in(Nothing).at_epoch(start));
        holds_up(counted, || counted.pin());
        assert_eq!((epochs.records(), with_record.records(), counted.records()), (1, 1, 0));
    }
}

#[test]
fn a_cookie_stays_over() {
    for start in starts() {
        let epochs = Epochs::new().at_epoch(start);
        let cookie = epochs.cookie();
        assert!(epochs.is_over(cookie));
        for _ in 0..if cfg!(miri) { 20 } else { 1000 } {
            assert!(epochs.advance());
            assert!(epochs.is_over(cookie));
        }
    }
}

#[test]
fn nobody_asks_for_more_than_is_needed() {
    let epochs = Epochs::new();
    let first = epochs.cookie();
    assert_eq!(epochs.cookie(), first, "taking the time does not move it");
    assert!(epochs.is_over(first));
    let second = epochs.cookie();
    assert!(epochs.is_over(first));
    assert_eq!(epochs.cookie(), second, "nor does asking about what is over");
}

#[test]
fn counted_readers_that_overlap_do_not_stop_the_time() {
    for start in starts() {
        let epochs = Epochs::new_in(Nothing).at_epoch(start);
        let mut reader = epochs.pin();
        for _ in 0..100 {
            let cookie = epochs.cookie();
            // There is always one, but none stays: it takes two of them at most.
            assert!(!epochs.is_over(cookie));
            for _ in 0..2 {
                epochs.is_over(cookie);
                let next = epochs.pin();
                drop(reader);
                reader = next;
            }
            assert!(epochs.is_over(cookie));
        }
        drop(reader);
    }
}

#[test]
fn forgotten_counted_readers_hold_up_time_for_ever() {
    let limit = isize::MAX as usize;
    let epochs = Epochs::new_in(Nothing);
    epochs.overflow().forget(limit - 2);
    // Neither pins nor drops get a count out of there, and none wraps.
    for _ in 0..10 {
        let guards: [_; 5] = core::array::from_fn(|_| epochs.pin());
        assert!(!epochs.is_over(epochs.cookie()));
        drop(guards);
        assert!(!epochs.is_over(epochs.cookie()));
    }
    drop(epochs);

    // Just below the limit all is as ever.
    let epochs = Epochs::new_in(Nothing);
    epochs.overflow().forget(limit - 2);
    drop(epochs.pin());
    epochs.overflow().forget(0);
    assert!(epochs.is_over(epochs.cookie()));
}

#[test]
fn forgotten_guards_hold_up_time_for_ever() {
    let epochs = Epochs::new();
    let before = epochs.cookie();
    assert!(epochs.is_over(before));
    core::mem::forget(epochs.pin());
    let cookie = epochs.cookie();
    assert!(!epochs.is_over(cookie));
    drop(epochs.pin());
    assert!(!epochs.is_over(cookie));
    assert_eq!(epochs.records(), 2);
}
