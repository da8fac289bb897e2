//! Memory for records: asked for fallibly, given back, and not needed.

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::{Epochs, Reclaim};
use maple_tree::{AllocError, AllocMode};

#[test]
fn without_memory_readers_are_counted() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let epochs = Epochs::new_in(&alloc);
    assert_eq!(epochs.register(AllocMode::Normal).err(), Some(AllocError));
    let mut guards: Vec<_> = (0..100).map(|_| epochs.pin()).collect();
    let cookie = epochs.cookie();
    for _ in 0..100 {
        assert!(!epochs.is_over(cookie));
        guards.pop();
    }
    assert!(epochs.is_over(cookie));
    assert_eq!((epochs.records(), alloc.counts().live), (0, 0));
}

#[test]
fn any_allocation_may_fail() {
    for fails in 1..=5 {
        let alloc = FaultyAlloc::new(Plan::Nth(fails));
        let epochs = Epochs::new_in(&alloc);
        let guards = [(); 5].map(|()| epochs.pin());
        let cookie = epochs.cookie();
        assert_eq!((epochs.records(), alloc.counts().failed), (4, 1));
        for (index, guard) in guards.into_iter().enumerate() {
            assert!(!epochs.is_over(cookie), "{fails} {index}");
            drop(guard);
        }
        assert!(epochs.is_over(cookie));
        drop(epochs);
        assert_eq!(alloc.counts().live, 0);
    }
}

#[test]
fn a_counted_reader_and_one_with_a_record_both_count() {
    let alloc = FaultyAlloc::new(Plan::Nth(2));
    let epochs = Epochs::new_in(&alloc);
    for first in [true, false] {
        let (with_record, counted) = (epochs.pin(), epochs.pin());
        let cookie = epochs.cookie();
        let (gone, stays) = if first { (with_record, counted) } else { (counted, with_record) };
        drop(gone);
        assert!(!epochs.is_over(cookie));
        drop(stays);
        assert!(epochs.is_over(cookie));
        alloc.set_plan(Plan::Nth(1));
    }
    assert_eq!(epochs.records(), 1);
}

#[test]
fn memory_is_asked_for_once_and_given_back() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let epochs = Epochs::new_in(&alloc);
    drop([(); 3].map(|()| epochs.pin()));
    let calls = alloc.counts().calls;
    for _ in 0..100 {
        let guards = [(); 3].map(|()| epochs.pin());
        let cookie = epochs.cookie();
        assert!(!epochs.is_over(cookie));
        drop(guards);
        epochs.synchronize();
        assert!(epochs.is_over(cookie));
    }
    assert_eq!((alloc.counts().calls, calls), (3, 3));
    drop(epochs);
    assert_eq!(alloc.counts().live, 0);
}
