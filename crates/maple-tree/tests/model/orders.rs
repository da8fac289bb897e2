//! The programs by rule, with enough memory.

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Gaps, NoGaps, SmallGaps, SmallNoGaps};

use crate::apply::Outcome;
use crate::check::Subject;
use crate::layouts::Tested;
use crate::model::Ranges;
use crate::rules;
use crate::seed::{scaled, seeds};
use crate::values::{Counted, Live};

fn orders<L: Tested>() {
    let mut rng = fastrand::Rng::with_seed(seeds().start);
    for (name, program) in rules::by_rule(scaled(1000) as u64) {
        let alloc = FaultyAlloc::new(Plan::Never);
        let live = Live::default();
        let title = format!("MAPLE_SEED={}, {name}", seeds().start);
        let mut subject = Subject::<Box<Counted>, L, _>::new(&alloc, Ranges::default(), &live, title);
        for (step, op) in program.into_iter().enumerate() {
            assert_eq!(subject.apply(op), Outcome::AsPlanned);
            subject.check_search(&mut rng, 1);
            if step % 16 == 0 {
                subject.check_structure();
                subject.check_contents();
            }
        }
        subject.check_structure();
        subject.check_ends(&mut rng);
        drop(subject);
        assert_eq!((alloc.counts().live, live.count()), (0, 0));
    }
}

#[test]
fn small_gaps() {
    orders::<SmallGaps>();
}

#[cfg_attr(miri, ignore = "only sizes differ, and an interpreter takes its time")]
#[test]
fn gaps() {
    orders::<Gaps>();
}

#[test]
fn small_no_gaps() {
    orders::<SmallNoGaps>();
}

#[cfg_attr(miri, ignore = "only sizes differ, and an interpreter takes its time")]
#[test]
fn no_gaps() {
    orders::<NoGaps>();
}
