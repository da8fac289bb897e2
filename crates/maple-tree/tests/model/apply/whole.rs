//! Whole trees: copying, compacting, appending in order.

use maple_tree::{ExtendErrorKind, IndexRange, MapleTree};

use super::Done;
use crate::check::Subject;
use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::programs::Row;
use crate::values::Value;

impl<V: Value, L: Tested, K: Kind> Subject<'_, V, L, K> {
    /// A copy is the same to the last slot. It is dropped again.
    pub(super) fn copy(&mut self) -> Done {
        let tree = self.tree.look();
        match tree.try_clone() {
            Ok(copy) => {
                assert_eq!(copy.validate(), Ok(()));
                assert_eq!((copy.bounds(), copy.stats()), (tree.bounds(), tree.stats()));
                // In a shared tree empty slots may stand side by side.
                assert!(K::SHARED || copy.dump().to_string() == tree.dump().to_string());
                assert!(copy.iter().map(|(range, _)| range).eq(tree.iter().map(|(range, _)| range)));
                let values = |tree: &MapleTree<V, L, _>| {
                    tree.iter().map(|(_, lent)| V::key_of_lent(lent)).collect::<Vec<_>>()
                };
                assert_eq!(values(&copy), values(&tree));
                Done::LikeCopy
            }
            Err(_) => Done::NoMemory,
        }
    }

    /// A part of a compaction, which goes on between other writes.
    pub(super) fn compact_step(&mut self, budget: usize) -> Done {
        let nodes = |stats: maple_tree::Stats| stats.leaves + stats.branches;
        let (before, released) = (nodes(self.tree.look().stats()), self.compaction.released());
        let more = self.tree.compact_step(&mut self.compaction, budget);
        assert_eq!(before - nodes(self.tree.look().stats()), self.compaction.released() - released);
        assert_eq!(more, !self.compaction.is_done());
        if !more {
            self.compaction = Default::default();
        }
        K::COMPACTED
    }

    pub(super) fn compact(&mut self) -> Done {
        let before = self.tree.look().stats();
        let released = self.tree.compact();
        let after = self.tree.look().stats();
        assert_eq!(before.leaves + before.branches - released, after.leaves + after.branches);
        K::COMPACTED
    }

    /// Appends a row of ranges behind all that is taken, as many as there is space for. If there is no memory for one
    /// of them, those before it are taken out again.
    pub(super) fn append(&mut self, row: Row) -> Done {
        let space = self.model.space();
        let behind =
            self.model.taken().last().map_or(Some(space.first()), |(last, _)| last.last().checked_add(1));
        let place =
            |first: u64| IndexRange::sized(first, row.size).filter(|&range| space.contains_range(range));
        let first = behind.and_then(|behind| place(behind.checked_add(row.gap)?));
        let ranges: Vec<_> =
            std::iter::successors(first, |before| place(before.last().checked_add(1)?.checked_add(row.gap)?))
                .take(row.count)
                .collect();
        let (value, key) = (self.value(), self.key());
        let entries = ranges.iter().map(|&range| (range, value.clone()));
        let result = self.tree.extend_sorted(entries, self.mode());
        drop(value);
        let Err(error) = result else {
            for range in ranges {
                self.model.take(range, Some(key));
            }
            return Done::LikeBuild;
        };
        let (range, value) = error.value;
        assert_eq!(value.key_of(), key, "another value came back");
        assert!(matches!(error.kind, ExtendErrorKind::NodeMemory(_)), "{}", error.kind);
        for before in ranges.iter().take_while(|&&before| before != range) {
            assert_eq!(self.tree.erase(before.first()).map(|(range, _)| range), Some(*before));
        }
        Done::Undone
    }
}
