//! The operations of a program. Each calls the tree, compares what it says with the model, and writes to the
//! model what it did.

use maple_tree::shared::ReplaceErrorKind;
use maple_tree::{AllocMode, IndexRange, InsertErrorKind};

use super::readers::{Guest, Staying};
use super::subject::{Done, Subject, numbered};
use super::{many, overwrite, search};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::{came_back, insertable};
use crate::place::{Ends, Index, Span};
use crate::program::Memory;

choice! {
    /// One operation.
    pub(crate) enum Op {
        Insert { span: Span, atomic: bool },
        Reserve { span: Span, atomic: bool },
        Erase(Index),
        EraseIf(Index, bool),
        Unreserve(Index),
        Replace(Index),
        Overwrite(overwrite::Op),
        Search(search::Op),
        Many(many::Op),
        Clear,
        /// Gives back what readers have left.
        Collect,
        /// A reader comes: in the place of another one, if there is one.
        Come(u8),
        /// It looks at an index, and keeps what it finds.
        Look(u8, Index),
        /// It looks at a window, from both ends as the bits say.
        LookWithin(u8, Span, u16),
        /// It goes.
        Leave(u8),
        /// A reader begins to iterate over a window, and stays until it is told to go.
        Stay(Span),
        /// That reader, or one of those before it, goes on.
        GoOn { before: u8, back: bool, times: u8 },
        /// It ends what it has begun and goes.
        Go,
        /// From now on memory fails otherwise.
        Memory(Memory),
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>, staying: Option<&Staying<'_>>) {
        match self {
            Self::Insert { span, atomic } => {
                let ends = subject.span(span);
                subject.step(staying, |subject| insert(subject, ends, mode(atomic)));
            }
            Self::Reserve { span, atomic } => {
                let ends = subject.span(span);
                subject.step(staying, |subject| reserve(subject, ends, mode(atomic)));
            }
            Self::Erase(index) => subject.step(staying, |subject| {
                let index = subject.index(index);
                erase_if(subject, index, None)
            }),
            Self::EraseIf(index, wanted) => subject.step(staying, |subject| {
                let index = subject.index(index);
                erase_if(subject, index, Some(wanted))
            }),
            Self::Unreserve(index) => subject.step(staying, |subject| {
                let index = subject.index(index);
                unreserve(subject, index)
            }),
            Self::Replace(index) => subject.step(staying, |subject| {
                let index = subject.index(index);
                replace(subject, index)
            }),
            Self::Overwrite(op) => subject.step(staying, |subject| op.apply(subject)),
            Self::Search(op) => subject.step(staying, |subject| L::search_shared(subject, op)),
            Self::Many(op) => op.apply(subject, staying),
            Self::Clear => subject.step(staying, |subject| {
                subject.writer().clear();
                subject.model.clear();
                Done::WithoutMemory
            }),
            Self::Collect => subject.step(staying, |subject| {
                subject.writer().collect();
                Done::WithoutMemory
            }),
            Self::Come(which) => {
                let guest = Guest::new(subject.tree);
                *at(subject, which) = Some(guest);
            }
            Self::Leave(which) => *at(subject, which) = None,
            Self::Look(which, index) => {
                let index = subject.index(index);
                if let Some(guest) = at(subject, which) {
                    guest.look(index);
                }
                if let Some(guest) = &subject.guests[usize::from(which) % subject.guests.len()] {
                    subject.check_lookup(&guest.reader, index);
                }
            }
            Self::LookWithin(which, window, order) => {
                let ends = subject.span(window);
                let Subject { guests, model, .. } = subject;
                if let Some(guest) = &mut guests[usize::from(which) % guests.len()] {
                    guest.look_within(ends, order.into(), model);
                }
            }
            Self::GoOn { before, back, times } => {
                if let Some(staying) = staying {
                    staying.go_on(before % 4, back, times % 16);
                }
            }
            // There are enough readers, or none to go.
            Self::Stay(_) | Self::Go => {}
            Self::Memory(memory) => subject.alloc.set_plan(memory.plan()),
        }
    }
}

