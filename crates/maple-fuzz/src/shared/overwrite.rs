//! Writes over whatever is there, at once or prepared.

use maple_tree::{Content, IndexRange, InsertErrorKind};

use super::ops::{mode, refused};
use super::subject::{Done, Subject, numbered};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::Model;
use crate::ops::{came_back, insertable, storable};
use crate::place::{Span, held};
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        Store { span: Span, atomic: bool },
        ClearRange { span: Span, atomic: bool },
        Prepare { span: Span, over: bool, used: Use },
        /// Erases those in a window that a bit says.
        EraseEach { window: Span, unwanted: u16 },
        /// Joins what lies in a window; values are the same if their numbers without so many low bits are.
        Merge { window: Span, bits: u8 },
    }
}

choice! {
    /// What becomes of what was prepared.
    #[derive(PartialEq, Eq)]
    pub(crate) enum Use {
        Store,
        Reserve,
        Clear,
        Drop,
    }
}

/// Entries that a write took out, as it lent them.
type Gone = Vec<(IndexRange, u64)>;

fn note(gone: &mut Gone) -> impl FnMut(IndexRange, &Counted) {
    |range, value| gone.push(numbered((range, value)))
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Store { span, atomic } => {
                let ends = subject.span(span);
                let expected = storable(&subject.model, ends);
                let ((number, value), mut gone) = (subject.value(), Gone::new());
                let result = subject.writer().store_with(ends, value, mode(atomic), note(&mut gone));
                let result = result.map_err(|error| {
                    came_back(&error.value, number);
                    error.kind
                });
                overwrote(subject, result.map(|()| gone), expected, Some(Some(number)))
            }
            Self::ClearRange { span, atomic } => {
                let ends = subject.span(span);
                let Some(range) = held(ends).and_then(|range| range.intersection(subject.model.bounds()))
                else {
                    assert!(subject.writer().clear_range(ends).is_ok());
                    return Done::WithoutMemory;
                };
                let mut gone = Gone::new();
                let result = subject.writer().clear_range_with(ends, mode(atomic), note(&mut gone));
                let result = result.map(|()| gone).map_err(InsertErrorKind::NodeMemory);
                let cut =
                    |index| subject.model.at(index).is_some_and(|(taken, _)| !range.contains_range(taken));
                let needs_memory = cut(range.first()) || cut(range.last());
                assert!(needs_memory || result.is_ok(), "this needs no memory");
                let done = overwrote(subject, result, Ok(range), None);
                if needs_memory { done } else { Done::WithoutMemory }
            }
            Self::Prepare { span, over, used } => prepare(subject, span, over, used),
            Self::EraseEach { window, unwanted } => {
                let ends = subject.span(window);
                let within = |range: IndexRange| held(ends).is_some_and(|window| range.overlaps(window));
                let entries = subject.model.entries().into_iter().filter(|(range, _)| within(*range));
                let mut expected = entries.enumerate();
                let Subject { tree, model, .. } = subject;
                let mut gone = 0;
                let erased = tree.write().erase_each(ends, |range, value| {
                    let (nth, there) = expected.next().expect("an entry more than there are");
                    assert_eq!(numbered((range, value)), there);
                    let unwanted = unwanted >> (nth % 16) & 1 == 0;
                    if unwanted {
                        model.free(range.first());
                        gone += 1;
                    }
                    unwanted
                });
                assert_eq!((erased, expected.next()), (gone, None));
                Done::WithoutMemory
            }
            Self::Merge { window, bits } => merge(subject, window, bits),
        }
    }
}

