//! The epochs of the whole program. Tests run at the same time and are each other's readers, so what is asked
//! here is that time stands still, or that it goes on in the end.

use std::cell::RefCell;
use std::thread;

use maple_tree::reclaim::{GlobalEpochs, Guard, Reclaim};

/// More than all tests of this program use at a time, and less than they would without giving any back.
const FEW: usize = 40;

#[test]
fn nested_readers_are_one() {
    let outer = GlobalEpochs.pin();
    let cookie = GlobalEpochs.cookie();
    let inner = GlobalEpochs.pin();
    drop(outer);
    for _ in 0..10 {
        assert!(!GlobalEpochs.is_over(cookie));
        drop(GlobalEpochs.pin());
    }
    drop(inner);
    GlobalEpochs.synchronize();
    assert!(GlobalEpochs.is_over(cookie));
}

#[test]
fn a_thread_gives_its_record_back() {
    let threads = if cfg!(miri) { 50 } else { 1000 };
    for _ in 0..threads {
        thread::spawn(|| drop(GlobalEpochs.pin())).join().unwrap();
    }
    assert!(GlobalEpochs.records() < FEW, "{}", GlobalEpochs.records());
}

/// Reads when it is dropped.
struct Late;

impl Drop for Late {
    fn drop(&mut self) {
        let guard = GlobalEpochs.pin();
        let cookie = GlobalEpochs.cookie();
        let nested = GlobalEpochs.pin();
        drop(guard);
        assert!(!GlobalEpochs.is_over(cookie));
        drop(nested);
    }
}

thread_local! {
    static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
    static KEPT: RefCell<Option<Guard<'static>>> = const { RefCell::new(None) };
}

#[test]
fn a_thread_may_read_until_its_end() {
    let threads = if cfg!(miri) { 10 } else { 100 };
    for thread in 0..threads {
        let joined = thread::spawn(move || {
            // Either before or after the record becomes a thread local: destroyed after or before it.
            if thread % 2 == 0 {
                drop(GlobalEpochs.pin());
            }
            LATE.set(Some(Late));
            drop(GlobalEpochs.pin());
        });
        joined.join().unwrap();
    }
    assert!(GlobalEpochs.records() < FEW, "{}", GlobalEpochs.records());
    GlobalEpochs.synchronize();
}

#[test]
fn a_guard_may_be_a_thread_local() {
    let threads = if cfg!(miri) { 10 } else { 100 };
    for thread in 0..threads {
        let joined = thread::spawn(move || {
            if thread % 2 == 0 {
                drop(GlobalEpochs.pin());
            }
            KEPT.set(None);
            let cookie = GlobalEpochs.cookie();
            KEPT.set(Some(GlobalEpochs.pin()));
            cookie
        });
        let cookie = joined.join().unwrap();
        GlobalEpochs.synchronize();
        assert!(GlobalEpochs.is_over(cookie));
    }
    assert!(GlobalEpochs.records() < FEW, "{}", GlobalEpochs.records());
}
