//! A program with each of its allocations failing, one after the other.
//!
//! Readers come and go and stay as the program says. Iterators that stay do not: they are on the stack, and a step of a sweep
//! ends.

use std::marker::PhantomData;

use maple_faults::sweep::{self, Case, Outcome};
use maple_faults::{Counts, Plan};
use maple_tree::{Compaction, IndexRange};

use super::ops::Op;
use super::{Done, Ground, Subject, overwrite};
use crate::layouts::Tested;

/// The steps of a program on a shared tree of a layout.
pub(super) struct On<'p, L> {
    pub(super) name: &'p str,
    /// The command that runs it.
    pub(super) command: &'p str,
    pub(super) space: IndexRange,
    pub(super) bounds: IndexRange,
    pub(super) ops: Vec<Op>,
    pub(super) layout: PhantomData<L>,
}

/// A shared tree with its model.
pub(super) struct Swept<'t, L: Tested> {
    subject: Subject<'t, L>,
    /// Whether something was done in part for want of memory, so that what follows is another program.
    diverged: bool,
}

/// What lies in the tree.
type Taken = Vec<(IndexRange, Option<u64>)>;

impl<L: Tested> sweep::Memory for Ground<L> {
    fn set_plan(&self, plan: Plan) {
        self.made_with.alloc.set_plan(plan);
    }

    fn counts(&self) -> Counts {
        self.made_with.alloc.counts()
    }

    /// What is kept for writes to come is the tree's, which is not gone yet: that it leaves nothing is checked when it is.
    fn check_nothing_left(&self) {
        assert_eq!(self.made_with.live.count(), 0, "values are left");
        let bytes = self.tree.write().shared_stats().bytes as u64;
        assert_eq!(self.made_with.alloc.counts().live_bytes, bytes, "memory is left");
    }
}

impl<L: Tested> Case for On<'_, L> {
    type Memory = Ground<L>;
    type Step = Op;
    type State = Taken;
    type Result = Taken;
    type Subject<'t> = Swept<'t, L>;

    /// Nodes are joined only if there is memory for it.
    const TOLERATES: bool = true;

    fn name(&self) -> &str {
        self.name
    }

    fn command(&self) -> String {
        self.command.to_owned()
    }

    fn program(&self) -> &[Op] {
        &self.ops
    }

    fn frees(op: &Op) -> bool {
        matches!(
            op,
            Op::Erase(_)
                | Op::EraseIf(..)
                | Op::Unreserve(_)
                | Op::Overwrite(overwrite::Op::EraseEach { .. })
                | Op::Clear
                | Op::Collect
                | Op::Leave(_)
        )
    }

    fn memory(&self) -> Ground<L> {
        Ground::new(self.bounds, Plan::Never)
    }

    fn subject<'t>(&self, ground: &'t Ground<L>) -> Swept<'t, L> {
        Swept { subject: ground.subject(self.space), diverged: false }
    }
}

impl<L: Tested> sweep::Subject for Swept<'_, L> {
    type Step = Op;
    type State = Taken;
    type Result = Taken;

    fn apply(&mut self, op: &Op) -> Outcome {
        let subject = &mut self.subject;
        let failed = subject.alloc.counts().failed;
        let before = (subject.number, subject.recent, subject.placed_last);
        subject.done = None;
        op.apply(subject, None);
        let lacked_memory = subject.alloc.counts().failed > failed;
        match (op, subject.done) {
            (Op::Many(_) | Op::Overwrite(overwrite::Op::Merge { .. }), _) => {
                self.diverged |= lacked_memory;
                Outcome::Done
            }
            (_, Some(Done::NoMemory)) if lacked_memory => {
                // The next attempt is to mean the same.
                (subject.number, subject.recent, subject.placed_last) = before;
                Outcome::NoMemory
            }
            (_, done) => {
                // Refused for what waits for readers: how much that is depends on what was copied before.
                self.diverged |= done == Some(Done::NoMemory);
                Outcome::Done
            }
        }
    }

    fn state(&self) -> Taken {
        self.subject.model.taken().collect()
    }

    fn result(&self) -> Option<Taken> {
        (!self.diverged).then(|| self.state())
    }

    fn validate(&self) {
        self.subject.check_all();
    }

    fn drain(&mut self) {
        let subject = &mut self.subject;
        subject.guests = Default::default();
        subject.writer().clear();
        subject.tree.synchronize();
        subject.model.clear();
        (subject.number, subject.recent, subject.placed_last) = (0, subject.space.first(), None);
        subject.compaction = Compaction::new();
        self.diverged = false;
    }
}

/// All that was in the tree is given back: a domain of readers without readers.
impl<L: Tested> Drop for Swept<'_, L> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            sweep::Subject::drain(self);
        }
    }
}