fn prepare<L: Tested>(subject: &mut Subject<'_, L>, span: Span, over: bool, used: Use) -> Done {
    let ends = subject.span(span);
    let free = insertable(&subject.model, ends);
    let expected = if over { storable(&subject.model, ends) } else { free };
    let ((number, value), alloc) = (subject.value(), subject.alloc);
    let mut writer = subject.writer();
    let prepared =
        if over { writer.prepare_store(ends, mode(false)) } else { writer.prepare_insert(ends, mode(false)) };
    let gone = prepared.map(|prepared| {
        assert_eq!(Ok(prepared.range()), expected);
        // From here on nothing may fail, nor ask.
        let (calls, mut gone) = (alloc.counts().calls, Gone::new());
        match used {
            Use::Store => prepared.store_each(value, note(&mut gone)),
            Use::Reserve => prepared.reserve(),
            Use::Clear => prepared.clear_each(note(&mut gone)),
            Use::Drop => drop(prepared),
        }
        assert_eq!(alloc.counts().calls, calls, "what was prepared asked for memory");
        gone
    });
    drop(writer);
    let taken = match used {
        Use::Store => Some(Some(number)),
        Use::Reserve => Some(None),
        Use::Clear => None,
        Use::Drop => {
            return match gone {
                Ok(gone) => {
                    assert_eq!(gone, []);
                    Done::LikeInsertion
                }
                Err(kind) => refused(kind, expected),
            };
        }
    };
    let gone = match (used, gone) {
        // It does not say what it takes out.
        (Use::Reserve, Ok(_)) => Ok(expected.map_or(Gone::new(), |range| within(&subject.model, range))),
        (_, gone) => gone,
    };
    overwrote(subject, gone, expected, taken)
}

/// The entries that lie wholly in a range.
fn within(model: &Model, range: IndexRange) -> Gone {
    let mut entries = model.entries();
    entries.retain(|(entry, _)| range.contains_range(*entry));
    entries
}

/// Writes to the model what was written over a range: something with a value, or without one, or nothing.
fn overwrote<L: Tested>(
    subject: &mut Subject<'_, L>,
    result: Result<Gone, InsertErrorKind>,
    expected: Result<IndexRange, InsertErrorKind>,
    taken: Option<Option<u64>>,
) -> Done {
    match (result, expected) {
        (Ok(gone), Ok(range)) => {
            assert_eq!(gone, subject.model.clear_range(range));
            if let Some(value) = taken {
                subject.model.take(range, value);
            }
            Done::LikeInsertion
        }
        (Ok(_), Err(kind)) => unreachable!("written, but {kind:?}"),
        (Err(kind), expected) => refused(kind, expected),
    }
}

/// Without memory it joins what it can. Then the model takes over what is left, if that is part of what was
/// meant.
fn merge<L: Tested>(subject: &mut Subject<'_, L>, window: Span, bits: u8) -> Done {
    let ends = subject.span(window);
    let same = |left: u64, right: u64| (left ^ right) >> (bits % 64) == 0;
    let failed = subject.alloc.counts().failed;
    let merged = subject.writer().merge_by(ends, |left, right| same(left.number(), right.number()));
    let before = subject.model.clone();
    let expected = held(ends).map_or(0, |window| subject.model.merge(window, same));
    if subject.alloc.counts().failed == failed && !subject.may_refuse() {
        assert_eq!(merged, expected, "merge_by({ends:x?})");
    } else if merged != expected {
        subject.model = partly_merged(subject, &before, same);
        assert_eq!(before.len() - subject.model.len(), merged);
    }
    Done::InBulk
}

fn partly_merged<L: Tested>(
    subject: &Subject<'_, L>,
    before: &Model,
    same: impl Fn(u64, u64) -> bool,
) -> Model {
    let mut model = Model::new(before.bounds());
    let writer = subject.writer();
    let mut cursor = writer.cursor_front();
    while let Some((range, content)) = cursor.next_range() {
        let parts: Vec<_> = before.taken().filter(|(part, _)| part.overlaps(range)).collect();
        let value = match content {
            Content::Entry(value) => Some(value.number()),
            Content::Reserved => None,
            Content::Gap => {
                assert_eq!(parts, [], "{range} is free now");
                continue;
            }
        };
        let (Some((first, first_value)), Some((last, _))) = (parts.first(), parts.last()) else {
            unreachable!("{range} was free")
        };
        assert_eq!((first.first(), last.last(), *first_value), (range.first(), range.last(), value));
        for pair in parts.windows(2) {
            assert_eq!(pair[0].0.last() + 1, pair[1].0.first(), "there was a gap between");
            let equal = match (value, pair[1].1) {
                (Some(left), Some(right)) => same(left, right),
                (left, right) => left == right,
            };
            assert!(equal, "these differ");
        }
        model.take(range, value);
    }
    model
}
