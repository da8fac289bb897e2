//! Writes to what is taken. None of them needs memory.

use super::Done;
use super::insert::came_back;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::Index;
use crate::subject::Subject;

choice! {
    pub(crate) enum Op {
        Erase(Index),
        EraseIf(Index, bool),
        Unreserve(Index),
        Replace(Index),
        Clear,
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Erase(index) => {
                let index = subject.index(index);
                erase(subject, index)
            }
            Self::EraseIf(index, wanted) => {
                let index = subject.index(index);
                erase_if(subject, index, wanted)
            }
            Self::Unreserve(index) => {
                let index = subject.index(index);
                unreserve(subject, index)
            }
            Self::Replace(index) => {
                let index = subject.index(index);
                replace(subject, index)
            }
            Self::Clear => {
                subject.tree.clear();
                subject.model.clear();
                Done::WithoutMemory
            }
        }
    }
}

pub(super) fn erase<L: Tested>(subject: &mut Subject<'_, L>, index: u64) -> Done {
    let there = subject.model.at(index).and_then(|(range, value)| Some((range, value?)));
    let erased = subject.tree.erase(index).map(|(range, value)| (range, value.number()));
    assert_eq!(erased, there, "erase({index:#x})");
    freed(subject, index, erased.is_some())
}

fn erase_if<L: Tested>(subject: &mut Subject<'_, L>, index: u64, wanted: bool) -> Done {
    let there = subject.model.at(index).and_then(|(range, value)| Some((range, value?)));
    let mut seen = None;
    let erased = subject.tree.erase_if(index, |range, value| {
        seen = Some((range, value.number()));
        wanted
    });
    assert_eq!(seen, there, "erase_if({index:#x})");
    let erased = erased.map(|(range, value)| (range, value.number()));
    assert_eq!(erased, there.filter(|_| wanted));
    freed(subject, index, erased.is_some())
}

pub(super) fn unreserve<L: Tested>(subject: &mut Subject<'_, L>, index: u64) -> Done {
    let there = subject.model.at(index).filter(|(_, value)| value.is_none());
    let freed_range = subject.tree.unreserve(index);
    assert_eq!(freed_range, there.map(|(range, _)| range), "unreserve({index:#x})");
    freed(subject, index, freed_range.is_some())
}

fn freed<L: Tested>(subject: &mut Subject<'_, L>, index: u64, freed: bool) -> Done {
    if !freed {
        return Done::Nothing;
    }
    subject.model.free(index);
    Done::WithoutMemory
}

fn replace<L: Tested>(subject: &mut Subject<'_, L>, index: u64) -> Done {
    let (number, value) = subject.value();
    match (subject.tree.replace(index, value), subject.model.at(index)) {
        (Ok(old), Some((range, value))) => {
            assert_eq!(old.map(|old| old.number()), value);
            subject.model.take(range, Some(number));
            Done::WithoutMemory
        }
        (Err(value), None) => {
            came_back(&value, number);
            Done::Nothing
        }
        (result, held) => unreachable!("replace({index:#x}) is {result:?} where there is {held:?}"),
    }
}
