//! A tree and a model side by side: each write goes to both, and everything that the tree says is compared.

use std::fmt::Debug;

use fastrand::Rng;
use maple_faults::FaultyAlloc;
use maple_tree::reclaim::Epochs;
use maple_tree::{Compaction, Content, IndexRange, MapleTree};

use crate::kind::{Kind, Tree as _};
use crate::layouts::Tested;
use crate::model::Model;
use crate::programs::{self, Op};
use crate::values::{Live, Value};

/// A tree and what it should hold. Says where it was when a check fails.
pub(crate) struct Subject<'a, V: Value, L: Tested, K: Kind> {
    pub(crate) tree: K::Tree<'a, V, L>,
    pub(crate) alloc: &'a FaultyAlloc,
    /// Behind a pointer: one test for each kind of tree is a lot to compile, without one for each kind of model.
    pub(crate) model: Box<dyn Model>,
    pub(crate) live: Live,
    /// What the next value is made from.
    pub(crate) number: u64,
    /// Where a cyclic allocation goes on.
    pub(crate) placed_last: Option<IndexRange>,
    /// How far a compaction in steps has come.
    pub(crate) compaction: Compaction,
    title: String,
    pub(crate) steps: usize,
    pub(crate) last: Option<Op>,
}

impl<'a, V: Value, L: Tested, K: Kind> Subject<'a, V, L, K> {
    pub(crate) fn new(
        alloc: &'a FaultyAlloc,
        epochs: &'a Epochs,
        model: impl Model + 'static,
        live: &Live,
        title: String,
    ) -> Self {
        let tree = K::Tree::new(model.bounds(), alloc, epochs);
        Self {
            tree,
            alloc,
            model: Box::new(model),
            live: live.clone(),
            number: 0,
            placed_last: None,
            compaction: Compaction::new(),
            title,
            steps: 0,
            last: None,
        }
    }

    /// The tree as text, in which a change of any slot shows; of large trees, and in an interpreter, only now and then.
    pub(crate) fn text(&self) -> Option<String> {
        let worth_it = (self.model.len() <= 40 && !cfg!(miri)) || self.steps % 64 == 0;
        worth_it.then(|| self.tree.look().dump().to_string())
    }

    /// The tree's own check, and what its nodes and values amount to.
    pub(crate) fn check_structure(&self) {
        let beside = self.tree.beside();
        let tree = self.tree.look();
        if let Err(violation) = tree.validate() {
            unreachable!("{violation}");
        }
        let (counts, stats) = (self.alloc.counts(), tree.stats());
        assert_eq!(counts.live_bytes, (stats.node_bytes + beside.bytes) as u64, "nodes are lost");
        // What a shared tree keeps to remember values by is counted in bytes only.
        if !(K::SHARED && std::mem::needs_drop::<V>()) {
            assert_eq!(counts.live, (stats.leaves + stats.branches + beside.nodes) as u64);
        }
        let entries = self.model.entries().len();
        assert_eq!((tree.len(), tree.is_empty()), (entries, entries == 0));
        assert_eq!((stats.entries, stats.reserved), (entries, self.model.len() - entries));
        let empty = self.model.len() == 0;
        assert_eq!((stats.height == 0, stats.node_bytes == 0), (empty, empty));
        if V::COUNTED {
            assert_eq!(self.live.count(), tree.len() + beside.values, "values are lost");
        }
    }

    /// Point lookups at an index.
    pub(crate) fn check_lookup(&self, index: u64) {
        let there = self.model.first_in(IndexRange::single(index));
        let expected = there.and_then(|(range, key)| Some((range, key?)));
        let tree = self.tree.look();
        let found = tree.get_entry(index).map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_eq!(found, expected, "get_entry({index:#x})");
        let lent = tree.get(index).map(V::key_of_lent);
        assert_eq!(lent, expected.map(|(_, key)| key), "get({index:#x})");

        let extent = tree.extent(index).map(|(range, content)| (range, content.map(V::key_of_lent)));
        let taken = there.map(|(range, key)| (range, key.map_or(Content::Reserved, Content::Entry)));
        let gap = || Some((self.model.gap_at(index)?, Content::Gap));
        assert_eq!(extent, taken.or_else(gap), "extent({index:#x})");
        self.tree.read_at(index, expected);
    }

