//! Cursors: a few moves, and writes, of one of them, and a naive walk over the model beside it.

mod exclusive;
mod shared;
mod walk;

use maple_tree::{Content, IndexRange};

use super::Done;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::Index;
use crate::subject::Subject;

choice! {
    pub(crate) enum Op {
        Exclusive(exclusive::Op),
        Shared(shared::Op),
    }
}

choice! {
    /// Where a cursor is made.
    enum Start {
        At(Index),
        Front,
        Back,
    }
}

choice! {
    enum Move {
        NextRange,
        PrevRange,
        NextEntry,
        PrevEntry,
        /// So many ranges, or entries.
        Far { entries: bool, back: bool, steps: u8 },
        Seek(Index),
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
enum Step {
    NextRange,
    PrevRange,
    NextEntry,
    PrevEntry,
    Seek(u64),
}

/// What a cursor stands on.
type There = Option<(IndexRange, Content<u64>)>;

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Exclusive(op) => op.apply(subject),
            Self::Shared(op) => op.apply(subject),
        }
    }
}

impl Move {
    /// The step that is meant, and how many of it.
    fn steps<L: Tested>(self, subject: &mut Subject<'_, L>) -> (Step, usize) {
        match self {
            Self::NextRange => (Step::NextRange, 1),
            Self::PrevRange => (Step::PrevRange, 1),
            Self::NextEntry => (Step::NextEntry, 1),
            Self::PrevEntry => (Step::PrevEntry, 1),
            Self::Seek(index) => (Step::Seek(subject.index(index)), 1),
            Self::Far { entries, back, steps } => {
                let step = match (entries, back) {
                    (false, false) => Step::NextRange,
                    (false, true) => Step::PrevRange,
                    (true, false) => Step::NextEntry,
                    (true, true) => Step::PrevEntry,
                };
                (step, usize::from(steps % 64))
            }
        }
    }
}
