//! The programs by rule, with enough memory.

use maple_faults::sweep::Outcome;
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::Epochs;
use maple_tree::{Gaps, NoGaps, SmallGaps, SmallNoGaps};

use crate::check::Subject;
use crate::kind::{Exclusive, Kind, Shared};
use crate::layouts::Tested;
use crate::model::Ranges;
use crate::rules;
use crate::seed::{scaled, seeds};
use crate::values::{Counted, Live};

fn orders<L: Tested, K: Kind>() {
    let mut rng = fastrand::Rng::with_seed(seeds().start);
    for (name, program) in rules::by_rule(scaled(1000) as u64) {
        let (alloc, epochs) = (FaultyAlloc::new(Plan::Never), Epochs::new());
        let live = Live::default();
        let title = format!("MAPLE_SEED={}, {name}", seeds().start);
        let mut subject =
            Subject::<Box<Counted>, L, K>::new(&alloc, &epochs, Ranges::default(), &live, title);
        for (step, op) in program.into_iter().enumerate() {
            assert_eq!(subject.apply(op), Outcome::Done);
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

macro_rules! layouts {
    ($($name:ident: $layout:ident),+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn exclusive() {
                orders::<$layout, Exclusive>();
            }

            #[test]
            fn shared() {
                orders::<$layout, Shared>();
            }
        }
    )+};
}

layouts!(small_gaps: SmallGaps, small_no_gaps: SmallNoGaps);
// Only sizes differ, and an interpreter takes its time.
#[cfg(not(miri))]
layouts!(gaps: Gaps, no_gaps: NoGaps);
