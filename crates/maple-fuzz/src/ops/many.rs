//! Many writes at once, so that short programs make large trees.

use std::ops::Bound;

use maple_tree::AllocMode;

use super::erase::{erase, unreserve};
use super::insert::{insert, reserve};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::Index;
use crate::subject::Subject;

/// How much lies in a tree at most: enough for three levels of the larger nodes, and no more, since checking is slow.
pub(crate) const MOST: usize = 600;

choice! {
    pub(crate) enum Op {
        /// Stores over a row of ranges, or reserves them.
        Fill { first: Index, count: u8, size: u16, gap: u8, reserve: bool, down: bool },
        /// Takes out all but some of what there is from an index on.
        Thin { first: Index, count: u8, keep_every: u8, down: bool },
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) {
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
                    subject.step(|subject| match reserved {
                        true => reserve(subject, ends),
                        false => insert(subject, ends, AllocMode::Normal),
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
                    subject.step(|subject| match value {
                        Some(_) => erase(subject, range.first()),
                        None => unreserve(subject, range.first()),
                    });
                }
            }
        }
    }
}

/// The numbers below `count`, up or down.
pub(crate) fn in_order(count: u64, down: bool) -> impl Iterator<Item = u64> {
    (0..count).map(move |i| if down { count - 1 - i } else { i })
}
