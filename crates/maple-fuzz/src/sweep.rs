//! A program with each of its allocations failing, one after the other.

use std::marker::PhantomData;

use maple_faults::sweep::{self, Case, Outcome};
use maple_faults::{Counts, FaultyAlloc, Plan};
use maple_tree::{Compaction, IndexRange};

use crate::layouts::Tested;
use crate::ops::Op;
use crate::subject::Subject;
use crate::values::Live;

/// The steps of a program, and what they run on.
pub(crate) struct Steps<'p> {
    pub(crate) name: &'p str,
    /// The command that runs it.
    pub(crate) command: &'p str,
    pub(crate) space: IndexRange,
    pub(crate) bounds: IndexRange,
    /// Those that say how memory fails are left out: that is for the sweep to say.
    pub(crate) ops: Vec<Op>,
}

/// All that a tree is made with.
pub(crate) struct Ground {
    alloc: FaultyAlloc,
    live: Live,
}

/// A tree with its model.
pub(crate) struct Swept<'a, L: Tested> {
    subject: Subject<'a, L>,
    /// Whether something was done in part for want of memory, so that what follows is another program.
    diverged: bool,
}

/// What lies in the tree, and in the copy if there is one.
type Taken = [Vec<(IndexRange, Option<u64>)>; 2];

/// The steps for a layout.
pub(crate) struct On<'p, L>(pub(crate) Steps<'p>, pub(crate) PhantomData<L>);

impl sweep::Memory for Ground {
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

impl<L: Tested> Case for On<'_, L> {
    type Memory = Ground;
    type Step = Op;
    type State = Taken;
    type Result = Taken;
    type Subject<'a> = Swept<'a, L>;

    /// What was done in part is not reported as a step that failed.
    const TOLERATES: bool = true;

    fn name(&self) -> &str {
        self.0.name
    }

    fn command(&self) -> String {
        self.0.command.to_owned()
    }

    fn program(&self) -> &[Op] {
        &self.0.ops
    }

    fn frees(op: &Op) -> bool {
        matches!(
            op,
            Op::Erase(_) | Op::Remove(_) | Op::Merge(_) | Op::Compact(_) | Op::Change(_) | Op::Look(_)
        )
    }

    fn memory(&self) -> Ground {
        Ground { alloc: FaultyAlloc::new(Plan::Never), live: Live::default() }
    }

    fn subject<'a>(&self, ground: &'a Ground) -> Swept<'a, L> {
        let Steps { space, bounds, .. } = self.0;
        Swept { subject: Subject::new(&ground.alloc, &ground.live, space, bounds), diverged: false }
    }
}

impl<L: Tested> sweep::Subject for Swept<'_, L> {
    type Step = Op;
    type State = Taken;
    type Result = Taken;

    fn apply(&mut self, op: &Op) -> Outcome {
        let subject = &mut self.subject;
        let failed = subject.alloc.counts().failed;
        let before = (subject.number, subject.recent, subject.placed_last, subject.compaction.clone());
        subject.apply(*op);
        if subject.alloc.counts().failed == failed {
            return Outcome::Done;
        }
        if matches!(op, Op::Many(_) | Op::Bulk(_) | Op::Cursor(_)) {
            self.diverged = true;
            return Outcome::Done;
        }
        // The next attempt is to mean the same.
        (subject.number, subject.recent, subject.placed_last, subject.compaction) = before;
        Outcome::NoMemory
    }

    fn state(&self) -> Taken {
        let Subject { model, copy, .. } = &self.subject;
        let copied = copy.iter().flat_map(|(_, model)| model.taken());
        [model.taken().collect(), copied.collect()]
    }

    fn result(&self) -> Option<Taken> {
        (!self.diverged).then(|| self.state())
    }

    fn validate(&self) {
        self.subject.check_counts();
        self.subject.check_structure();
        self.subject.check_contents();
    }

    fn drain(&mut self) {
        let subject = &mut self.subject;
        subject.tree.clear();
        subject.model.clear();
        subject.copy = None;
        (subject.number, subject.recent, subject.placed_last) = (0, subject.space.first(), None);
        subject.compaction = Compaction::new();
        self.diverged = false;
    }
}
