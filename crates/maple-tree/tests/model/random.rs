//! Random programs, with and without enough memory.

use std::num::NonZeroU64;
use std::ptr::NonNull;
use std::sync::Arc;

use fastrand::Rng;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::Epochs;
use maple_tree::{Gaps, NoGaps, SmallGaps, SmallNoGaps};

use crate::check::Subject;
use crate::kind::{Exclusive, Kind, Shared, Tree as _};
use crate::layouts::Tested;
use crate::model::{Model, Ranges, Slots};
use crate::programs::{self, Phase};
use crate::seed::{scaled, seeds};
use crate::values::{Counted, Live, Value};

/// How long and how thoroughly a program runs.
struct Effort {
    steps: usize,
    /// Steps between two checks of the whole tree.
    check_every: usize,
    /// The longest phase, and so how large trees become.
    phase: usize,
}

impl Effort {
    /// A part of it.
    fn over(&self, divisor: usize) -> Self {
        Self { steps: self.steps / divisor, ..*self }
    }
}

/// Spaces that are checked as a whole after each step.
const SMALL: Effort = Effort { steps: 1000, check_every: 1, phase: 200 };
/// The whole index space.
const LARGE: Effort = Effort { steps: 4000, check_every: 64, phase: 1500 };

fn plans(seed: u64) -> [Plan; 4] {
    [Plan::Never, Plan::Every(3), Plan::Random { probability: 0.5, seed }, Plan::After(7)]
}

fn run<V: Value, L: Tested, K: Kind>(
    title: &str,
    model: impl Model + 'static,
    effort: &Effort,
    plan: &Plan,
    seed: u64,
) {
    let mut rng = Rng::with_seed(seed);
    let (alloc, epochs) = (FaultyAlloc::new(Plan::Never), Epochs::new());
    let live = Live::default();
    let title = format!("MAPLE_SEED={seed}, {title}, {plan}");
    let mut subject = Subject::<V, L, K>::new(&alloc, &epochs, model, &live, title);
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
        let op = programs::next(&mut rng, phase, &*subject.model);
        subject.apply(op);
        subject.tree.disturb(&mut rng);
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
    subject.tree.settle();
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

/// All spaces and plans of failure, with a part of the steps.
fn all<V: Value, L: Tested, K: Kind>(effort: usize) {
    for seed in seeds() {
        for (i, plan) in (0..).zip(plans(seed)) {
            // Programs that differ, all from one seed.
            let seed = seed.wrapping_mul(1000).wrapping_add(i);
            // There is no time for so many in an interpreter.
            let spaces = if cfg!(miri) { Vec::new() } else { spaces() };
            for (title, model) in spaces {
                run::<V, L, K>(title, model, &SMALL.over(effort), &plan, seed);
            }
            run::<V, L, K>("all indices", Ranges::default(), &LARGE.over(effort), &plan, seed);
        }
    }
}

/// One test for each kind of entry.
macro_rules! tests {
    ($layout:ident, $kind:ident, $divisor:literal: $($name:ident $entry:ty),+) => {$(
        #[test]
        fn $name() {
            all::<$entry, $layout, $kind>($divisor);
        }
    )+};
}

macro_rules! layouts {
    ($($name:ident: $layout:ident, $kind:ident, $divisor:literal;)+) => {$(
        mod $name {
            use super::*;

            tests!(
                $layout, $kind, $divisor: units (), integers NonZeroU64, boxes Box<Counted>, arcs Arc<Counted>,
                references &'static u64, pointers NonNull<u64>
            );
        }
    )+};
}

layouts! {
    small_gaps: SmallGaps, Exclusive, 1;
    small_no_gaps: SmallNoGaps, Exclusive, 1;
    shared_small_gaps: SmallGaps, Shared, 2;
}
// Only sizes differ, and an interpreter takes its time.
#[cfg(not(miri))]
layouts! {
    gaps: Gaps, Exclusive, 1;
    no_gaps: NoGaps, Exclusive, 1;
}

/// All that is different about entries here is whether they are dropped: the other kinds take too long to compile.
#[cfg(not(miri))]
mod shared_other_layouts {
    use super::*;

    tests!(SmallNoGaps, Shared, 4: small_no_gaps Box<Counted>);
    tests!(Gaps, Shared, 4: gaps Box<Counted>, gaps_of_units ());
    tests!(NoGaps, Shared, 4: no_gaps Box<Counted>);
}