    /// What lies in a window, from both ends.
    pub(crate) fn check_window(&self, window: IndexRange, rng: &mut Rng) {
        let mut entries = self.model.entries();
        entries.retain(|(range, _)| range.overlaps(window));
        let tree = self.tree.look();
        self.tree.read_within(window, &entries, rng);
        let found = || tree.range(window).map(|(range, lent)| (range, V::key_of_lent(lent)));
        assert_same(found(), &entries);
        assert_same_backwards(found(), &entries);
        assert_eq!(from_both_ends(found(), rng), entries, "{window}");

        let gaps: Vec<_> = self.model.gaps().into_iter().filter_map(|gap| gap.intersection(window)).collect();
        assert_same(tree.gaps_within(window), &gaps);
        assert_eq!(from_both_ends(tree.gaps_within(window), rng), gaps, "{window}");

        let taken: Vec<_> =
            self.model.taken_runs().into_iter().filter_map(|run| run.intersection(window)).collect();
        assert_same(tree.taken_within(window), &taken);
        assert_eq!(from_both_ends(tree.taken_within(window), rng), taken, "{window}");
    }

    /// Entries, gaps and what is taken, in order.
    pub(crate) fn check_contents(&self) {
        let (tree, entries) = (self.tree.look(), self.model.entries());
        assert_same(keys(&tree), &entries);
        assert_same(tree.gaps(), &self.model.gaps());
        assert_same(tree.taken(), &self.model.taken_runs());
        self.tree.read_all(&entries);
    }

    /// Entries and gaps from the back and from both ends in turn, and the text.
    pub(crate) fn check_ends(&self, rng: &mut Rng) {
        let (tree, entries, gaps) = (self.tree.look(), self.model.entries(), self.model.gaps());
        assert_same_backwards(keys(&tree), &entries);
        assert_same_backwards(tree.gaps(), &gaps);
        assert_eq!(from_both_ends(keys(&tree), rng), entries);
        assert_eq!(from_both_ends(tree.gaps(), rng), gaps);

        let mut rest = tree.iter();
        let _ = (rest.next(), rest.next_back());
        assert_eq!(rest.len(), entries.len().saturating_sub(2));

        let (text, stats) = (tree.dump().to_string(), tree.stats());
        let lines = |what: &str| text.lines().filter(|line| line.trim_start().contains(what)).count();
        assert_eq!(lines(": entry"), entries.len());
        assert_eq!(lines(": reserved"), stats.reserved);
        let (slots, below) = (tree.slots(), (stats.leaves + stats.branches).saturating_sub(1));
        assert_eq!((slots.leaves.live, slots.branches.live), (entries.len() + stats.reserved, below));
        let empty = text.lines().filter(|line| line.ends_with(" empty")).count();
        assert_eq!(slots.leaves.empty + slots.branches.empty, empty);
        assert_eq!((lines("leaf "), lines("branch ")), (stats.leaves, stats.branches));
    }

    /// Random gap searches, in both directions.
    pub(crate) fn check_search(&self, rng: &mut Rng, searches: usize) {
        if !L::SEARCHES {
            return;
        }
        let tree = self.tree.look();
        for _ in 0..searches {
            let request = programs::request(rng, self.model.space());
            assert_eq!(L::find_gap(&tree, &request), self.model.find_gap(&request), "{request:?}");
            let window = programs::window(rng, self.model.space());
            assert_eq!(L::longest_gap(&tree, window), self.model.longest_gap(window), "{window}");
        }
    }
}

fn keys<V: Value, L: Tested>(
    tree: &MapleTree<V, L, &FaultyAlloc>,
) -> impl DoubleEndedIterator<Item = (IndexRange, u64)> {
    tree.iter().map(|(range, lent)| (range, V::key_of_lent(lent)))
}

/// Where a failed check happened, and how to come back there.
impl<V: Value, L: Tested, K: Kind> Drop for Subject<'_, V, L, K> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { title, steps, last, tree, .. } = self;
            eprintln!("{title}: step {steps}, after {last:x?}, the tree is\n{}", tree.look().dump());
        }
    }
}

pub(crate) fn assert_same<T: PartialEq + Debug>(items: impl Iterator<Item = T>, expected: &[T]) {
    let mut expected = expected.iter();
    for item in items {
        assert_eq!(Some(&item), expected.next());
    }
    assert_eq!(expected.next(), None);
}

pub(crate) fn assert_same_backwards<T: PartialEq + Debug>(
    items: impl DoubleEndedIterator<Item = T>,
    expected: &[T],
) {
    let mut expected = expected.iter();
    for item in items.rev() {
        assert_eq!(Some(&item), expected.next_back());
    }
    assert_eq!(expected.next_back(), None);
}

/// All items in order, taken from either end at random.
pub(crate) fn from_both_ends<T>(mut items: impl DoubleEndedIterator<Item = T>, rng: &mut Rng) -> Vec<T> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    loop {
        let (item, end) =
            if rng.bool() { (items.next(), &mut front) } else { (items.next_back(), &mut back) };
        match item {
            Some(item) => end.push(item),
            None => break,
        }
    }
    assert!(items.next().is_none() && items.next_back().is_none());
    front.extend(back.into_iter().rev());
    front
}
