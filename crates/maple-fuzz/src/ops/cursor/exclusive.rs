//! A cursor that writes.

use std::mem;

use arbitrary::Arbitrary;
use maple_tree::{AllocMode, Content, CursorMut, IndexRange, InsertErrorKind, MapleTree};

use super::shared::{check, take};
use super::walk::Walk;
use super::{Move, Start, Step, There};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::insert::came_back;
use crate::ops::store::{Gone, note};
use crate::ops::{Done, cost_of_overwriting, insertable, refused, storable};
use crate::place::{Ends, Span};
use crate::subject::{Subject, Tree};
use crate::values::Counted;

#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Op {
    start: Start,
    actions: [Action; 5],
}

choice! {
    enum Action {
        Move(Move),
        Insert(Span, bool),
        Store(Span, bool),
        Reserve(Span, bool),
        Replace,
        Erase,
        Unreserve,
        /// `value_mut`
        Change,
        /// `as_cursor`
        Look(Move),
    }
}

/// A cursor and its walk. The subject has another tree meanwhile.
struct Pair<'c, 's, 'a, L: Tested> {
    cursor: CursorMut<'c, Box<Counted>, L, &'a maple_faults::FaultyAlloc>,
    walk: Walk,
    subject: &'s mut Subject<'a, L>,
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let start = if let Start::At(index) = self.start { Some(subject.index(index)) } else { None };
        let mut height = subject.tree.stats().height as u64;
        let mut tree: Tree<'_, L> = mem::replace(&mut subject.tree, MapleTree::new_in(subject.alloc));
        let (cursor, walk) = match (self.start, start) {
            (Start::Back, _) => (tree.cursor_back_mut(), Walk::After),
            (_, Some(index)) => (tree.cursor_at_mut(index), Walk::at(&subject.model, index)),
            (_, None) => (tree.cursor_front_mut(), Walk::Before),
        };
        let mut pair = Pair { cursor, walk, subject };
        let mut most = 0;
        for action in self.actions {
            let before = pair.subject.alloc.counts();
            let done = pair.act(action);
            let now = pair.subject.alloc.counts();
            done.check_calls(before, now, height);
            most += now.calls - before.calls;
            // A write may have made the tree higher, which does not show while there is a cursor.
            height += u64::from(done == Done::LikeInsertion);
            pair.check();
        }
        subject.tree = tree;
        Done::InBulk { most }
    }
}

