//! One write, to the tree and to the model: what the tree says of it is compared, and what it takes from memory.

use std::ops::Bound;

use maple_tree::{
    AllocMode, AllocateErrorKind, Cyclic, Direction, GapRequest, IndexRange, InsertErrorKind, NodeAlloc,
    Prepared,
};

use crate::check::Subject;
use crate::layouts::Tested;
use crate::model::Model;
use crate::programs::{self, Op, Use};
use crate::values::Value;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or refused for a reason that is in the program.
    AsPlanned,
    /// Refused for lack of memory; the tree is as it was.
    NoMemory,
}

/// What a write did, and what it may have asked of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    /// It needed nothing.
    WithoutMemory,
    /// It may have needed the nodes of one insertion.
    LikeInsertion,
    /// There was a reason not to do it.
    Refused,
    /// There was no memory.
    NoMemory,
}

impl<V: Value, L: Tested, M: Model> Subject<'_, V, L, M> {
    /// One write, compared with the model.
    pub(crate) fn apply(&mut self, op: Op) -> Outcome {
        self.steps += 1;
        self.last = Some(op);
        self.number += 1;
        let before = self.text();
        let (counts, height) = (self.alloc.counts(), self.tree.stats().height as u64);
        let done = match op {
            Op::Insert(range) => self.insert(range),
            Op::Reserve(range) => self.reserve(range),
            Op::Store(range) => self.store(range),
            Op::ClearRange(range) => self.clear_range(range),
            Op::PrepareInsert(range, used) => self.prepare_insert(range, used),
            Op::PrepareStore(range, used) => self.prepare_store(range, used),
            Op::Allocate(request) => self.allocate(&request),
            Op::AllocateCyclic(request) => self.allocate_cyclic(&request),
            Op::Reversed(first, last) => self.reversed(first, last),
            Op::Erase(index) => self.erase(index),
            Op::Unreserve(index) => self.unreserve(index),
            Op::Replace(index) => self.replace(index),
            Op::Merge(window) => self.merge(window),
            Op::Clear => self.clear(),
        };
        let now = self.alloc.counts();
        let most = match done {
            Done::WithoutMemory | Done::Refused => 0,
            Done::LikeInsertion | Done::NoMemory => height + 1,
        };
        assert!(now.calls - counts.calls <= most, "{} nodes, {done:?}", now.calls - counts.calls);
        if matches!(done, Done::Refused | Done::NoMemory) && before.is_some() {
            assert_eq!(before, self.text(), "what was not done changed the tree");
        }
        if done != Done::NoMemory {
            return Outcome::AsPlanned;
        }
        assert!(now.failed > counts.failed, "there was memory");
        // The next attempt has the same value.
        self.number -= 1;
        Outcome::NoMemory
    }

    fn value(&self) -> V {
        V::make(self.number, &self.live)
    }

    fn key(&self) -> u64 {
        V::key(self.number)
    }

    fn mode(&self) -> AllocMode {
        if self.number % 2 == 0 { AllocMode::Normal } else { AllocMode::Atomic }
    }

    /// Compares why a range was refused with the reason that the model has.
    fn refused(&self, range: IndexRange, kind: InsertErrorKind) -> Done {
        let (in_the_way, bounds) = (self.model.first_in(range), self.model.bounds());
        match kind {
            InsertErrorKind::Occupied { by } => assert_eq!(Some(by), in_the_way.map(|(range, _)| range)),
            InsertErrorKind::NodeMemory(_) => {
                return Done::NoMemory;
            }
            InsertErrorKind::OutOfBounds { bounds: said } => {
                assert_eq!((said, bounds.contains_range(range)), (bounds, false));
            }
            other => unreachable!("{other}"),
        }
        Done::Refused
    }

    fn assert_free(&self, range: IndexRange) {
        assert_eq!(self.model.first_in(range), None, "stored over what was taken");
        assert!(self.model.bounds().contains_range(range), "stored out of bounds");
    }

    fn insert(&mut self, range: IndexRange) -> Done {
        match self.tree.insert_with(range, self.value(), self.mode()) {
            Ok(()) => {
                self.assert_free(range);
                self.model.take(range, Some(self.key()));
                Done::LikeInsertion
            }
            Err(error) => {
                assert_eq!(error.value.key_of(), self.key(), "another value came back");
                self.refused(range, error.kind)
            }
        }
    }

    fn reserve(&mut self, range: IndexRange) -> Done {
        match self.tree.reserve_with(range, self.mode()) {
            Ok(()) => {
                self.assert_free(range);
                self.model.take(range, None);
                Done::LikeInsertion
            }
            Err(kind) => self.refused(range, kind),
        }
    }

    /// Whether something lies wholly in a range: then overwriting the range needs no memory.
    fn holds_something(&self, range: IndexRange) -> bool {
        self.model.taken().iter().any(|&(taken, _)| range.contains_range(taken))
    }

    fn cost_of_overwriting(&self, range: IndexRange) -> Done {
        if self.holds_something(range) { Done::WithoutMemory } else { Done::LikeInsertion }
    }

    fn store(&mut self, range: IndexRange) -> Done {
        let cost = self.cost_of_overwriting(range);
        let mut displaced = Vec::new();
        let receive = |range, value: V| displaced.push((range, value.key_of()));
        match self.tree.store_with(range, self.value(), self.mode(), receive) {
            Ok(()) => {
                assert!(self.model.bounds().contains_range(range), "stored out of bounds");
                assert_eq!(displaced, self.model.clear_range(range));
                self.model.take(range, Some(self.key()));
                cost
            }
            Err(error) => {
                assert_eq!(error.value.key_of(), self.key(), "another value came back");
                assert!(!matches!(error.kind, InsertErrorKind::Occupied { .. }));
                self.refused(range, error.kind)
            }
        }
    }

    fn clear_range(&mut self, range: IndexRange) -> Done {
        let cut = |index| {
            let at = self.model.first_in(IndexRange::single(index));
            at.is_some_and(|(taken, _)| !range.contains_range(taken))
        };
        let cuts = cut(range.first()) || cut(range.last());
        let cost = if cuts { self.cost_of_overwriting(range) } else { Done::WithoutMemory };
        let mut cleared = Vec::new();
        let receive = |range, value: V| cleared.push((range, value.key_of()));
        match self.tree.clear_range_with(range, self.mode(), receive) {
            Ok(()) => {
                assert_eq!(cleared, self.model.clear_range(range));
                cost
            }
            Err(_) => {
                assert_eq!(cost, Done::LikeInsertion, "this needs no memory");
                Done::NoMemory
            }
        }
    }

    fn prepare_insert(&mut self, range: IndexRange, used: Use) -> Done {
        let (value, mode) = (self.value(), self.mode());
        match self.tree.prepare_insert(range, mode).map(|prepared| finish(prepared, used, value)) {
            Ok(()) => {
                self.assert_free(range);
                self.used(range, used);
                Done::LikeInsertion
            }
            Err(kind) => self.refused(range, kind),
        }
    }

    fn prepare_store(&mut self, range: IndexRange, used: Use) -> Done {
        let cost = self.cost_of_overwriting(range);
        let (value, mode, alloc) = (self.value(), self.mode(), self.alloc);
        let finish = |prepared: Prepared<'_, V, L, _>| {
            // From here on nothing may fail, nor ask.
            let calls = alloc.counts().calls;
            finish(prepared, used, value);
            assert_eq!(alloc.counts().calls, calls, "what was prepared asked for memory");
        };
        match self.tree.prepare_store(range, mode).map(finish) {
            Ok(()) => {
                self.used(range, used);
                cost
            }
            Err(kind) => self.refused(range, kind),
        }
    }

    /// What a prepared write leaves.
    fn used(&mut self, range: IndexRange, used: Use) {
        if used != Use::Drop {
            self.model.clear_range(range);
        }
        match used {
            Use::Store => self.model.take(range, Some(self.key())),
            Use::Reserve => self.model.take(range, None),
            Use::Clear | Use::Drop => {}
        }
    }

    fn allocate(&mut self, request: &GapRequest) -> Done {
        let expected = self.model.find_gap(request);
        let (value, mode) = (self.value(), self.mode());
        let Some(result) = L::allocate(&mut self.tree, request, value, mode) else {
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

    fn allocate_cyclic(&mut self, request: &GapRequest) -> Done {
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
        let result = L::allocate_cyclic(&mut self.tree, request, value, mode, &mut cyclic);
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

    /// Nothing can be done with a range that holds no index, and nothing is.
    fn reversed(&mut self, first: u64, last: u64) -> Done {
        let range = (Bound::Included(first), Bound::Included(last));
        for result in [self.tree.insert(range, self.value()), self.tree.store(range, self.value())] {
            let error = result.expect_err("the range is reversed");
            assert_eq!(error.kind, InsertErrorKind::EmptyRange);
            assert_eq!(error.value.key_of(), self.key());
        }
        assert_eq!(self.tree.reserve(range), Err(InsertErrorKind::EmptyRange));
        assert!(self.tree.prepare_insert(range, AllocMode::Normal).is_err());
        assert!(self.tree.prepare_store(range, AllocMode::Normal).is_err());
        assert_eq!(self.tree.clear_range(range), Ok(()));
        assert_eq!(self.tree.merge_by(range, |_, _| true), 0);
        assert!(self.tree.range(range).next().is_none());
        assert!(self.tree.gaps_within(range).next().is_none());
        Done::Refused
    }

    fn erase(&mut self, index: u64) -> Done {
        let erased = self.tree.erase(index).map(|(range, value)| (range, value.key_of()));
        let there = self.model.first_in(IndexRange::single(index));
        assert_eq!(erased, there.and_then(|(range, key)| Some((range, key?))));
        if erased.is_none() {
            return Done::Refused;
        }
        self.model.free(index);
        Done::WithoutMemory
    }

    fn unreserve(&mut self, index: u64) -> Done {
        let freed = self.tree.unreserve(index);
        let there = self.model.first_in(IndexRange::single(index));
        assert_eq!(freed, there.filter(|(_, key)| key.is_none()).map(|(range, _)| range));
        if freed.is_none() {
            return Done::Refused;
        }
        self.model.free(index);
        Done::WithoutMemory
    }

    fn replace(&mut self, index: u64) -> Done {
        match (self.tree.replace(index, self.value()), self.model.first_in(IndexRange::single(index))) {
            (Ok(old), Some((range, key))) => {
                assert_eq!(old.map(V::key_of), key);
                self.model.free(index);
                self.model.take(range, Some(self.key()));
                Done::WithoutMemory
            }
            (Err(value), None) => {
                assert_eq!(value.key_of(), self.key());
                Done::Refused
            }
            (_, held) => unreachable!("replace({index:#x}) where the model has {held:x?}"),
        }
    }

    /// Values count as equal if their numbers are near each other.
    fn merge(&mut self, window: IndexRange) -> Done {
        let merged =
            self.tree.merge_by(window, |left, right| left.key_of_ref() / 16 == right.key_of_ref() / 16);
        assert_eq!(merged, self.model.merge(window, |left, right| left / 16 == right / 16));
        if merged == 0 { Done::Refused } else { Done::WithoutMemory }
    }

    fn clear(&mut self) -> Done {
        self.tree.clear();
        for (range, _) in self.model.taken() {
            self.model.free(range.first());
        }
        Done::WithoutMemory
    }
}

fn finish<V: Value, L: Tested, A: NodeAlloc>(prepared: Prepared<'_, V, L, A>, used: Use, value: V) {
    match used {
        Use::Store => prepared.store(value),
        Use::Reserve => prepared.reserve(),
        Use::Clear => prepared.clear(),
        Use::Drop => drop(prepared),
    }
}
