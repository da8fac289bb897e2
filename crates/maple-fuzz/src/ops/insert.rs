//! Writes to what is free.

use maple_tree::{AllocMode, IndexRange, InsertErrorKind};

use super::{Done, insertable, refused};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::{Ends, Span};
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        Insert(Span),
        InsertWith(Span),
        Reserve(Span),
        ReserveWith(Span),
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Insert(span) => {
                let ends = subject.span(span);
                insert(subject, ends, AllocMode::Normal)
            }
            Self::InsertWith(span) => {
                let ends = subject.span(span);
                insert(subject, ends, AllocMode::Atomic)
            }
            Self::Reserve(span) => {
                let ends = subject.span(span);
                let expected = insertable(&subject.model, ends);
                let result = subject.tree.reserve(ends);
                reserved(subject, result, expected)
            }
            Self::ReserveWith(span) => {
                let ends = subject.span(span);
                reserve(subject, ends)
            }
        }
    }
}

pub(super) fn insert<L: Tested>(subject: &mut Subject<'_, L>, ends: Ends, mode: AllocMode) -> Done {
    let expected = insertable(&subject.model, ends);
    let (number, value) = subject.value();
    let result = match mode {
        AllocMode::Normal => subject.tree.insert(ends, value),
        AllocMode::Atomic => subject.tree.insert_with(ends, value, mode),
    };
    match (result, expected) {
        (Ok(()), Ok(range)) => {
            subject.model.take(range, Some(number));
            Done::LikeInsertion
        }
        (Ok(()), Err(kind)) => unreachable!("inserted, but {kind:?}"),
        (Err(error), expected) => {
            came_back(&error.value, number);
            refused(error.kind, expected)
        }
    }
}

pub(super) fn reserve<L: Tested>(subject: &mut Subject<'_, L>, ends: Ends) -> Done {
    let expected = insertable(&subject.model, ends);
    let result = subject.tree.reserve_with(ends, AllocMode::Atomic);
    reserved(subject, result, expected)
}

fn reserved<L: Tested>(
    subject: &mut Subject<'_, L>,
    result: Result<(), InsertErrorKind>,
    expected: Result<IndexRange, InsertErrorKind>,
) -> Done {
    match (result, expected) {
        (Ok(()), Ok(range)) => {
            subject.model.take(range, None);
            Done::LikeInsertion
        }
        (Ok(()), Err(kind)) => unreachable!("reserved, but {kind:?}"),
        (Err(kind), expected) => refused(kind, expected),
    }
}

/// A value that was not stored is the one that was passed in.
pub(crate) fn came_back(value: &Counted, number: u64) {
    assert_eq!(value.number(), number, "another value came back");
}
