//! Memory that fails at every single point: nothing is lost, nothing leaks, and the program can go on.

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::Epochs;
use maple_tree::{Gaps, NoGaps, SmallGaps, SmallNoGaps};

use crate::apply::Outcome;
use crate::check::Subject;
use crate::kind::{Exclusive, Kind, Shared, Tree as _};
use crate::layouts::Tested;
use crate::model::{Model, Ranges, Taken};
use crate::programs::{self, Op};
use crate::seed::seeds;
use crate::values::{Counted, Live};

type Checked<'a, L, K> = Subject<'a, Box<Counted>, L, Ranges, K>;

/// Runs `case` for each program: with its name, its writes, how many allocations it makes when none fails, and
/// what is in the tree then.
fn for_each_program<L: Tested, K: Kind>(case: impl Fn(&str, &[Op], u64, &[Taken])) {
    for seed in seeds() {
        for (name, program) in programs::small(seed) {
            let name = format!("MAPLE_SEED={seed}, {name}");
            let (alloc, epochs) = (FaultyAlloc::new(Plan::Never), Epochs::new());
            let mut subject =
                Checked::<L, K>::new(&alloc, &epochs, Ranges::default(), &Live::default(), name.clone());
            run(&mut subject, &program);
            case(&name, &program, alloc.counts().calls, &subject.model.taken());
        }
    }
}

fn run<L: Tested, K: Kind>(subject: &mut Checked<'_, L, K>, program: &[Op]) {
    for &op in program {
        assert_eq!(subject.apply(op), Outcome::AsPlanned);
    }
    subject.check_structure();
    subject.check_contents();
}

/// For n = 1, 2, 3, ...: the nth allocation fails, the write is tried again.
fn each_allocation_fails_once<L: Tested, K: Kind>() {
    for_each_program::<L, K>(|name, program, allocations, entries| {
        for n in 1.. {
            let (alloc, live, epochs) = (FaultyAlloc::new(Plan::Nth(n)), Live::default(), Epochs::new());
            let title = format!("{name}, allocation {n} fails");
            let mut subject = Checked::<L, K>::new(&alloc, &epochs, Ranges::default(), &live, title);
            let mut failures = 0;
            for &op in program {
                if subject.apply(op) == Outcome::NoMemory {
                    failures += 1;
                    subject.check_contents();
                    subject.check_structure();
                    assert_eq!(subject.apply(op), Outcome::AsPlanned);
                }
                subject.check_structure();
            }
            subject.check_contents();
            assert_eq!(subject.model.taken(), entries);
            drop(subject);
            assert_eq!((alloc.counts().live, live.count()), (0, 0));
            let failed = u64::from(n <= allocations);
            // Where readers are, some nodes are only for joining sparse ones, which can wait.
            assert!(
                failures == failed || (K::SHARED && failures < failed),
                "{name}: allocation {n} of {allocations}"
            );
            if failed == 0 {
                break;
            }
        }
    });
}

/// For n = 0, 1, 2, ...: all allocations after the nth fail. What needs none still works, to the end of the
/// program. Then there is memory again, and the same tree serves the same program.
fn memory_runs_out_and_returns<L: Tested, K: Kind>() {
    for_each_program::<L, K>(|name, program, allocations, entries| {
        for n in 0..=allocations {
            let (alloc, live, epochs) = (FaultyAlloc::new(Plan::After(n)), Live::default(), Epochs::new());
            let title = format!("{name}, no memory after {n} allocations");
            let mut subject = Checked::<L, K>::new(&alloc, &epochs, Ranges::default(), &live, title);
            let mut failures = 0;
            for &op in program {
                failures += u64::from(subject.apply(op) == Outcome::NoMemory);
                subject.check_structure();
            }
            subject.check_contents();
            assert!((failures == 0) == (n == allocations) || K::SHARED);
            for (range, _) in subject.model.taken() {
                subject.apply(Op::Erase(range.last()));
                subject.apply(Op::Unreserve(range.last()));
                subject.check_structure();
            }
            subject.tree.settle();
            let left = if K::SHARED { alloc.counts().live } else { 0 };
            assert_eq!((alloc.counts().live, live.count()), (left, 0));

            alloc.set_plan(Plan::Never);
            (subject.number, subject.placed_last) = (0, None);
            run(&mut subject, program);
            assert_eq!(subject.model.taken(), entries);
            drop(subject);
            assert_eq!((alloc.counts().live, live.count()), (0, 0));
        }
    });
}

macro_rules! layouts {
    ($($name:ident: $layout:ident, $kind:ident;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn each_allocation_fails_once() {
                super::each_allocation_fails_once::<$layout, $kind>();
            }

            #[test]
            fn memory_runs_out_and_returns() {
                super::memory_runs_out_and_returns::<$layout, $kind>();
            }
        }
    )+};
}

layouts! {
    small_gaps: SmallGaps, Exclusive;
    small_no_gaps: SmallNoGaps, Exclusive;
    shared_small_gaps: SmallGaps, Shared;
    shared_small_no_gaps: SmallNoGaps, Shared;
}
// Only sizes differ, and an interpreter takes its time.
#[cfg(not(miri))]
layouts! {
    gaps: Gaps, Exclusive;
    no_gaps: NoGaps, Exclusive;
    shared_gaps: Gaps, Shared;
    shared_no_gaps: NoGaps, Shared;
}
