//! Appending in order.

use maple_faults::Counts;
use maple_tree::{AllocMode, ExtendError, ExtendErrorKind, IndexRange, MapleTree};

use super::Done;
use super::many::MOST;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::Model;
use crate::place::Index;
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        /// Behind what is there, adjoining it.
        Extend(Row),
        /// So far behind what is there.
        ExtendBeyond(u8, Row),
        /// Wherever it is.
        ExtendAt(Index, Row),
        /// A tree from nothing, without bounds; it is the copy from then on.
        FromSorted(Index, Row),
    }
}

/// Ranges in order, or almost.
#[derive(Clone, Copy, Debug, arbitrary::Arbitrary)]
pub(crate) struct Row {
    count: u8,
    size: u8,
    gap: u8,
    /// Behind which of them there is a gap; the bits are used again and again.
    gaps: u8,
    last: Last,
    atomic: bool,
}

choice! {
    /// What the last one is like.
    enum Last {
        Usual,
        /// It goes up to the end of the bounds.
        ToTheEnd,
        /// It goes beyond the bounds, if they end anywhere.
        BeyondTheEnd,
        /// It begins so far below the end of the one before.
        Back(u8),
    }
}

type Rows = Vec<(IndexRange, Box<Counted>)>;

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let bounds = subject.model.bounds();
        let end = subject.model.taken().next_back().map(|(range, _)| range.last());
        let (first, row) = match self {
            Self::Extend(row) | Self::ExtendBeyond(_, row) => {
                let beyond = if let Self::ExtendBeyond(beyond, _) = self { beyond } else { 0 };
                let first = end.map_or(bounds.first(), |end| end.saturating_add(1));
                (first.saturating_add(beyond.into()), row)
            }
            Self::ExtendAt(index, row) | Self::FromSorted(index, row) => (subject.index(index), row),
        };
        let from_nothing = matches!(self, Self::FromSorted(..));
        let ranges = match from_nothing {
            true => row.ranges(first, &Model::new(IndexRange::FULL)),
            false => row.ranges(first, &subject.model),
        };
        let rows = ranges.into_iter().map(|range| (range, subject.value()));
        let (numbers, rows): (Vec<_>, Rows) =
            rows.map(|(range, (number, value))| ((range, number), (range, value))).unzip();
        match from_nothing {
            true => from_sorted(subject, rows, &numbers),
            false => extend(subject, rows, &numbers, row.atomic),
        }
    }
}

fn extend<L: Tested>(
    subject: &mut Subject<'_, L>,
    rows: Rows,
    numbers: &[(IndexRange, u64)],
    atomic: bool,
) -> Done {
    let before = subject.alloc.counts();
    let result = match atomic {
        true => subject.tree.extend_sorted_with(rows, AllocMode::Atomic),
        false => subject.tree.extend_sorted(rows),
    };
    let now = subject.alloc.counts();
    appended(&mut subject.model, numbers, result.err(), now.failed > before.failed);
    subject.check_structure();
    subject.check_contents();
    Done::InBulk { most: asked(before, now, true) }
}

fn from_sorted<L: Tested>(subject: &mut Subject<'_, L>, rows: Rows, numbers: &[(IndexRange, u64)]) -> Done {
    let before = subject.alloc.counts();
    let result = MapleTree::from_sorted_in(rows, subject.alloc);
    let now = subject.alloc.counts();
    let most = asked(before, now, result.is_ok());
    let mut model = Model::new(IndexRange::FULL);
    match result {
        Ok(tree) => {
            appended(&mut model, numbers, None, now.failed > before.failed);
            subject.set_copy(tree, model);
        }
        Err(error) => appended(&mut model, numbers, Some(error), now.failed > before.failed),
    }
    Done::InBulk { most }
}

/// How many calls there were. If there was memory for all and the tree is kept, each node asked for is in it.
fn asked(before: Counts, now: Counts, kept: bool) -> u64 {
    let calls = now.calls - before.calls;
    if now.failed == before.failed && kept {
        assert_eq!(calls, now.live - before.live, "more was asked for than was needed");
    }
    calls
}

/// Appends to the model what got into the tree. What did not was refused for the right reason.
fn appended(
    model: &mut Model,
    rows: &[(IndexRange, u64)],
    error: Option<ExtendError<Box<Counted>>>,
    no_memory: bool,
) {
    let refused = error.map(|error| (error.value.0, error.value.1.number(), error.kind));
    for &(range, number) in rows {
        let expected = appendable(model, range);
        match refused {
            Some((at, refused, kind)) if refused == number => {
                assert_eq!(at, range);
                match kind {
                    ExtendErrorKind::NodeMemory(_) => assert!(expected.is_none() && no_memory),
                    kind => assert_eq!(Some(kind), expected),
                }
                return;
            }
            _ => assert_eq!(expected, None, "{range:?} was appended"),
        }
        model.take(range, Some(number));
    }
    assert!(refused.is_none() && !no_memory, "an error from nowhere");
}

/// Why a range cannot be appended, whatever memory there is.
fn appendable(model: &Model, range: IndexRange) -> Option<ExtendErrorKind> {
    let (bounds, last) = (model.bounds(), model.taken().next_back());
    if !bounds.contains_range(range) {
        return Some(ExtendErrorKind::OutOfBounds { bounds });
    }
    let (after, _) = last.filter(|(last, _)| range.first() <= last.last())?;
    Some(ExtendErrorKind::OutOfOrder { after })
}

impl Row {
    fn ranges(self, first: u64, model: &Model) -> Vec<IndexRange> {
        let count = usize::from(self.count).min(MOST.saturating_sub(model.len()));
        let (mut ranges, mut next) = (Vec::new(), Some(first));
        for nth in 0..count {
            let Some(first) = next else { break };
            let last = first.saturating_add(self.size.into());
            let gap = if self.gaps >> (nth % 8) & 1 == 0 { 0 } else { u64::from(self.gap) };
            ranges.extend(IndexRange::new(first, last));
            next = last.checked_add(gap + 1);
        }
        if let Some(last) = ranges.pop() {
            let end = model.bounds().last();
            ranges.push(match self.last {
                Last::Usual => last,
                Last::ToTheEnd => IndexRange::new(last.first(), end).unwrap_or(last),
                Last::BeyondTheEnd => IndexRange::new(last.first(), end.saturating_add(1)).unwrap_or(last),
                Last::Back(by) => {
                    let before = ranges.last().map_or(first, |before| before.last());
                    IndexRange::single(before.saturating_sub(by.into()))
                }
            });
        }
        ranges
    }
}
