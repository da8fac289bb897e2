//! Writes to one place.

use std::ops::Bound;

use maple_tree::{AllocMode, IndexRange, InsertErrorKind};

use super::Done;
use crate::check::Subject;
use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::programs::Use;
use crate::values::Value;

impl<V: Value, L: Tested, K: Kind> Subject<'_, V, L, K> {
    pub(super) fn insert(&mut self, range: IndexRange) -> Done {
        match self.tree.insert(range, self.value(), self.mode()) {
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

    pub(super) fn reserve(&mut self, range: IndexRange) -> Done {
        match self.tree.reserve(range, self.mode()) {
            Ok(()) => {
                self.assert_free(range);
                self.model.take(range, None);
                Done::LikeInsertion
            }
            Err(kind) => self.refused(range, kind),
        }
    }

    pub(super) fn erase(&mut self, index: u64) -> Done {
        let erased = self.tree.erase(index);
        let there = self.model.first_in(IndexRange::single(index));
        assert_eq!(erased, there.and_then(|(range, key)| Some((range, key?))));
        if erased.is_none() {
            return Done::Refused;
        }
        self.model.free(index);
        Done::WithoutMemory
    }

    pub(super) fn unreserve(&mut self, index: u64) -> Done {
        let freed = self.tree.unreserve(index);
        let there = self.model.first_in(IndexRange::single(index));
        assert_eq!(freed, there.filter(|(_, key)| key.is_none()).map(|(range, _)| range));
        if freed.is_none() {
            return Done::Refused;
        }
        self.model.free(index);
        Done::WithoutMemory
    }

    pub(super) fn replace(&mut self, index: u64) -> Done {
        match (self.tree.replace(index, self.value()), self.model.first_in(IndexRange::single(index))) {
            (Ok(old), Some((range, key))) => {
                assert_eq!(old, key);
                self.model.free(index);
                self.model.take(range, Some(self.key()));
                Done::LikeReplacement
            }
            (Err((value, no_memory)), held) => {
                assert_eq!(value.key_of(), self.key());
                assert!(no_memory || held.is_none());
                if no_memory { Done::NoMemory } else { Done::Refused }
            }
            (_, held) => unreachable!("replace({index:#x}) where the model has {held:x?}"),
        }
    }

    /// Nothing can be done with a range that holds no index, and nothing is.
    pub(super) fn reversed(&mut self, first: u64, last: u64) -> Done {
        let range = (Bound::Included(first), Bound::Included(last));
        let (inserted, mode) = (self.tree.insert(range, self.value(), AllocMode::Normal), AllocMode::Normal);
        let stored = self.tree.store(range, self.value(), mode, |_, _| ());
        for result in [inserted, stored] {
            let error = result.expect_err("the range is reversed");
            assert_eq!(error.kind, InsertErrorKind::EmptyRange);
            assert_eq!(error.value.key_of(), self.key());
        }
        assert_eq!(self.tree.reserve(range, mode), Err(InsertErrorKind::EmptyRange));
        assert!(self.tree.prepare_insert(range, mode, Use::Drop, self.value()).is_err());
        assert!(self.tree.prepare_store(range, mode, Use::Drop, self.value()).is_err());
        assert_eq!(self.tree.clear_range(range, mode, |_, _| ()), Ok(()));
        assert_eq!(self.tree.merge_by(range, |_, _| true), 0);
        assert!(self.tree.look().range(range).next().is_none());
        assert!(self.tree.look().gaps_within(range).next().is_none());
        Done::Refused
    }
}
