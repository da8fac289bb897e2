//! Writes over whatever is there.

use maple_tree::{AllocMode, IndexRange};

use super::insert::came_back;
use super::{Done, cost_of_overwriting, refused, storable};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::{Span, held};
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        Store(Span),
        StoreWith(Span),
        ClearRange(Span),
        ClearRangeWith(Span),
    }
}

/// Entries that a write took out, as it passed them on.
pub(super) type Gone = Vec<(IndexRange, u64)>;

/// Notes what a write takes out.
pub(super) fn note(gone: &mut Gone) -> impl FnMut(IndexRange, Box<Counted>) {
    |range, value| gone.push((range, value.number()))
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Store(span) => store(subject, span, false),
            Self::StoreWith(span) => store(subject, span, true),
            Self::ClearRange(span) => clear_range(subject, span, false),
            Self::ClearRangeWith(span) => clear_range(subject, span, true),
        }
    }
}

fn store<L: Tested>(subject: &mut Subject<'_, L>, span: Span, with: bool) -> Done {
    let ends = subject.span(span);
    let expected = storable(&subject.model, ends);
    let (number, value) = subject.value();
    let mut gone = Gone::new();
    let result = if with {
        subject.tree.store_with(ends, value, AllocMode::Atomic, note(&mut gone))
    } else {
        subject.tree.store(ends, value)
    };
    match (result, expected) {
        (Ok(()), Ok(range)) => {
            let cost = cost_of_overwriting(&subject.model, range);
            let expected = subject.model.clear_range(range);
            assert_eq!(gone, if with { expected } else { Gone::new() });
            subject.model.take(range, Some(number));
            cost
        }
        (Ok(()), Err(kind)) => unreachable!("stored, but {kind:?}"),
        (Err(error), expected) => {
            came_back(&error.value, number);
            assert_eq!(gone, []);
            refused(error.kind, expected)
        }
    }
}

fn clear_range<L: Tested>(subject: &mut Subject<'_, L>, span: Span, with: bool) -> Done {
    let ends = subject.span(span);
    let range = held(ends).and_then(|range| range.intersection(subject.model.bounds()));
    let mut gone = Gone::new();
    let result = if with {
        subject.tree.clear_range_with(ends, AllocMode::Atomic, note(&mut gone))
    } else {
        subject.tree.clear_range(ends)
    };
    let Some(range) = range else {
        assert_eq!((result, gone), (Ok(()), Gone::new()));
        return Done::Nothing;
    };
    let cut = |index| subject.model.at(index).is_some_and(|(taken, _)| !range.contains_range(taken));
    let cost = if cut(range.first()) || cut(range.last()) {
        cost_of_overwriting(&subject.model, range)
    } else {
        Done::WithoutMemory
    };
    if result.is_err() {
        assert_eq!((cost, gone), (Done::LikeInsertion, Gone::new()), "this needs no memory");
        return Done::NoMemory;
    }
    let expected = subject.model.clear_range(range);
    assert_eq!(gone, if with { expected } else { Gone::new() });
    cost
}
