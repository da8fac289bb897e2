//! Searching and storing in one.

use maple_tree::{AllocateErrorKind, Cyclic, Direction, GapRequest, IndexRange};

use super::Done;
use crate::check::Subject;
use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::programs;
use crate::values::Value;

impl<V: Value, L: Tested, K: Kind> Subject<'_, V, L, K> {
    pub(super) fn allocate(&mut self, request: &GapRequest) -> Done {
        let expected = self.model.find_gap(request);
        let (value, mode) = (self.value(), self.mode());
        let Some(result) = self.tree.allocate(request, value, mode) else {
            return Done::Refused;
        };
        match result {
            Ok(range) => {
                assert_eq!(Some(range), expected);
                self.model.take(range, Some(self.key()));
                Done::LikeInsertion
            }
            Err(error) => {
                assert_eq!(error.value.key_of(), self.key(), "another value came back");
                self.not_allocated(expected, error.kind)
            }
        }
    }

    fn not_allocated(&self, expected: Option<IndexRange>, kind: AllocateErrorKind) -> Done {
        match kind {
            AllocateErrorKind::NoGap => {
                assert_eq!(expected, None);
                Done::Refused
            }
            AllocateErrorKind::NodeMemory(_) => {
                assert!(expected.is_some());
                Done::NoMemory
            }
            other => unreachable!("{other}"),
        }
    }

    pub(super) fn allocate_cyclic(&mut self, request: &GapRequest) -> Done {
        // What lies behind the range that was placed last, in a window of its own.
        let window = request.window();
        let ahead = match (self.placed_last, request.direction()) {
            (None, _) => Some(window),
            (Some(last), Direction::BottomUp) => last
                .last()
                .checked_add(1)
                .and_then(|first| IndexRange::new(first.max(window.first()), window.last())),
            (Some(last), Direction::TopDown) => last
                .first()
                .checked_sub(1)
                .and_then(|last| IndexRange::new(window.first(), last.min(window.last()))),
        };
        let straight = ahead.and_then(|ahead| self.model.find_gap(&programs::in_window(request, ahead)));
        let expected = straight.or_else(|| self.model.find_gap(request));
        let mut cyclic = self.placed_last.map_or(Cyclic::new(), Cyclic::after);
        let (value, mode) = (self.value(), self.mode());
        let result = self.tree.allocate_cyclic(request, value, mode, &mut cyclic);
        match result {
            None => Done::Refused,
            Some(Ok(placed)) => {
                assert_eq!(Some(placed.range), expected);
                assert_eq!(placed.wrapped, straight.is_none());
                assert_eq!(cyclic, Cyclic::after(placed.range));
                self.placed_last = Some(placed.range);
                self.model.take(placed.range, Some(self.key()));
                Done::LikeInsertion
            }
            Some(Err(error)) => {
                assert_eq!(error.value.key_of(), self.key(), "another value came back");
                assert_eq!(cyclic, self.placed_last.map_or(Cyclic::new(), Cyclic::after));
                self.not_allocated(expected, error.kind)
            }
        }
    }
}
