//! What is taken, in one tree or in two.

use super::Done;
use crate::check::from_both_ends;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::combined;
use crate::place::{Span, held};
use crate::subject::Subject;

choice! {
    pub(crate) enum Op {
        /// All, from both ends as the bits say: `taken`.
        Taken(u16),
        /// In a window, likewise: `taken_within`.
        Within(Span, u16),
        /// The tree and the copy, if there is one, or else itself.
        Union,
        Intersection,
        Difference,
        /// The copy without the tree.
        DifferenceOfCopy,
        SymmetricDifference,
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let window = if let Self::Within(window, _) = self { Some(subject.span(window)) } else { None };
        let (tree, model) = (&subject.tree, &subject.model);
        let (other, other_model) = subject.copy.as_ref().map_or((tree, model), |(tree, model)| (tree, model));
        let expected = |wanted: fn(bool, bool) -> bool| combined(model, other_model, wanted);
        let taken = expected(|one, _| one);
        match (self, window) {
            (Self::Taken(order) | Self::Within(_, order), None) => {
                assert_eq!(from_both_ends(tree.taken(), order.into()), taken);
            }
            (Self::Taken(order) | Self::Within(_, order), Some(ends)) => {
                let clipped = taken.iter().filter_map(|range| range.intersection(held(ends)?));
                let clipped: Vec<_> = clipped.collect();
                assert_eq!(from_both_ends(tree.taken_within(ends), order.into()), clipped, "{ends:x?}");
            }
            (Self::Union, _) => assert!(tree.union(other).eq(expected(|one, other| one || other))),
            (Self::Intersection, _) => {
                assert!(tree.intersection(other).eq(expected(|one, other| one && other)));
            }
            (Self::Difference, _) => {
                assert!(tree.difference(other).eq(expected(|one, other| one && !other)));
            }
            (Self::DifferenceOfCopy, _) => {
                assert!(other.difference(tree).eq(expected(|one, other| other && !one)));
            }
            (Self::SymmetricDifference, _) => {
                assert!(tree.symmetric_difference(other).eq(expected(|one, other| one != other)));
            }
        }
        Done::Nothing
    }
}
