//! Looking at what there is.

use super::Done;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::{Index, Span};
use crate::subject::Subject;

choice! {
    pub(crate) enum Op {
        /// An index: `get`, `get_entry`, `extent`.
        At(Index),
        /// A window, from both ends as the bits say: `range`, `gaps_within`.
        Within(Span, u16),
        /// The whole tree, likewise: `iter`, `gaps`.
        Ends(u16),
        /// The tree as text, and its numbers.
        Text,
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::At(index) => {
                let index = subject.index(index);
                subject.check_lookup(index);
            }
            Self::Within(window, order) => {
                let ends = subject.span(window);
                subject.check_window(ends, order.into());
            }
            Self::Ends(order) => subject.check_ends(order.into()),
            Self::Text => subject.check_text(),
        }
        Done::Nothing
    }
}