impl<L: Tested> Pair<'_, '_, '_, L> {
    /// What the cursor stands on now. Indices near it are what the next action uses if it says `Near`.
    fn check(&mut self) {
        let there = self.there();
        let current = self.cursor.current().map(|(range, content)| (range, content.map(Counted::number)));
        assert_eq!(current, there);
        assert_eq!(self.cursor.range(), there.map(|(range, _)| range));
        if let Some((range, _)) = there {
            self.subject.recent = range.first();
        }
    }

    fn there(&self) -> There {
        self.walk.there(&self.subject.model)
    }

    fn act(&mut self, action: Action) -> Done {
        match action {
            Action::Move(step) => self.go(step),
            Action::Insert(span, with) => {
                let ends = self.subject.span(span);
                self.insert(ends, with)
            }
            Action::Store(span, with) => {
                let ends = self.subject.span(span);
                self.store(ends, with)
            }
            Action::Reserve(span, with) => {
                let ends = self.subject.span(span);
                self.reserve(ends, with)
            }
            Action::Replace => self.replace(),
            Action::Erase => self.erase(),
            Action::Unreserve => self.unreserve(),
            Action::Change => self.change(),
            Action::Look(step) => self.look(step),
        }
    }

    fn go(&mut self, step: Move) -> Done {
        let (step, times) = step.steps(self.subject);
        for _ in 0..times {
            let cursor = &mut self.cursor;
            let entry = match step {
                Step::NextEntry => cursor.next_entry().map(|(range, value)| (range, Content::Entry(value))),
                Step::PrevEntry => cursor.prev_entry().map(|(range, value)| (range, Content::Entry(value))),
                Step::NextRange => cursor.next_range(),
                Step::PrevRange => cursor.prev_range(),
                Step::Seek(index) => cursor.seek(index),
            };
            let entry = entry.map(|(range, content)| (range, content.map(Counted::number)));
            assert_eq!(entry, self.walk.step(&self.subject.model, step), "{step:?}");
        }
        Done::Nothing
    }

    /// A shared cursor goes on from here, and leaves this one where it is.
    fn look(&mut self, step: Move) -> Done {
        let (step, times) = step.steps(self.subject);
        let (mut cursor, mut walk) = (self.cursor.as_cursor(), self.walk);
        for _ in 0..times {
            let there = walk.step(&self.subject.model, step);
            assert_eq!(take(&mut cursor, step), there, "{step:?}");
            check(&cursor, there);
        }
        Done::Nothing
    }

    fn insert(&mut self, ends: Ends, with: bool) -> Done {
        let expected = insertable(&self.subject.model, ends);
        let (number, value) = self.subject.value();
        let result = match with {
            true => self.cursor.insert_with(ends, value, AllocMode::Atomic),
            false => self.cursor.insert(ends, value),
        };
        let result = result.map_err(|error| {
            came_back(&error.value, number);
            error.kind
        });
        self.wrote(result, expected, Some(number), Done::LikeInsertion)
    }

    fn reserve(&mut self, ends: Ends, with: bool) -> Done {
        let expected = insertable(&self.subject.model, ends);
        let result = match with {
            true => self.cursor.reserve_with(ends, AllocMode::Atomic),
            false => self.cursor.reserve(ends),
        };
        self.wrote(result, expected, None, Done::LikeInsertion)
    }

    fn store(&mut self, ends: Ends, with: bool) -> Done {
        let expected = storable(&self.subject.model, ends);
        let (number, value) = self.subject.value();
        let mut gone = Gone::new();
        let result = match with {
            true => self.cursor.store_with(ends, value, AllocMode::Atomic, note(&mut gone)),
            false => self.cursor.store(ends, value),
        };
        let result = result.map_err(|error| {
            came_back(&error.value, number);
            error.kind
        });
        let mut cost = Done::Nothing;
        let mut expected_gone = Gone::new();
        if let (Ok(()), Ok(range)) = (result, expected) {
            cost = cost_of_overwriting(&self.subject.model, range);
            expected_gone = self.subject.model.clear_range(range);
        }
        assert_eq!(gone, if with { expected_gone } else { Gone::new() });
        self.wrote(result, expected, Some(number), cost)
    }

    /// Writes to the model what was written. The cursor is there then.
    fn wrote(
        &mut self,
        result: Result<(), InsertErrorKind>,
        expected: Result<IndexRange, InsertErrorKind>,
        value: Option<u64>,
        cost: Done,
    ) -> Done {
        match (result, expected) {
            (Ok(()), Ok(range)) => {
                self.subject.model.take(range, value);
                self.walk = Walk::At(range.first());
                cost
            }
            (Ok(()), Err(kind)) => unreachable!("written, but {kind:?}"),
            (Err(kind), expected) => refused(kind, expected),
        }
    }

    fn replace(&mut self) -> Done {
        let (number, value) = self.subject.value();
        let old = match self.there() {
            Some((range, Content::Entry(old))) => Some((range, Some(old))),
            Some((range, Content::Reserved)) => Some((range, None)),
            _ => None,
        };
        match (self.cursor.replace(value), old) {
            (Ok(replaced), Some((range, old))) => {
                assert_eq!(replaced.map(|old| old.number()), old);
                self.subject.model.take(range, Some(number));
                Done::WithoutMemory
            }
            (Err(value), None) => {
                came_back(&value, number);
                Done::Nothing
            }
            (result, old) => unreachable!("replace is {result:?} where there is {old:?}"),
        }
    }

    fn erase(&mut self) -> Done {
        let there = self.there().and_then(|(range, content)| Some((range, content.value()?)));
        let erased = self.cursor.erase().map(|(range, value)| (range, value.number()));
        assert_eq!(erased, there);
        there.map_or(Done::Nothing, |(range, _)| self.freed(range))
    }

    fn unreserve(&mut self) -> Done {
        let reserved = self.there().filter(|(_, content)| matches!(content, Content::Reserved));
        assert_eq!(self.cursor.unreserve(), reserved.map(|(range, _)| range));
        reserved.map_or(Done::Nothing, |(range, _)| self.freed(range))
    }

    fn freed(&mut self, range: IndexRange) -> Done {
        self.subject.model.free(range.first());
        Done::WithoutMemory
    }

    fn change(&mut self) -> Done {
        let there = self.there().and_then(|(range, content)| Some((range, content.value()?)));
        let value = self.cursor.value_mut();
        assert_eq!(value.as_ref().map(|value| value.number()), there.map(|(_, value)| value));
        if let (Some(value), Some((range, _))) = (value, there) {
            self.subject.number += 1;
            value.set_number(self.subject.number);
            self.subject.model.take(range, Some(self.subject.number));
        }
        Done::Nothing
    }
}
