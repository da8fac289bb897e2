//! Writes over whatever is there, prepared or not, and joining.

use maple_tree::{Content, IndexRange, InsertErrorKind, MapleTree, NodeAlloc};

use super::Done;
use crate::check::Subject;
use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::model::Taken;
use crate::programs::Use;
use crate::values::Value;

impl<V: Value, L: Tested, K: Kind> Subject<'_, V, L, K> {
    /// Whether something lies wholly in a range: then overwriting the range needs no memory.
    fn holds_something(&self, range: IndexRange) -> bool {
        self.model.taken().iter().any(|&(taken, _)| range.contains_range(taken))
    }

    fn cost_of_overwriting(&self, range: IndexRange) -> Done {
        if !K::SHARED && self.holds_something(range) { Done::WithoutMemory } else { Done::LikeInsertion }
    }

    pub(super) fn store(&mut self, range: IndexRange) -> Done {
        let cost = self.cost_of_overwriting(range);
        let mut displaced = Vec::new();
        let receive = |range, key| displaced.push((range, key));
        match self.tree.store(range, self.value(), self.mode(), receive) {
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
        let receive = |range, key| cleared.push((range, key));
        match self.tree.clear_range(range, self.mode(), receive) {
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
        match self.tree.prepare_insert(range, self.mode(), used, self.value()) {
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
        match self.tree.prepare_store(range, self.mode(), used, self.value()) {
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
        let failed = self.alloc.counts().failed;
        let merged = self.tree.merge_by(window, |left, right| left / 16 == right / 16);
        if self.alloc.counts().failed == failed && !self.tree.may_refuse() {
            assert_eq!(merged, self.model.merge(window, &|left, right| left / 16 == right / 16));
        } else {
            self.merged_in_part(window, merged);
        }
        match merged {
            _ if K::SHARED => Done::LikeBuild,
            0 => Done::Refused,
            _ => Done::WithoutMemory,
        }
    }

    /// Where there was no memory neighbours stay as they were; all others are joined.
    fn merged_in_part(&mut self, window: IndexRange, merged: usize) {
        let tree = self.tree.look();
        let joined: Vec<Taken> =
            taken(&tree).into_iter().filter(|(range, _)| range.overlaps(window)).collect();
        drop(tree);
        let before = self.model.taken();
        let mut gone = 0;
        for (range, key) in joined {
            let parts: Vec<_> = before.iter().filter(|(part, _)| part.overlaps(range)).collect();
            assert!(parts.iter().all(|(part, other)| {
                range.contains_range(*part) && other.map(|other| other / 16) == key.map(|key| key / 16)
            }));
            assert_eq!(parts.first().map(|(part, key)| (part.first(), *key)), Some((range.first(), key)));
            assert_eq!(parts.iter().map(|(part, _)| part.count()).sum::<u128>(), range.count());
            for (part, _) in &parts {
                self.model.free(part.first());
            }
            self.model.take(range, key);
            gone += parts.len() - 1;
        }
        assert_eq!(gone, merged);
    }
}

/// All that is taken in a tree.
fn taken<V: Value, L: Tested, A: NodeAlloc>(tree: &MapleTree<V, L, A>) -> Vec<Taken> {
    let (mut cursor, mut taken) = (tree.cursor_front(), Vec::new());
    while let Some((range, content)) = cursor.next_range() {
        match content {
            Content::Entry(lent) => taken.push((range, Some(V::key_of_lent(lent)))),
            Content::Reserved => taken.push((range, None)),
            Content::Gap => {}
        }
    }
    taken
}
