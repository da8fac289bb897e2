//! Writers unlink and free, readers look: an error is a use after free or a race, which Miri and the
//! sanitizers report, or a value that is poisoned.

use std::collections::VecDeque;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr};
use std::thread;

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::AllocMode;
use maple_tree::reclaim::{Epochs, Reclaim};

const WRITES: usize = if cfg!(miri) { 60 } else { 20_000 };
/// More records than readers, since a reader may miss that one was given back just now; but not one for each.
const FEW: usize = 30;
const POISON: usize = usize::MAX;

/// Something with a value that must not change while one looks.
struct Object {
    value: usize,
    square: usize,
}

/// Reads once, or some times: each time it calls what it is given, with a guard.
type Reads<'a, G> = dyn Fn(&dyn Fn(&G)) + Sync + 'a;

/// A place for an object: `writers` replace it, `readers` look at it until all is done.
fn stress<R: Reclaim + Sync, G>(reclaim: &R, writers: usize, readers: &[&Reads<'_, G>])
where
    R::Cookie: Send,
{
    let place = AtomicPtr::new(Box::into_raw(Box::new(Object { value: 0, square: 0 })));
    let done = AtomicBool::new(false);
    let lock = Mutex::new(());
    thread::scope(|scope| {
        let place = &place;
        for reader in readers {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Relaxed) {
                    reader(&|_guard| {
                        // SAFETY: what is in the place is freed only after a grace period, and there is a guard.
                        let object = unsafe { &*place.load(Acquire) };
                        for _ in 0..3 {
                            assert_ne!(object.value, POISON);
                            assert_eq!(object.value * object.value, object.square);
                        }
                    });
                }
            });
        }
        let writers: Vec<_> = (0..writers)
            .map(|_| {
                scope.spawn(|| {
                    let mut retired = VecDeque::new();
                    for value in 1..=WRITES {
                        let new = Box::into_raw(Box::new(Object { value, square: value * value }));
                        let old = {
                            let _one_at_a_time = lock.lock();
                            place.swap(new, Release)
                        };
                        retired.push_back((reclaim.cookie(), old));
                        if value % 16 == 0 {
                            reclaim.synchronize();
                            assert!(retired.iter().all(|&(cookie, _)| reclaim.is_over(cookie)));
                        }
                        while retired.front().is_some_and(|&(cookie, _)| reclaim.is_over(cookie)) {
                            free(retired.pop_front().map_or(ptr::null_mut(), |(_, old)| old));
                        }
                    }
                    reclaim.synchronize();
                    retired.into_iter().for_each(|(_, old)| free(old));
                })
            })
            .collect();
        let failed = writers.into_iter().filter_map(|writer| writer.join().err()).count();
        done.store(true, Relaxed);
        assert_eq!(failed, 0);
    });
    free(place.into_inner());
}

fn free(object: *mut Object) {
    assert!(!object.is_null());
    // SAFETY: the object was unlinked, and the grace period is over: nobody else has it.
    let mut object = unsafe { Box::from_raw(object) };
    object.value = POISON;
}

#[test]
fn readers_that_pin() {
    let epochs = Epochs::new();
    let reader = |look: &dyn Fn(&_)| look(&epochs.pin());
    stress(&epochs, 1, &[&reader, &reader, &reader]);
    assert!(epochs.records() <= FEW, "{}", epochs.records());
}

#[test]
fn readers_that_registered() {
    let epochs = Epochs::new();
    let reader = |look: &dyn Fn(&_)| {
        let reader = epochs.register(AllocMode::Normal).unwrap();
        for _ in 0..10 {
            let outer = reader.pin();
            look(&reader.pin());
            look(&outer);
        }
    };
    stress(&epochs, 2, &[&reader, &reader]);
    assert!(epochs.records() <= FEW, "{}", epochs.records());
}

#[test]
fn readers_without_memory() {
    let alloc = FaultyAlloc::new(Plan::After(0));
    let epochs = Epochs::new_in(&alloc);
    let reader = |look: &dyn Fn(&_)| look(&epochs.pin());
    stress(&epochs, 2, &[&reader, &reader, &reader]);
    assert_eq!(epochs.records(), 0);
}

#[test]
fn readers_of_all_kinds() {
    // One record only: who does not get it is counted.
    let alloc = FaultyAlloc::new(Plan::After(1));
    let epochs = Epochs::new_in(&alloc);
    let registers = |look: &dyn Fn(&_)| match epochs.register(AllocMode::Normal) {
        Ok(reader) => look(&reader.pin()),
        Err(_) => look(&epochs.pin()),
    };
    let pins = |look: &dyn Fn(&_)| look(&epochs.pin());
    stress(&epochs, 2, &[&registers, &pins, &pins]);
    assert!(epochs.records() <= 1);
}

#[cfg(feature = "std")]
#[test]
fn readers_of_the_program() {
    use maple_tree::reclaim::GlobalEpochs;

    let reader = |look: &dyn Fn(&_)| {
        let outer = GlobalEpochs.pin();
        look(&GlobalEpochs.pin());
        look(&outer);
    };
    stress(&GlobalEpochs, 2, &[&reader, &reader]);
}
