use std::sync::Arc;

use fastrand::Rng;
use maple_tree::{SmallGaps, SmallNoGaps};
use shuttle::rand::Rng as _;
use shuttle::thread;

use crate::run::schedules;
use crate::stand::{Stand, Tested};

/// Numbers that belong to the schedule: they are the same when it runs again.
fn rng() -> Rng {
    Rng::with_seed(shuttle::rand::thread_rng().gen_range(0..=u64::MAX))
}

/// So many writers with so many writes each, and likewise readers.
fn program<L: Tested>((writers, writes): (usize, usize), (readers, looks): (usize, usize), waits: bool) {
    let stand = Stand::<L>::new();
    let mut threads = Vec::new();
    for _ in 0..writers {
        let (stand, mut rng) = (Arc::clone(&stand), rng());
        threads.push(thread::spawn(move || (0..writes).for_each(|_| stand.write(&mut rng))));
    }
    for _ in 0..readers {
        let (stand, mut rng) = (Arc::clone(&stand), rng());
        threads.push(thread::spawn(move || {
            for _ in 0..3 {
                stand.read(&mut rng, looks);
            }
        }));
    }
    if waits {
        stand.synchronize();
    }
    for thread in threads {
        thread.join().expect("a thread has panicked");
    }
    stand.end();
}

#[test]
fn two_readers_and_a_writer() {
    schedules(|| program::<SmallGaps>((1, 30), (2, 6), false));
}

#[test]
fn readers_that_stay_and_two_writers() {
    schedules(|| program::<SmallGaps>((2, 15), (2, 12), false));
}

#[test]
fn without_gaps_and_somebody_who_waits() {
    schedules(|| program::<SmallNoGaps>((2, 12), (3, 4), true));
}
