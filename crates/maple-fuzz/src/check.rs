//! Everything that a tree says of itself, compared with the model.

use std::fmt::Debug;

use maple_tree::IndexRange;

use crate::layouts::Tested;
use crate::model::Model;
use crate::ops::search;
use crate::place::{Ends, Request, held};
use crate::subject::Subject;

impl<L: Tested> Subject<'_, L> {
    /// What nodes and values amount to: none is lost.
    pub(crate) fn check_counts(&self) {
        let (mut nodes, mut bytes, mut values) = (0, 0, 0);
        let copy = self.copy.as_ref().map(|(tree, model)| (tree, model));
        for (tree, model) in [(&self.tree, &self.model)].into_iter().chain(copy) {
            let (stats, empty) = (tree.stats(), model.len() == 0);
            assert_eq!(stats.entries + stats.reserved, model.len());
            assert_eq!((tree.len(), tree.is_empty()), (stats.entries, stats.entries == 0));
            assert_eq!((stats.height == 0, stats.leaves + stats.branches == 0), (empty, empty));
            nodes += stats.leaves + stats.branches;
            bytes += stats.node_bytes;
            values += stats.entries;
        }
        let counts = self.alloc.counts();
        assert_eq!((counts.live, counts.live_bytes), (nodes as u64, bytes as u64), "nodes are lost");
        assert_eq!(self.live.count(), values, "values are lost");
    }

    /// The tree's own check.
    pub(crate) fn check_structure(&self) {
        if let Err(violation) = self.tree.validate() {
            unreachable!("{violation}");
        }
    }

    /// Entries and gaps in order.
    pub(crate) fn check_contents(&self) {
        assert!(self.entries().eq(self.model.entries()), "entries differ");
        assert!(self.tree.gaps().eq(self.model.gaps_within(IndexRange::FULL)), "gaps differ");
    }

    /// What there is at an index.
    pub(crate) fn check_lookup(&self, index: u64) {
        let entry = self.model.at(index).and_then(|(range, value)| Some((range, value?)));
        assert_eq!(self.tree.get(index).map(|value| value.number()), entry.map(|(_, value)| value));
        let found = self.tree.get_entry(index).map(|(range, value)| (range, value.number()));
        assert_eq!(found, entry, "get_entry({index:#x})");
        let extent = self.tree.extent(index).map(|(range, there)| (range, there.map(|value| value.number())));
        assert_eq!(extent, self.model.extent(index), "extent({index:#x})");
    }

    /// What lies in a window, from both ends as `order` says, and what of it is free.
    pub(crate) fn check_window(&self, ends: Ends, order: u64) {
        let found = self.tree.range(ends).map(|(range, value)| (range, value.number()));
        assert_eq!(from_both_ends(found, order), overlapping(&self.model, ends), "entries of {ends:x?}");
        let gaps = held(ends).map_or(Vec::new(), |window| self.model.gaps_within(window));
        assert_eq!(from_both_ends(self.tree.gaps_within(ends), order), gaps, "gaps of {ends:x?}");
    }

    /// Entries and gaps of the whole tree, from both ends as `order` says, and how many are to come.
    pub(crate) fn check_ends(&self, order: u64) {
        let entries = self.model.entries();
        let mut rest = self.tree.iter();
        for (i, ahead) in (0..=entries.len()).rev().enumerate() {
            assert_eq!((rest.len(), rest.clone().count()), (ahead, ahead));
            if i == 4 {
                break;
            }
            let _ = if order >> i & 1 == 0 { rest.next() } else { rest.next_back() };
        }
        assert_eq!(from_both_ends(self.entries(), order), entries);
        let gaps = self.model.gaps_within(IndexRange::FULL);
        assert_eq!(from_both_ends(self.tree.gaps(), order), gaps);
    }

    /// The tree as text, and what its slots are used for.
    pub(crate) fn check_text(&self) {
        let (text, stats, slots) = (self.tree.dump().to_string(), self.tree.stats(), self.tree.slots());
        let lines = |what: &str| text.lines().filter(|line| line.trim_start().contains(what)).count();
        assert_eq!((lines(": entry"), lines(": reserved")), (stats.entries, stats.reserved));
        assert_eq!((lines("leaf "), lines("branch ")), (stats.leaves, stats.branches));
        // Every node but the root is in a slot.
        let below = (stats.leaves + stats.branches).saturating_sub(1);
        assert_eq!((slots.leaves.live, slots.branches.live), (stats.entries + stats.reserved, below));
        let ranges: Vec<_> = self
            .model
            .taken()
            .map(|(range, value)| format!("{range:?}{}", if value.is_some() { "" } else { " reserved" }))
            .collect();
        assert_eq!(format!("{:?}", self.tree), format!("{{{}}}", ranges.join(", ")));
    }

    /// Everything, at every edge of what is there.
    pub(crate) fn check_all(&mut self) {
        self.check_counts();
        self.check_structure();
        self.check_contents();
        self.check_ends(0xf0f0_f0f0_aaaa_cccc);
        self.check_text();
        self.check_lookup(0);
        self.check_lookup(u64::MAX);
        for (range, _) in self.model.taken() {
            for index in [range.first(), range.last()] {
                self.check_lookup(index.saturating_sub(1));
                self.check_lookup(index);
                self.check_lookup(index.saturating_add(1));
            }
        }
        // The model is slow at this.
        for order in (0..64).step_by(1 + self.model.len() / 64) {
            for top_down in [false, true] {
                let by_boundary = top_down == (self.model.len() % 2 == 0);
                L::search(self, search::Op::FindGap(Request::block(order, top_down, by_boundary)));
            }
        }
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = (IndexRange, u64)> {
        self.tree.iter().map(|(range, value)| (range, value.number()))
    }
}

/// The entries that overlap a window.
pub(crate) fn overlapping(model: &Model, ends: Ends) -> Vec<(IndexRange, u64)> {
    let mut entries = model.entries();
    entries.retain(|(range, _)| held(ends).is_some_and(|window| range.overlaps(window)));
    entries
}

/// All items in order, each taken from the end that a bit says; the bits are used again and again.
pub(crate) fn from_both_ends<T: Debug>(
    mut items: impl DoubleEndedIterator<Item = T>,
    mut order: u64,
) -> Vec<T> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    loop {
        let (item, end) =
            if order & 1 == 0 { (items.next(), &mut front) } else { (items.next_back(), &mut back) };
        match item {
            Some(item) => end.push(item),
            None => break,
        }
        order = order.rotate_right(1);
    }
    assert!(items.next().is_none() && items.next_back().is_none(), "more after the end");
    front.extend(back.into_iter().rev());
    front
}
