//! Values that change in place. None of it needs memory, or changes the tree.

use maple_tree::IndexRange;

use super::Done;
use crate::check::{from_both_ends, overlapping};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::Model;
use crate::place::{Index, Span};
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        /// The value at an index: `get_mut`.
        At(Index),
        /// Those in a window, from both ends as the bits say: `range_mut`.
        Within(Span, u16),
        /// All, likewise: `iter_mut`.
        All(u16),
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::At(index) => {
                let index = subject.index(index);
                let Subject { tree, model, number, .. } = subject;
                let there = model.at(index).and_then(|(range, value)| Some((range, value?)));
                let found = tree.get_mut(index);
                let found = found.into_iter().zip(there).map(|(value, (range, _))| (range, value));
                change(found.collect(), there.into_iter().collect(), model, number);
            }
            Self::Within(window, order) => {
                let ends = subject.span(window);
                let Subject { tree, model, number, .. } = subject;
                let expected = overlapping(model, ends);
                change(from_both_ends(tree.range_mut(ends), order.into()), expected, model, number);
            }
            Self::All(order) => {
                let Subject { tree, model, number, .. } = subject;
                let (expected, values) = (model.entries(), tree.iter_mut());
                assert_eq!(values.len(), expected.len());
                change(from_both_ends(values, order.into()), expected, model, number);
            }
        }
        Done::Nothing
    }
}

/// Gives each value another number, all of them being lent out at the same time.
fn change(
    found: Vec<(IndexRange, &mut Counted)>,
    expected: Vec<(IndexRange, u64)>,
    model: &mut Model,
    number: &mut u64,
) {
    let numbers: Vec<_> = found.iter().map(|(range, value)| (*range, value.number())).collect();
    assert_eq!(numbers, expected);
    for (range, value) in found {
        *number += 1;
        value.set_number(*number);
        model.take(range, Some(*number));
    }
}
