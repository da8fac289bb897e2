//! Taking out many. None of it needs memory.

use std::collections::VecDeque;
use std::mem;

use maple_tree::MapleTree;

use super::{Done, bit};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::model::{Model, Taken};
use crate::place::{Span, held};
use crate::subject::Subject;
use crate::values::Counted;

choice! {
    pub(crate) enum Op {
        /// So many of a window, from both ends as the bits say; then the iterator is dropped, or forgotten.
        Drain { window: Span, order: u16, most: u8, forget: bool },
        /// All but some; values are exchanged. One bit for each entry, again and again.
        Retain { wanted: u16, exchanged: u16 },
        /// So many of all that is in the copy, or else in the tree; the others are dropped with the iterator.
        IntoIter { order: u16, most: u8 },
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        match self {
            Self::Drain { window, order, most, forget } => drain(subject, window, order, most, forget),
            Self::Retain { wanted, exchanged } => retain(subject, wanted, exchanged),
            Self::IntoIter { order, most } => into_iter(subject, order, most),
        }
        subject.check_structure();
        subject.check_contents();
        Done::WithoutMemory
    }
}

fn drain<L: Tested>(subject: &mut Subject<'_, L>, window: Span, order: u16, most: u8, forget: bool) {
    let ends = subject.span(window);
    let Subject { tree, model, .. } = subject;
    let within = |taken: &Taken| held(ends).is_some_and(|window| taken.0.overlaps(window));
    let mut rest: VecDeque<Taken> = model.taken().filter(within).collect();
    let mut drain = tree.drain(ends);
    for step in 0..most {
        let front = bit(order, step.into());
        let drained = if front { drain.next() } else { drain.next_back() };
        // What is reserved on the way is freed.
        let mut expected = None;
        while let Some((range, value)) = if front { rest.pop_front() } else { rest.pop_back() } {
            model.free(range.first());
            expected = value.map(|value| (range, value));
            if expected.is_some() {
                break;
            }
        }
        assert_eq!(drained.map(|(range, value)| (range, value.number())), expected);
        if expected.is_none() {
            assert!(drain.next().is_none() && drain.next_back().is_none(), "more after the end");
            break;
        }
    }
    if forget {
        mem::forget(drain);
    } else {
        drop(drain);
        for (range, _) in rest {
            model.free(range.first());
        }
    }
}

fn retain<L: Tested>(subject: &mut Subject<'_, L>, wanted: u16, exchanged: u16) {
    let Subject { tree, model, number, live, .. } = subject;
    let mut expected = model.entries().into_iter().enumerate();
    tree.retain(|range, value| {
        let (nth, there) = expected.next().expect("an entry more than there are");
        assert_eq!((range, value.number()), there);
        if bit(exchanged, nth) {
            *number += 1;
            drop(mem::replace(value, Box::new(Counted::new(*number, live))));
        }
        let wanted = bit(wanted, nth);
        if wanted {
            model.take(range, Some(value.number()));
        } else {
            model.free(range.first());
        }
        wanted
    });
    assert_eq!(expected.next(), None, "an entry was left out");
}

fn into_iter<L: Tested>(subject: &mut Subject<'_, L>, order: u16, most: u8) {
    let (tree, model) = subject.copy.take().unwrap_or_else(|| {
        let bounds = subject.model.bounds();
        let tree = mem::replace(&mut subject.tree, MapleTree::bounded_in(bounds, subject.alloc));
        (tree, mem::replace(&mut subject.model, Model::new(bounds)))
    });
    let (mut rest, mut entries) = (VecDeque::from(model.entries()), tree.into_iter());
    for step in 0..most {
        assert_eq!(entries.len(), rest.len());
        let (entry, expected) = if bit(order, step.into()) {
            (entries.next(), rest.pop_front())
        } else {
            (entries.next_back(), rest.pop_back())
        };
        assert_eq!(entry.map(|(range, value)| (range, value.number())), expected);
    }
}
