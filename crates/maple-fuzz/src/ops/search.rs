//! Gap searches and allocations: for layouts that track gaps.

use maple_tree::{
    AllocMode, AllocateErrorKind, Cyclic, Direction, GapRequest, IndexRange, Rejected, TracksGaps,
};

use super::Done;
use super::insert::came_back;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::{Request, Span, held};
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        Allocate(Request),
        AllocateWith(Request),
        AllocateCyclic(Request),
        /// Where the next cyclic allocation goes on.
        GoOnAfter(Span),
        FindGap(Request),
        LongestGap(Span),
    }
}

type Allocated = Result<IndexRange, Rejected<Box<Counted>, AllocateErrorKind>>;

impl Op {
    pub(crate) fn apply<L: Tested + TracksGaps>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Allocate(request) => allocate(subject, request, AllocMode::Normal),
            Self::AllocateWith(request) => allocate(subject, request, AllocMode::Atomic),
            Self::AllocateCyclic(request) => allocate_cyclic(subject, request),
            Self::GoOnAfter(span) => {
                subject.placed_last = held(subject.span(span));
                Done::Nothing
            }
            Self::FindGap(request) => {
                if let Some(request) = subject.request(request) {
                    let expected = subject.model.find_gap(&request);
                    assert_eq!(subject.tree.find_gap(&request), expected, "{request:?}");
                }
                Done::Nothing
            }
            Self::LongestGap(span) => {
                let ends = subject.span(span);
                let expected = held(ends).and_then(|window| subject.model.longest_gap(window));
                assert_eq!(subject.tree.longest_gap(ends), expected, "{ends:x?}");
                Done::Nothing
            }
        }
    }
}

fn allocate<L: Tested + TracksGaps>(subject: &mut Subject<'_, L>, request: Request, mode: AllocMode) -> Done {
    let Some(request) = subject.request(request) else { return Done::Nothing };
    let expected = subject.model.find_gap(&request);
    let (number, value) = subject.value();
    let result = match mode {
        AllocMode::Normal => subject.tree.allocate(&request, value),
        AllocMode::Atomic => subject.tree.allocate_with(&request, value, mode),
    };
    allocated(subject, result, expected, number)
}

fn allocate_cyclic<L: Tested + TracksGaps>(subject: &mut Subject<'_, L>, request: Request) -> Done {
    let Some(request) = subject.request(request) else { return Done::Nothing };
    let straight = ahead(&request, subject.placed_last).and_then(|ahead| subject.model.find_gap(&ahead));
    let expected = straight.or_else(|| subject.model.find_gap(&request));
    let before = subject.placed_last.map_or(Cyclic::new(), Cyclic::after);
    let (mut cyclic, (number, value)) = (before, subject.value());
    let result = subject.tree.allocate_cyclic(&request, value, AllocMode::Normal, &mut cyclic);
    match &result {
        Ok(placed) => {
            assert_eq!(cyclic, Cyclic::after(placed.range));
            assert_eq!(placed.wrapped, straight.is_none());
            subject.placed_last = Some(placed.range);
        }
        Err(_) => assert_eq!(cyclic, before),
    }
    allocated(subject, result.map(|placed| placed.range), expected, number)
}

/// The same request for what lies behind the range that was placed last.
pub(crate) fn ahead(request: &GapRequest, last: Option<IndexRange>) -> Option<GapRequest> {
    let Some(last) = last else { return Some(*request) };
    let behind = match request.direction() {
        Direction::BottomUp => IndexRange::new(last.last().checked_add(1)?, u64::MAX),
        Direction::TopDown => IndexRange::new(0, last.first().checked_sub(1)?),
    };
    let window = request.window().intersection(behind?)?;
    let ahead = GapRequest::new(window, request.size(), request.align(), request.direction()).ok()?;
    request.boundary().map_or(Some(ahead), |boundary| ahead.not_crossing(boundary).ok())
}

fn allocated<L: Tested>(
    subject: &mut Subject<'_, L>,
    result: Allocated,
    expected: Option<IndexRange>,
    number: u64,
) -> Done {
    match result {
        Ok(range) => {
            assert_eq!(Some(range), expected);
            subject.model.take(range, Some(number));
            subject.recent = range.last();
            Done::LikeInsertion
        }
        Err(error) => {
            came_back(&error.value, number);
            let no_gap = error.kind == AllocateErrorKind::NoGap;
            assert_eq!(no_gap, expected.is_none(), "{:?}", error.kind);
            if no_gap { Done::Nothing } else { Done::NoMemory }
        }
    }
}
