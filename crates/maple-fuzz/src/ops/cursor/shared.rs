//! A cursor that only looks.

use arbitrary::Arbitrary;
use maple_tree::{Content, Cursor, NodeAlloc};

use super::walk::Walk;
use super::{Move, Start, Step, There};
use crate::layouts::Tested;
use crate::ops::Done;
use crate::subject::Subject;
use crate::values::Counted;

#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Op {
    start: Start,
    moves: [Move; 5],
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let start = if let Start::At(index) = self.start { Some(subject.index(index)) } else { None };
        let moves = self.moves.map(|step| step.steps(subject));
        let (tree, model) = (&subject.tree, &subject.model);
        let (mut cursor, mut walk) = match (self.start, start) {
            (Start::Back, _) => (tree.cursor_back(), Walk::After),
            (_, Some(index)) => (tree.cursor_at(index), Walk::at(model, index)),
            (_, None) => (tree.cursor_front(), Walk::Before),
        };
        check(&cursor, walk.there(model));
        for (step, times) in moves {
            for _ in 0..times {
                // A copy goes the same way, and leaves this one where it is.
                let mut ahead = cursor.clone();
                let there = walk.step(model, step);
                assert_eq!(take(&mut ahead, step), there, "{step:?}");
                assert_eq!(take(&mut cursor, step), there, "{step:?} again");
                check(&cursor, there);
                if there.is_none() {
                    break;
                }
            }
        }
        Done::Nothing
    }
}

/// What the cursor says where it stands.
pub(super) fn check<L: Tested, A: NodeAlloc>(cursor: &Cursor<'_, Box<Counted>, L, A>, there: There) {
    let current = cursor.current().map(|(range, content)| (range, content.map(Counted::number)));
    assert_eq!(current, there);
    assert_eq!(cursor.range(), there.map(|(range, _)| range));
}

/// Takes a step; what the cursor says then.
pub(super) fn take<L: Tested, A: NodeAlloc>(
    cursor: &mut Cursor<'_, Box<Counted>, L, A>,
    step: Step,
) -> There {
    let entry = match step {
        Step::NextEntry => cursor.next_entry(),
        Step::PrevEntry => cursor.prev_entry(),
        Step::NextRange | Step::PrevRange | Step::Seek(_) => {
            let range = match step {
                Step::Seek(index) => cursor.seek(index),
                Step::PrevRange => cursor.prev_range(),
                _ => cursor.next_range(),
            };
            return range.map(|(range, content)| (range, content.map(Counted::number)));
        }
    };
    entry.map(|(range, value)| (range, Content::Entry(value.number())))
}
