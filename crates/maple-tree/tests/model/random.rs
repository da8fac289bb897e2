//! Random programs, with and without enough memory.

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};

use crate::check::Subject;
use crate::layouts::Tested;
use crate::model::{Model, Ranges, Slots};
use crate::programs::{self, Phase};
use crate::seed::{scaled, seeds};
use crate::values::{Live, Value};

/// How long and how thoroughly a program runs.
struct Effort {
    steps: usize,
    /// Steps between two checks of the whole tree.
    check_every: usize,
    /// The longest phase, and so how large trees become.
    phase: usize,
}

/// Spaces that are checked as a whole after each step.
const SMALL: Effort = Effort { steps: 1000, check_every: 1, phase: 200 };
/// The whole index space.
const LARGE: Effort = Effort { steps: 4000, check_every: 64, phase: 1500 };

fn plans(seed: u64) -> [Plan; 4] {
    [Plan::Never, Plan::Every(3), Plan::Random { probability: 0.5, seed }, Plan::After(7)]
}

fn run<V: Value, L: Tested>(title: &str, model: impl Model, effort: &Effort, plan: &Plan, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let alloc = FaultyAlloc::new(Plan::Never);
    let live = Live::default();
    let title = format!("MAPLE_SEED={seed}, {title}, {plan}");
    let mut subject = Subject::<V, L, _>::new(&alloc, model, &live, title);
    let longest = scaled(effort.phase);
    let (mut phase, mut left) = (Phase::Grow, longest);
    for step in 0..scaled(effort.steps) {
        if left == 0 {
            phase = Phase::any(&mut rng);
            left = rng.usize(1..=longest);
            // Starts to count anew. In some phases there is memory, or trees would stay small.
            alloc.set_plan(if rng.bool() { plan.clone() } else { Plan::Never });
        }
        left -= 1;
        let op = programs::next(&mut rng, phase, &subject.model);
        subject.apply(op);
        let space = subject.model.space();
        for index in [programs::index(&mut rng, space), space.first(), space.last()] {
            subject.check_lookup(index);
        }
        subject.check_search(&mut rng, 1);
        if step % effort.check_every == 0 {
            subject.check_structure();
            subject.check_contents();
            subject.check_search(&mut rng, 2);
            let window = programs::window(&mut rng, space);
            subject.check_window(window, &mut rng);
        }
        if step % (16 * effort.check_every) == 0 {
            subject.check_ends(&mut rng);
            subject.check_search(&mut rng, 20);
        }
    }
    subject.check_structure();
    drop(subject);
    assert_eq!((alloc.counts().live, live.count()), (0, 0), "left after the tree");
}

fn spaces() -> Vec<(&'static str, Slots)> {
    vec![
        ("64 indices", Slots::new(0, 64)),
        ("the top 64 indices", Slots::at_the_top(64)),
        ("a tree of 64 indices", Slots::new(1000, 64).bounded()),
        ("a tree of the top 64 indices", Slots::at_the_top(64).bounded()),
        ("256 indices", Slots::new(0, 256)),
        ("the top 256 indices", Slots::at_the_top(256)),
        ("a tree of 256 indices", Slots::new(0, 256).bounded()),
    ]
}

/// All spaces and plans of failure.
fn all<V: Value, L: Tested>() {
    for seed in seeds() {
        for (i, plan) in (0..).zip(plans(seed)) {
            // Programs that differ, all from one seed.
            let seed = seed.wrapping_mul(1000).wrapping_add(i);
            // There is no time for so many in an interpreter.
            let spaces = if cfg!(miri) { Vec::new() } else { spaces() };
            for (title, model) in spaces {
                run::<V, L>(title, model, &SMALL, &plan, seed);
            }
            run::<V, L>("all indices", Ranges::default(), &LARGE, &plan, seed);
        }
    }
}

/// One test for each kind of entry.
macro_rules! layouts {
    ($($name:ident: $layout:ident),+) => {$(
        mod $name {
            use std::num::NonZeroU64;
            use std::ptr::NonNull;
            use std::sync::Arc;

            use maple_tree::$layout;

            use super::all;
            use crate::values::Counted;

            #[test]
            fn units() {
                all::<(), $layout>();
            }

            #[test]
            fn integers() {
                all::<NonZeroU64, $layout>();
            }

            #[test]
            fn boxes() {
                all::<Box<Counted>, $layout>();
            }

            #[test]
            fn arcs() {
                all::<Arc<Counted>, $layout>();
            }

            #[test]
            fn references() {
                all::<&'static u64, $layout>();
            }

            #[test]
            fn pointers() {
                all::<NonNull<u64>, $layout>();
            }
        }
    )+};
}

layouts!(small_gaps: SmallGaps, small_no_gaps: SmallNoGaps);
// Only sizes differ, and an interpreter takes its time.
#[cfg(not(miri))]
layouts!(gaps: Gaps, no_gaps: NoGaps);
