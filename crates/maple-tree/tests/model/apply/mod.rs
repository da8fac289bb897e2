//! One write, to the tree and to the model: what the tree says of it is compared, and what it takes from memory.

mod overwrite;
mod point;
mod search;
mod whole;

use maple_faults::sweep::Outcome;
use maple_tree::{AllocMode, IndexRange, InsertErrorKind};

use crate::check::Subject;
use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::programs::Op;
use crate::values::Value;

/// What a write did, and what it may have asked of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It needed nothing.
    WithoutMemory,
    /// It may have needed what replacing a value may.
    LikeReplacement,
    /// It may have needed the nodes of one insertion.
    LikeInsertion,
    /// It may have needed as many nodes as there are.
    LikeCopy,
    /// It may have needed any number of nodes.
    LikeBuild,
    /// There was a reason not to do it.
    Refused,
    /// There was no memory.
    NoMemory,
    /// There was no memory in the midst of it.
    Undone,
}

impl<V: Value, L: Tested, K: Kind> Subject<'_, V, L, K> {
    /// One write, compared with the model.
    pub(crate) fn apply(&mut self, op: Op) -> Outcome {
        self.steps += 1;
        self.last = Some(op);
        self.number += 1;
        let before = self.text();
        let (counts, stats) = (self.alloc.counts(), self.tree.look().stats());
        let done = match op {
            Op::Insert(range) => self.insert(range),
            Op::Reserve(range) => self.reserve(range),
            Op::Store(range) => self.store(range),
            Op::ClearRange(range) => self.clear_range(range),
            Op::PrepareInsert(range, used) => self.prepare_insert(range, used),
            Op::PrepareStore(range, used) => self.prepare_store(range, used),
            Op::Allocate(request) => self.allocate(&request),
            Op::AllocateCyclic(request) => self.allocate_cyclic(&request),
            Op::Reversed(first, last) => self.reversed(first, last),
            Op::Erase(index) => self.erase(index),
            Op::Unreserve(index) => self.unreserve(index),
            Op::Replace(index) => self.replace(index),
            Op::Merge(window) => self.merge(window),
            Op::Clear => self.clear(),
            Op::Copy => self.copy(),
            Op::CompactStep(budget) => self.compact_step(budget),
            Op::Compact => self.compact(),
            Op::Append(row) => self.append(row),
        };
        let now = self.alloc.counts();
        let most = match done {
            Done::WithoutMemory => 0,
            Done::Refused => K::MOST_IF_REFUSED,
            Done::LikeReplacement => K::MOST_OF_REPLACEMENT,
            Done::LikeInsertion => K::most_of_insertion(stats.height),
            Done::LikeCopy | Done::NoMemory => {
                (stats.leaves + stats.branches).max(K::most_of_insertion(stats.height))
            }
            Done::LikeBuild | Done::Undone => usize::MAX,
        };
        assert!(now.calls - counts.calls <= most as u64, "{} nodes, {done:?}", now.calls - counts.calls);
        if matches!(done, Done::Refused | Done::NoMemory) && before.is_some() {
            assert_eq!(before, self.text(), "what was not done changed the tree");
        }
        if !matches!(done, Done::NoMemory | Done::Undone) {
            return Outcome::Done;
        }
        assert!(now.failed > counts.failed || self.tree.may_refuse(), "there was memory");
        // The next attempt has the same value.
        self.number -= 1;
        if done == Done::Undone { Outcome::Partly } else { Outcome::NoMemory }
    }

    fn value(&self) -> V {
        V::make(self.number, &self.live)
    }

    fn key(&self) -> u64 {
        V::key(self.number)
    }

    fn mode(&self) -> AllocMode {
        if self.number % 2 == 0 { AllocMode::Normal } else { AllocMode::Atomic }
    }

    /// Compares why a range was refused with the reason that the model has.
    fn refused(&self, range: IndexRange, kind: InsertErrorKind) -> Done {
        let (in_the_way, bounds) = (self.model.first_in(range), self.model.bounds());
        match kind {
            InsertErrorKind::Occupied { by } => assert_eq!(Some(by), in_the_way.map(|(range, _)| range)),
            InsertErrorKind::NodeMemory(_) => {
                return Done::NoMemory;
            }
            InsertErrorKind::OutOfBounds { bounds: said } => {
                assert_eq!((said, bounds.contains_range(range)), (bounds, false));
            }
            other => unreachable!("{other}"),
        }
        Done::Refused
    }

    fn assert_free(&self, range: IndexRange) {
        assert_eq!(self.model.first_in(range), None, "stored over what was taken");
        assert!(self.model.bounds().contains_range(range), "stored out of bounds");
    }

    fn clear(&mut self) -> Done {
        self.tree.clear();
        for (range, _) in self.model.taken() {
            self.model.free(range.first());
        }
        Done::WithoutMemory
    }
}
