//! Writes over whatever is there, prepared or not, and joining.

use maple_tree::{IndexRange, InsertErrorKind, NodeAlloc, Prepared};

use super::Done;
use crate::check::Subject;
use crate::layouts::Tested;
use crate::model::Model;
use crate::programs::Use;
use crate::values::Value;

impl<V: Value, L: Tested, M: Model> Subject<'_, V, L, M> {
    /// Whether something lies wholly in a range: then overwriting the range needs no memory.
    fn holds_something(&self, range: IndexRange) -> bool {
        self.model.taken().iter().any(|&(taken, _)| range.contains_range(taken))
    }

    fn cost_of_overwriting(&self, range: IndexRange) -> Done {
        if self.holds_something(range) { Done::WithoutMemory } else { Done::LikeInsertion }
    }

    pub(super) fn store(&mut self, range: IndexRange) -> Done {
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

    pub(super) fn clear_range(&mut self, range: IndexRange) -> Done {
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

    pub(super) fn prepare_insert(&mut self, range: IndexRange, used: Use) -> Done {
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

    pub(super) fn prepare_store(&mut self, range: IndexRange, used: Use) -> Done {
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

    /// Values count as equal if their numbers are near each other.
    pub(super) fn merge(&mut self, window: IndexRange) -> Done {
        let merged =
            self.tree.merge_by(window, |left, right| left.key_of_ref() / 16 == right.key_of_ref() / 16);
        assert_eq!(merged, self.model.merge(window, |left, right| left / 16 == right / 16));
        if merged == 0 { Done::Refused } else { Done::WithoutMemory }
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
