//! The kernel's maple tree in RCU mode: threads read it while one writes, as those of page faults do.

#![expect(unsafe_code, reason = "calls C")]

use std::ffi::{c_int, c_ulong, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Once;

use super::ffi::{RawTree, entry, set_up};
use crate::subject::{SharedMap, Subject};

unsafe extern "C" {
    fn peer_maple_rcu_setup();
    fn peer_rcu_enter();
    fn peer_rcu_pass();
    fn peer_maple_rcu_new() -> *mut RawTree;
    fn peer_maple_rcu_drop(tree: *mut RawTree);
    fn peer_maple_rcu_load(tree: *mut RawTree, index: c_ulong) -> *mut c_void;
    fn peer_maple_rcu_load_once(tree: *mut RawTree, index: c_ulong) -> *mut c_void;
    fn peer_maple_rcu_insert(tree: *mut RawTree, first: c_ulong, last: c_ulong, entry: *mut c_void) -> c_int;
    fn peer_maple_rcu_erase(tree: *mut RawTree, index: c_ulong) -> *mut c_void;
    fn peer_maple_rcu_sum(tree: *mut RawTree) -> c_ulong;
}

pub struct KernelMapleRcu(NonNull<RawTree>);

// SAFETY: nodes go to the free list of the thread that gives them back, whoever took them.
unsafe impl Send for KernelMapleRcu {}
// SAFETY: what writes takes the tree's lock, and nodes are given back when no reader can be in them.
unsafe impl Sync for KernelMapleRcu {}

/// A thread that reads, and says that it has passed after each lookup, or after several.
pub struct Reader<'a> {
    tree: &'a KernelMapleRcu,
    several: bool,
    /// The thread is a reader, not others.
    thread: PhantomData<*mut ()>,
}

impl Drop for Reader<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.several {
            // SAFETY: this thread entered. It is in no lookup; what one found is a number, not a place in the tree.
            unsafe { peer_rcu_pass() };
        }
    }
}

impl Subject for KernelMapleRcu {
    const NAME: &'static str = "C maple tree (RCU)";
}

// SAFETY, for all blocks below: the pointer is that of a tree that lives, since only `drop` ends it; entries are odd, which
// the tree takes for values and never follows; and a thread that looks up has entered.
impl SharedMap for KernelMapleRcu {
    type Reader<'a> = Reader<'a>;

    fn new() -> Self {
        static DONE: Once = Once::new();
        // All other caches are made before this one.
        set_up();
        // SAFETY: the first is called once; the other needs nothing but the setup.
        let raw = unsafe {
            DONE.call_once(|| peer_maple_rcu_setup());
            peer_maple_rcu_new()
        };
        Self(NonNull::new(raw).expect("there is memory"))
    }

    #[inline]
    fn read(&self, several: bool) -> Reader<'_> {
        if several {
            // SAFETY: a variable of this thread, and who reads.
            unsafe { peer_rcu_enter() };
        }
        Reader { tree: self, several, thread: PhantomData }
    }

    #[inline]
    fn get(reader: &Reader<'_>, index: u64) -> Option<usize> {
        let tree = reader.tree.0.as_ptr();
        // SAFETY: see above; where there is one lookup it enters by itself.
        let entry = unsafe {
            if reader.several {
                peer_maple_rcu_load(tree, index)
            } else {
                peer_maple_rcu_load_once(tree, index)
            }
        };
        (!entry.is_null()).then(|| entry.addr())
    }

    #[inline]
    fn insert(&self, first: u64, last: u64, value: usize) {
        // SAFETY: see above.
        let error = unsafe { peer_maple_rcu_insert(self.0.as_ptr(), first, last, entry(value)) };
        assert_eq!(error, 0, "it is free, and there is memory");
    }

    #[inline]
    fn erase(&self, first: u64, _last: u64) {
        // SAFETY: see above.
        let there = unsafe { peer_maple_rcu_erase(self.0.as_ptr(), first) };
        assert!(!there.is_null(), "it is there");
    }

    fn sum(&self) -> u64 {
        // SAFETY: see above.
        unsafe { peer_maple_rcu_sum(self.0.as_ptr()) }
    }
}

impl Drop for KernelMapleRcu {
    fn drop(&mut self) {
        // SAFETY: see above; nobody else has it any more.
        unsafe { peer_maple_rcu_drop(self.0.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    /// Entries from so many indices on, this far apart.
    const COUNT: u64 = 300;
    const APART: u64 = 64;

    /// Writers come and go, and leave what waits for readers to each other; readers always find what stays.
    #[test]
    fn readers_find_what_stays_while_writers_come_and_go() {
        let map = KernelMapleRcu::new();
        let value = |number: u64| 2 * number as usize + 1;
        for number in 0..COUNT {
            map.insert(number * APART, number * APART + 9, value(number));
        }
        let sum = map.sum();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for several in [false, true] {
                let (map, done) = (&map, &done);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        let reader = map.read(several);
                        for number in 0..COUNT {
                            let found = KernelMapleRcu::get(&reader, number * APART + 5);
                            assert!(found == Some(value(number)) || number % 2 == 1 && found.is_none());
                        }
                    }
                });
            }
            for _ in 0..20 {
                let writer = || {
                    for number in (1..COUNT).step_by(2) {
                        map.erase(number * APART, number * APART + 9);
                        map.insert(number * APART, number * APART + 9, value(number));
                    }
                };
                scope.spawn(writer).join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(map.sum(), sum);
    }
}
