//! Gap searches and allocations: for layouts that track gaps.

use maple_tree::{AllocMode, AllocateErrorKind, Cyclic, TracksGaps};

use super::subject::{Done, Subject};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::came_back;
use crate::ops::search::ahead;
use crate::place::Request;

choice! {
    pub(crate) enum Op {
        Allocate(Request),
        AllocateCyclic(Request),
        FindGap(Request),
    }
}

impl Op {
    pub(crate) fn apply<L: Tested + TracksGaps>(self, subject: &mut Subject<'_, L>) -> Done {
        let (Self::Allocate(request) | Self::AllocateCyclic(request) | Self::FindGap(request)) = self;
        let Some(request) = subject.request(request) else { return Done::WithoutMemory };
        let last = subject.placed_last;
        let (expected, result) = match self {
            Self::FindGap(_) => {
                assert_eq!(subject.writer().find_gap(&request), subject.model.find_gap(&request));
                return Done::WithoutMemory;
            }
            Self::Allocate(_) => (subject.model.find_gap(&request), None),
            Self::AllocateCyclic(_) => {
                let straight = ahead(&request, last).and_then(|ahead| subject.model.find_gap(&ahead));
                (straight.or_else(|| subject.model.find_gap(&request)), Some(straight.is_none()))
            }
        };
        let (number, value) = subject.value();
        let result = match result {
            None => subject.writer().allocate_with(&request, value, AllocMode::Atomic),
            Some(wraps) => {
                let mut cyclic = last.map_or(Cyclic::new(), Cyclic::after);
                let placed =
                    subject.writer().allocate_cyclic(&request, value, AllocMode::Normal, &mut cyclic);
                placed.map(|placed| {
                    assert_eq!((placed.wrapped, cyclic), (wraps, Cyclic::after(placed.range)));
                    subject.placed_last = Some(placed.range);
                    placed.range
                })
            }
        };
        match result {
            Ok(range) => {
                assert_eq!(Some(range), expected);
                subject.model.take(range, Some(number));
                subject.recent = range.last();
                Done::LikeInsertion
            }
            Err(error) => {
                came_back(&error.value, number);
                if error.kind == AllocateErrorKind::NoGap {
                    assert_eq!(expected, None);
                    Done::Refused
                } else {
                    Done::NoMemory
                }
            }
        }
    }
}