fn at<'s, 't, L: Tested>(subject: &'s mut Subject<'t, L>, which: u8) -> &'s mut Option<Guest<'t, L>> {
    let guests = subject.guests.len();
    &mut subject.guests[usize::from(which) % guests]
}

pub(super) fn mode(atomic: bool) -> AllocMode {
    if atomic { AllocMode::Atomic } else { AllocMode::Normal }
}

pub(super) fn insert<L: Tested>(subject: &mut Subject<'_, L>, ends: Ends, mode: AllocMode) -> Done {
    let expected = insertable(&subject.model, ends);
    let (number, value) = subject.value();
    let result = subject.writer().insert_with(ends, value, mode);
    let result = result.map_err(|error| {
        came_back(&error.value, number);
        error.kind
    });
    wrote(subject, result, expected, Some(number))
}

pub(super) fn reserve<L: Tested>(subject: &mut Subject<'_, L>, ends: Ends, mode: AllocMode) -> Done {
    let expected = insertable(&subject.model, ends);
    let result = subject.writer().reserve_with(ends, mode);
    wrote(subject, result, expected, None)
}

/// Writes to the model what was written to what was free.
fn wrote<L: Tested>(
    subject: &mut Subject<'_, L>,
    result: Result<(), InsertErrorKind>,
    expected: Result<IndexRange, InsertErrorKind>,
    value: Option<u64>,
) -> Done {
    match (result, expected) {
        (Ok(()), Ok(range)) => {
            subject.model.take(range, value);
            Done::LikeInsertion
        }
        (Ok(()), Err(kind)) => unreachable!("written, but {kind:?}"),
        (Err(kind), expected) => refused(kind, expected),
    }
}

/// What a refused write did. It was refused for the right reason, or for lack of memory if there is none.
pub(super) fn refused(kind: InsertErrorKind, expected: Result<IndexRange, InsertErrorKind>) -> Done {
    match kind {
        // Of a range that is taken it may be told first that there is no memory.
        InsertErrorKind::NodeMemory(_) => Done::NoMemory,
        kind => {
            assert_eq!(expected, Err(kind));
            Done::Refused
        }
    }
}

pub(super) fn erase_if<L: Tested>(subject: &mut Subject<'_, L>, index: u64, wanted: Option<bool>) -> Done {
    let there = subject.model.at(index).and_then(|(range, value)| Some((range, value?)));
    let mut writer = subject.writer();
    let erased = match wanted {
        None => writer.erase(index).map(numbered),
        Some(wanted) => {
            let mut asked = None;
            let erased = writer.erase_if(index, |range, value| {
                asked = Some(numbered((range, value)));
                wanted
            });
            let erased = erased.map(numbered);
            assert_eq!(asked, there);
            erased
        }
    };
    drop(writer);
    assert_eq!(erased, there.filter(|_| wanted != Some(false)));
    if erased.is_some() {
        subject.model.free(index);
    }
    Done::WithoutMemory
}

pub(super) fn unreserve<L: Tested>(subject: &mut Subject<'_, L>, index: u64) -> Done {
    let reserved = subject.model.at(index).filter(|(_, value)| value.is_none()).map(|(range, _)| range);
    assert_eq!(subject.writer().unreserve(index), reserved);
    if reserved.is_some() {
        subject.model.free(index);
    }
    Done::WithoutMemory
}

fn replace<L: Tested>(subject: &mut Subject<'_, L>, index: u64) -> Done {
    let there = subject.model.at(index);
    let (number, value) = subject.value();
    let mut writer = subject.writer();
    let kind = match writer.replace(index, value) {
        Ok(old) => {
            let Some((range, expected)) = there else { unreachable!("replaced what is free") };
            assert_eq!(old.map(|old| old.number()), expected);
            drop(writer);
            subject.model.take(range, Some(number));
            return Done::LikeInsertion;
        }
        Err(error) => {
            came_back(&error.value, number);
            error.kind
        }
    };
    match kind {
        ReplaceErrorKind::Free => {
            assert_eq!(there, None);
            Done::Refused
        }
        _ => Done::NoMemory,
    }
}
