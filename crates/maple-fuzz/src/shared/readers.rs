//! Readers that stay while others write.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use maple_tree::IndexRange;

use super::ops::Op;
use super::subject::{Subject, numbered};
use super::{Reader, Tree};
use crate::check::{from_both_ends, overlapping};
use crate::layouts::Tested;
use crate::model::Model;
use crate::place::{Ends, Span, held};
use crate::values::{Counted, Live};

/// A reader, and what its values are known by that it has found.
pub(super) struct Guest<'t, L: Tested> {
    pub(super) reader: Reader<'t, L>,
    found: Vec<u64>,
}

impl<'t, L: Tested> Guest<'t, L> {
    pub(super) fn new(tree: &'t Tree<L>) -> Self {
        Self { reader: tree.read(), found: Vec::new() }
    }

    pub(super) fn check_found(&self, live: &Live) {
        assert!(self.found.iter().all(|&value| live.has(value)), "a value was dropped under a reader");
    }

    pub(super) fn look(&mut self, index: u64) {
        self.found.extend(self.reader.get(index).map(Counted::identity));
    }

    /// All that there is in a window, and a cursor that goes there.
    pub(super) fn look_within(&mut self, ends: Ends, order: u64, model: &Model) {
        self.found.extend(self.reader.range(ends).map(|(_, value)| value.identity()));
        let found = from_both_ends(self.reader.range(ends).map(numbered), order);
        assert_eq!(found, overlapping(model, ends), "a reader's entries of {ends:x?}");
        let Some(window) = held(ends) else { return };
        let mut cursor = self.reader.cursor_at(window.first());
        let entries = model.entries();
        let mut place = IndexRange::single(window.first());
        for bit in 0..8 {
            let (next, expected) = if order >> bit & 1 == 0 {
                let next = entries.iter().find(|(range, _)| range.first() > place.last());
                (cursor.next_entry(), next)
            } else {
                let prev = entries.iter().rev().find(|(range, _)| range.last() < place.first());
                (cursor.prev_entry(), prev)
            };
            self.found.extend(next.map(|(_, value)| value.identity()));
            assert_eq!(next.map(numbered), expected.copied(), "a cursor at {place}");
            let Some(&(range, _)) = expected else { break };
            assert_eq!(cursor.current().map(numbered), expected.copied());
            place = range;
        }
    }
}

/// The readers that stay here with an iterator each: this one, and those that came before.
pub(super) struct Staying<'s> {
    way: &'s dyn Watching,
    before: Option<&'s Staying<'s>>,
}

/// An iterator that is on its way.
trait Watching {
    fn wrote(&self, model: &Model);
    fn check_found(&self, live: &Live);
    fn go_on(&self, back: bool, times: u8);
}

impl Staying<'_> {
    pub(super) fn depth(&self) -> usize {
        1 + self.before.map_or(0, Staying::depth)
    }

    pub(super) fn wrote(&self, model: &Model) {
        self.way.wrote(model);
        if let Some(before) = self.before {
            before.wrote(model);
        }
    }

    pub(super) fn check_found(&self, live: &Live) {
        self.way.check_found(live);
        if let Some(before) = self.before {
            before.check_found(live);
        }
    }

    /// The reader that came so many before goes on.
    pub(super) fn go_on(&self, before: u8, back: bool, times: u8) {
        match self.before {
            Some(earlier) if before > 0 => earlier.go_on(before - 1, back, times),
            _ => self.way.go_on(back, times),
        }
    }
}

/// An iterator, and what it may and must find.
struct Way<I> {
    iter: I,
    window: Option<IndexRange>,
    /// What it has passed from the front ends here, and what it has passed from the back begins here.
    front: i128,
    back: i128,
    /// What has been there all the time, with the same range.
    always: BTreeMap<u64, IndexRange>,
    /// What was there at some time.
    ever: BTreeSet<(u64, u64, u64)>,
    found: Vec<u64>,
}

impl<'g, I: DoubleEndedIterator<Item = (IndexRange, &'g Counted)>> Way<I> {
    fn step(&mut self, back: bool) -> bool {
        let item = if back { self.iter.next_back() } else { self.iter.next() };
        let (from, to) = match item {
            Some((range, value)) => {
                self.found.push(value.identity());
                let was_there = self.ever.contains(&(range.first(), range.last(), value.number()));
                assert!(was_there, "{range} was never there");
                assert!(self.window.is_some_and(|window| range.overlaps(window)), "{range} is not meant");
                let (first, last) = (i128::from(range.first()), i128::from(range.last()));
                assert!(self.front < first && last < self.back, "{range} comes a second time");
                if back { (last, self.back) } else { (self.front, first) }
            }
            None => (self.front, self.back),
        };
        let passed_over = self.always.values().find(|range| {
            self.window.is_some_and(|window| range.overlaps(window))
                && from < i128::from(range.first())
                && i128::from(range.last()) < to
        });
        assert_eq!(passed_over, None, "this has been there all the time");
        match item {
            Some((range, _)) if back => self.back = range.first().into(),
            Some((range, _)) => self.front = range.last().into(),
            None => self.front = self.back,
        }
        item.is_some()
    }
}

impl<'g, I: DoubleEndedIterator<Item = (IndexRange, &'g Counted)>> Watching for RefCell<Way<I>> {
    fn wrote(&self, model: &Model) {
        let Way { always, ever, .. } = &mut *self.borrow_mut();
        let entries = model.entries();
        ever.extend(entries.iter().map(|(range, value)| (range.first(), range.last(), *value)));
        let now: BTreeMap<_, _> = entries.into_iter().map(|(range, _)| (range.first(), range)).collect();
        always.retain(|first, range| now.get(first) == Some(range));
    }

    fn check_found(&self, live: &Live) {
        assert!(self.borrow().found.iter().all(|&value| live.has(value)), "dropped under an iterator");
    }

    fn go_on(&self, back: bool, times: u8) {
        let mut way = self.borrow_mut();
        for _ in 0..=times {
            if !way.step(back) {
                assert!(!way.step(!back), "more after the end");
                break;
            }
        }
    }
}

impl<L: Tested> Subject<'_, L> {
    /// A reader comes, begins to iterate over a window, and stays while the next operations are done.
    pub(super) fn stay(
        &mut self,
        window: Span,
        ops: &mut dyn Iterator<Item = Op>,
        before: Option<&Staying<'_>>,
    ) {
        let ends = self.span(window);
        let tree = self.tree;
        let reader = tree.read();
        let way = RefCell::new(Way {
            iter: reader.range(ends),
            window: held(ends),
            front: -1,
            back: 1 << 64,
            always: self.model.entries().into_iter().map(|(range, _)| (range.first(), range)).collect(),
            ever: BTreeSet::new(),
            found: Vec::new(),
        });
        way.wrote(&self.model);
        self.run(ops, Some(&Staying { way: &way, before }));
        // All that is left for it to find.
        way.go_on(false, u8::MAX);
        way.check_found(self.live);
    }
}
