//! Memory that fails at every single point: nothing is lost, nothing leaks, and the program can go on.
//!
//! What is done with each program is in `maple_faults::sweep`. That a step that fails changes no node, hands the value back, and
//! asks for no more than it may, is checked in each step, as in all programs here.

use std::marker::PhantomData;

use maple_faults::sweep::{self, Case, Memory, Outcome, Report};
use maple_faults::{Counts, FaultyAlloc, Plan};
use maple_tree::reclaim::Epochs;
use maple_tree::{Gaps, IndexRange, NoGaps, SmallGaps, SmallNoGaps, Stats};

use crate::check::Subject;
use crate::kind::{Exclusive, Kind, Shared, Tree as _};
use crate::layouts::Tested;
use crate::model::{Ranges, Taken};
use crate::programs::{self, Op};
use crate::seed::seeds;
use crate::values::{Counted, Live, Value as _};

/// All that a tree is made with.
struct Ground {
    alloc: FaultyAlloc,
    epochs: Epochs,
    live: Live,
}

impl Memory for Ground {
    fn set_plan(&self, plan: Plan) {
        self.alloc.set_plan(plan);
    }

    fn counts(&self) -> Counts {
        self.alloc.counts()
    }

    fn check_nothing_left(&self) {
        self.alloc.check_nothing_left();
        assert_eq!(self.live.count(), 0, "values are left");
    }
}

/// Entries, gaps, and how many nodes there are. That no node has changed is seen from the text of the tree, in each step.
type State = (Vec<(IndexRange, u64)>, Vec<IndexRange>, Stats);

/// A program for a tree of a layout and a kind.
struct Program<L, K> {
    name: String,
    steps: Vec<Op>,
    /// Which test it is in, and its seed.
    test: &'static str,
    seed: u64,
    kind: PhantomData<(L, K)>,
}

impl<L: Tested, K: Kind> Case for Program<L, K> {
    type Memory = Ground;
    type Step = Op;
    type State = State;
    type Result = Vec<Taken>;
    type Subject<'a> = Subject<'a, Box<Counted>, L, K>;

    /// Where readers are, some nodes are only for joining sparse ones, which can wait.
    const TOLERATES: bool = K::SHARED;

    fn name(&self) -> &str {
        &self.name
    }

    fn command(&self) -> String {
        format!("MAPLE_SEED={} cargo test -p maple-tree --test model faults::{}", self.seed, self.test)
    }

    fn program(&self) -> &[Op] {
        &self.steps
    }

    fn frees(step: &Op) -> bool {
        matches!(step, Op::Erase(_) | Op::Unreserve(_) | Op::Clear)
    }

    fn memory(&self) -> Ground {
        Ground { alloc: FaultyAlloc::new(Plan::Never), epochs: Epochs::new(), live: Live::default() }
    }

    fn subject<'a>(&self, ground: &'a Ground) -> Self::Subject<'a> {
        let Ground { alloc, epochs, live } = ground;
        Subject::new(alloc, epochs, Ranges::default(), live, self.name.clone())
    }
}

impl<L: Tested, K: Kind> sweep::Subject for Subject<'_, Box<Counted>, L, K> {
    type Step = Op;
    type State = State;
    type Result = Vec<Taken>;

    fn apply(&mut self, step: &Op) -> Outcome {
        self.apply(*step)
    }

    fn state(&self) -> State {
        let tree = self.tree.look();
        let entries = tree.iter().map(|(range, lent)| (range, Box::<Counted>::key_of_lent(lent)));
        (entries.collect(), tree.gaps().collect(), tree.stats())
    }

    fn result(&self) -> Option<Vec<Taken>> {
        Some(self.model.taken())
    }

    fn validate(&self) {
        self.check_structure();
        self.check_contents();
    }

    fn drain(&mut self) {
        for (range, _) in self.model.taken() {
            self.apply(Op::Erase(range.last()));
            self.apply(Op::Unreserve(range.last()));
        }
        self.tree.settle();
        (self.number, self.placed_last, self.compaction) = (0, None, Default::default());
    }
}

fn every_failure<L: Tested, K: Kind>(test: &'static str) {
    let mut report = Report::default();
    for seed in seeds() {
        for (name, steps) in programs::small(seed) {
            report.add(sweep::every_failure(&Program::<L, K> { name, steps, test, seed, kind: PhantomData }));
        }
    }
    eprintln!("{test}: {report:?}");
    assert!(report.programs == 0 || report.failed >= report.programs, "{report:?}");
}

macro_rules! layouts {
    ($($name:ident: $layout:ident, $kind:ident;)+) => {$(
        #[test]
        fn $name() {
            every_failure::<$layout, $kind>(stringify!($name));
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
