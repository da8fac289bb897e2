//! Many writes, so that short programs make large trees, and writes of whole trees.

use std::ops::Bound;

use maple_tree::{Compaction, IndexRange};

use super::ops::{erase_if, insert, mode, reserve, unreserve};
use super::readers::Staying;
use super::subject::{Done, Subject};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::many::{MOST, in_order};
use crate::place::Index;

choice! {
    pub(crate) enum Op {
        /// Inserts a row of ranges, or reserves them.
        Fill { first: Index, count: u8, size: u16, gap: u8, reserve: bool, down: bool },
        /// Takes out all but some of what there is from an index on.
        Thin { first: Index, count: u8, keep_every: u8, down: bool },
        /// Appends entries behind what there is.
        Extend { count: u8, size: u8, gap: u8 },
        Compact,
        /// So many steps at most; the next such operation goes on where this one stopped.
        CompactSteps(u8),
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>, staying: Option<&Staying<'_>>) {
        match self {
            Self::Fill { first, count, size, gap, reserve: reserved, down } => {
                let first = subject.index(first);
                let pitch = u64::from(size) + u64::from(gap) + 1;
                for i in in_order(count.into(), down) {
                    let Some(first) = first.checked_add(i * pitch) else { continue };
                    if subject.model.len() >= MOST {
                        return;
                    }
                    let last = first.saturating_add(size.into());
                    let ends = (Bound::Included(first), Bound::Included(last));
                    subject.recent = last;
                    subject.step(staying, |subject| match reserved {
                        true => reserve(subject, ends, mode(true)),
                        false => insert(subject, ends, mode(false)),
                    });
                }
            }
            Self::Thin { first, count, keep_every, down } => {
                let first = subject.index(first);
                let from = subject.model.taken().filter(|(range, _)| range.last() >= first);
                let ranges: Vec<_> = from.take(usize::from(count)).collect();
                for i in in_order(ranges.len() as u64, down) {
                    let (range, value) = ranges[i as usize];
                    if (i + 1) % (u64::from(keep_every) + 2) == 0 {
                        continue;
                    }
                    subject.recent = range.last();
                    subject.step(staying, |subject| match value {
                        Some(_) => erase_if(subject, range.first(), None),
                        None => unreserve(subject, range.first()),
                    });
                }
            }
            Self::Extend { count, size, gap } => {
                subject.step(staying, |subject| extend(subject, count, size, gap));
            }
            Self::Compact => subject.step(staying, |subject| {
                subject.writer().compact();
                Done::InBulk
            }),
            Self::CompactSteps(budget) => subject.step(staying, |subject| {
                let mut writer = subject.tree.write();
                if !writer.compact_step(&mut subject.compaction, budget.into()) {
                    subject.compaction = Compaction::new();
                }
                Done::InBulk
            }),
        }
    }
}

/// Each is an insertion of its own: those before one that fails stay.
fn extend<L: Tested>(subject: &mut Subject<'_, L>, count: u8, size: u8, gap: u8) -> Done {
    let bounds = subject.model.bounds();
    let end = subject.model.taken().next_back().map(|(range, _)| range.last());
    let mut next = end.map_or(Some(bounds.first()), |end| end.checked_add(1));
    let mut rows = Vec::new();
    for _ in 0..usize::from(count).min(MOST.saturating_sub(subject.model.len())) {
        let Some(first) = next else { break };
        let range = IndexRange::new(first, first.saturating_add(size.into()));
        next = range.and_then(|range| range.last().checked_add(1 + u64::from(gap)));
        rows.extend(range.map(|range| (range, subject.value())));
    }
    let numbers: Vec<_> = rows.iter().map(|(range, (number, _))| (*range, *number)).collect();
    let failed = subject.alloc.counts().failed;
    let values = rows.into_iter().map(|(range, (_, value))| (range, value));
    let result = subject.writer().extend_sorted(values);
    let refused = result.err().map(|error| error.value.0);
    for (range, number) in numbers {
        if refused == Some(range) {
            let memory = subject.alloc.counts().failed > failed || subject.may_refuse();
            assert!(memory || !bounds.contains_range(range), "{range} was refused");
            break;
        }
        subject.model.take(range, Some(number));
    }
    Done::InBulk
}
