use std::sync::Arc;

use fastrand::Rng;
use iova::Checking;
use iova::flush::FlushPolicy;
use shuttle::rand::Rng as _;
use shuttle::thread;

use crate::run::schedules;
use crate::stand::{Like, Stand};

/// So many threads with so many steps each.
fn program(like: Like, threads: usize, steps: usize) {
    let stand = Stand::new(like);
    let threads: Vec<_> = (0..threads)
        .map(|number| {
            let stand = Arc::clone(&stand);
            // The numbers belong to the schedule: they are the same when it runs again.
            let mut rng = Rng::with_seed(shuttle::rand::thread_rng().gen_range(0..=u64::MAX));
            thread::spawn(move || stand.run(number, &mut rng, steps))
        })
        .collect();
    for thread in threads {
        thread.join().expect("a thread has panicked");
    }
    stand.end();
}

const LIKE: Like = Like { granules: 64, policy: FlushPolicy::Deferred, checking: Checking::Exact };

#[test]
fn four_threads_with_much_space() {
    schedules(|| program(LIKE, 4, 25));
}

#[test]
fn three_threads_that_run_out_of_space() {
    schedules(|| program(Like { granules: 12, ..LIKE }, 3, 30));
}

#[test]
fn three_threads_that_are_trusted() {
    schedules(|| program(Like { checking: Checking::Trust, ..LIKE }, 3, 30));
}

#[test]
fn strict_invalidation() {
    schedules(|| program(Like { granules: 24, policy: FlushPolicy::Strict, ..LIKE }, 3, 25));
}
