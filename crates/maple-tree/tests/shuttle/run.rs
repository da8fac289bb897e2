//! How many schedules are tried, and which.

use std::env;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, Runner};

/// How many schedules of each kind, if `MAPLE_ROUNDS` does not say how many times as many.
const SCHEDULES: usize = 1000;

/// In how many places PCT takes the thread off that is most urgent.
const DEPTH: usize = 3;

/// Runs a program in schedules that are random at each step, and in such that have a few points of change (PCT: a bug that
/// takes d changes is found with a chance that has a lower bound).
///
/// `MAPLE_SEED` chooses others, `MAPLE_ROUNDS` more, `MAPLE_SCHEDULE` a single one: what a failure printed.
pub(crate) fn schedules(program: impl Fn() + Send + Sync + Clone + 'static) {
    if let Ok(schedule) = env::var("MAPLE_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(schedule.trim()), program);
    }
    let seed = number("MAPLE_SEED").unwrap_or(1);
    let schedules = SCHEDULES * number("MAPLE_ROUNDS").unwrap_or(1) as usize;
    run(RandomScheduler::new_from_seed(seed, schedules), program.clone());
    run(PctScheduler::new_from_seed(seed, DEPTH, schedules), program);
}

fn run(scheduler: impl Scheduler + 'static, program: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(program);
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| unreachable!("{name}={text}: {error}")))
}
