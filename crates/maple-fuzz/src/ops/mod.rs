//! The operations, one module for each group of them. Each calls the tree, compares what it says with the model, and
//! writes to the model what it did.

mod bulk;
mod change;
mod compact;
mod copy;
mod cursor;
mod erase;
mod insert;
mod look;
pub(crate) mod many;
mod merge;
mod prepare;
mod remove;
pub(crate) mod search;
mod sets;
mod store;

use maple_faults::Counts;
use maple_tree::{IndexRange, InsertErrorKind};

pub(crate) use insert::came_back;

use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::Model;
use crate::place::{Ends, held};
use crate::program::Memory;
use crate::subject::Subject;

choice! {
    /// One operation.
    pub(crate) enum Op {
        Insert(insert::Op),
        Store(store::Op),
        Erase(erase::Op),
        Search(search::Op),
        Prepare(prepare::Op),
        Merge(merge::Op),
        Many(many::Op),
        Look(look::Op),
        Cursor(cursor::Op),
        Change(change::Op),
        Remove(remove::Op),
        Bulk(bulk::Op),
        Copy(copy::Op),
        Sets(sets::Op),
        Compact(compact::Op),
        /// From now on memory fails otherwise.
        Memory(Memory),
    }
}

/// What a call did, and what it may have asked of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// There was nothing to do, or a reason not to do it.
    Nothing,
    /// It needed nothing.
    WithoutMemory,
    /// It may have needed the nodes of one insertion.
    LikeInsertion,
    /// There was no memory.
    NoMemory,
    /// It may have asked for so many nodes, and has checked what became of them.
    InBulk { most: u64 },
}

impl Done {
    /// Checks how often it asked, in a tree of a height.
    pub(crate) fn check_calls(self, before: Counts, now: Counts, height: u64) {
        let most = match self {
            Self::Nothing | Self::WithoutMemory => 0,
            Self::LikeInsertion | Self::NoMemory => height + 1,
            Self::InBulk { most } => most,
        };
        let calls = now.calls - before.calls;
        assert!(calls <= most, "asked for {calls} nodes, {self:?}");
        if self == Self::NoMemory {
            assert!(now.failed > before.failed, "there was memory");
        }
    }
}

impl Op {
    pub(crate) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) {
        match self {
            Self::Insert(op) => subject.step(|subject| op.apply(subject)),
            Self::Store(op) => subject.step(|subject| op.apply(subject)),
            Self::Erase(op) => subject.step(|subject| op.apply(subject)),
            Self::Search(op) => subject.step(|subject| L::search(subject, op)),
            Self::Prepare(op) => subject.step(|subject| op.apply(subject)),
            Self::Merge(op) => subject.step(|subject| op.apply(subject)),
            Self::Look(op) => subject.step(|subject| op.apply(subject)),
            Self::Cursor(op) => subject.step(|subject| op.apply(subject)),
            Self::Change(op) => subject.step(|subject| op.apply(subject)),
            Self::Remove(op) => subject.step(|subject| op.apply(subject)),
            Self::Bulk(op) => subject.step(|subject| op.apply(subject)),
            Self::Copy(op) => subject.step(|subject| op.apply(subject)),
            Self::Sets(op) => subject.step(|subject| op.apply(subject)),
            Self::Compact(op) => subject.step(|subject| op.apply(subject)),
            // Several steps.
            Self::Many(op) => op.apply(subject),
            Self::Memory(memory) => subject.alloc.set_plan(memory.plan()),
        }
    }
}

/// The range to store over, or why that is refused, whatever memory there is.
pub(crate) fn storable(model: &Model, ends: Ends) -> Result<IndexRange, InsertErrorKind> {
    let range = held(ends).ok_or(InsertErrorKind::EmptyRange)?;
    let bounds = model.bounds();
    if bounds.contains_range(range) { Ok(range) } else { Err(InsertErrorKind::OutOfBounds { bounds }) }
}

/// The range to insert over, likewise.
pub(crate) fn insertable(model: &Model, ends: Ends) -> Result<IndexRange, InsertErrorKind> {
    let range = storable(model, ends)?;
    match model.first_in(range) {
        Some((by, _)) => Err(InsertErrorKind::Occupied { by }),
        None => Ok(range),
    }
}

/// What storing over a range may take: a slot of its own, unless something gives up one.
fn cost_of_overwriting(model: &Model, range: IndexRange) -> Done {
    if model.any_within(range) { Done::WithoutMemory } else { Done::LikeInsertion }
}

/// What a refused write did. It must have been refused for the right reason, or for lack of memory if there is none.
fn refused(kind: InsertErrorKind, expected: Result<IndexRange, InsertErrorKind>) -> Done {
    match kind {
        InsertErrorKind::NodeMemory(_) => {
            assert!(expected.is_ok(), "{kind:?}, but {expected:?}");
            Done::NoMemory
        }
        kind => {
            assert_eq!(expected, Err(kind));
            Done::Nothing
        }
    }
}

/// One of the bits, which are used again and again.
fn bit(bits: u16, nth: usize) -> bool {
    bits >> (nth % 16) & 1 == 0
}
