//! Joining neighbours.

use arbitrary::Arbitrary;

use super::Done;
use crate::layouts::Tested;
use crate::place::{Span, held};
use crate::subject::Subject;

/// Joins what lies in a window; values are the same if their numbers without so many low bits are.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Op {
    window: Span,
    bits: u8,
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let ends = subject.span(self.window);
        let same = |left: u64, right: u64| (left ^ right) >> (self.bits % 64) == 0;
        let merged = subject.tree.merge_by(ends, |left, right| same(left.number(), right.number()));
        let expected = held(ends).map_or(0, |window| subject.model.merge(window, same));
        assert_eq!(merged, expected, "merge_by({ends:x?})");
        if merged == 0 { Done::Nothing } else { Done::WithoutMemory }
    }
}
