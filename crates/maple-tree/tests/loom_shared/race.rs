//! A reader against a writer, and what the reader may see.

use std::cell::Cell;

use loom::sync::Arc;
use loom::thread;
use maple_tree::reclaim::Epochs;
use maple_tree::{IndexRange, Layout, MapleTree};

use super::stand::{self, Kept, Reader, Tree, Value, Writer};

type Write<L> = fn(&mut Writer<'_, L>);
type Entries = Vec<(IndexRange, u64)>;

/// A writer that does one thing after the other, against readers.
pub(crate) struct Race<L: Layout> {
    build: Write<L>,
    collects: bool,
    writes: Vec<Write<L>>,
    stages: Vec<Write<L>>,
    read: fn(&Seeing<'_, '_, L>),
    readers: usize,
    preemptions: Option<usize>,
}

/// The tree is as `build` leaves it, when the readers begin.
pub(crate) fn race<L: Layout>(build: Write<L>) -> Race<L> {
    let (writes, stages) = (Vec::new(), Vec::new());
    Race { build, collects: true, writes, stages, read: |_| (), readers: 1, preemptions: None }
}

impl<L: Layout> Race<L> {
    /// What the writer does next, which readers see at once.
    pub(crate) fn step(self, step: Write<L>) -> Self {
        self.write(step).stage(step)
    }

    /// What the writer does next; what readers see of it is said by [`stage`](Self::stage).
    pub(crate) fn write(mut self, write: Write<L>) -> Self {
        self.writes.push(write);
        self
    }

    /// What readers see next.
    pub(crate) fn stage(mut self, stage: Write<L>) -> Self {
        self.stages.push(stage);
        self
    }

    /// No nodes are at hand when the race begins, so that an erase joins nothing.
    pub(crate) fn without_nodes_at_hand(mut self) -> Self {
        self.collects = false;
        self
    }

    /// What each reader does.
    pub(crate) fn read(mut self, read: fn(&Seeing<'_, '_, L>)) -> Self {
        self.read = read;
        self
    }

    /// How many readers there are: 1 by default.
    pub(crate) fn readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// How often a thread is taken off its processor: by default as often as there is something to see by it.
    pub(crate) fn preemptions(mut self, preemptions: usize) -> Self {
        self.preemptions = Some(preemptions);
        self
    }

    pub(crate) fn run(self) {
        model(self.preemptions, move || self.once());
    }

    fn once(&self) {
        let states = Arc::new(self.states());
        let tree = Arc::new(self.built());
        let readers: Vec<_> = (0..self.readers)
            .map(|_| {
                let (tree, states, read) = (Arc::clone(&tree), Arc::clone(&states), self.read);
                thread::spawn(move || {
                    let reader = tree.read();
                    read(&Seeing { reader: &reader, states: &states, now: Cell::new(0) });
                })
            })
            .collect();
        let mut writer = tree.write();
        for write in &self.writes {
            write(&mut writer);
            // What is given back now must have no readers.
            writer.collect();
        }
        writer.validate().unwrap();
        drop(writer);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        tree.synchronize();
    }

    fn built(&self) -> Tree<L> {
        let tree = Tree::<L>::from_tree(MapleTree::new_in(Kept), Epochs::new())
            .expect("an empty tree needs no memory");
        // Records are there before the readers: how they are made is for `loom_reclaim`.
        drop((0..self.readers).map(|_| tree.read()).collect::<Vec<_>>());
        let mut writer = tree.write();
        (self.build)(&mut writer);
        if self.collects {
            writer.collect();
        }
        drop(writer);
        tree
    }

    /// What the tree holds at first and after each stage.
    fn states(&self) -> Vec<Entries> {
        let tree = self.built();
        let mut writer = tree.write();
        let entries =
            |writer: &Writer<'_, L>| writer.iter().map(|(range, body)| (range, body.number())).collect();
        let mut states = vec![entries(&writer)];
        for stage in &self.stages {
            stage(&mut writer);
            states.push(entries(&writer));
            writer.collect();
        }
        states
    }
}

/// Explores with at most so many preemptions, or all of them.
pub(crate) fn model(preemptions: Option<usize>, check: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    builder.check(move || {
        stand::begin();
        check();
        stand::end();
    });
}

/// A reader that compares what it sees with the states of the tree.
pub(crate) struct Seeing<'a, 't, L: Layout> {
    reader: &'a Reader<'t, L>,
    states: &'a [Entries],
    /// The earliest state that what was looked up so far may have come from.
    now: Cell<usize>,
}

impl<L: Layout> Seeing<'_, '_, L> {
    /// Looks up an index. It must be as it is in a state which is not before that of the last lookup.
    pub(crate) fn at(&self, index: u64) -> Option<u64> {
        let seen = self.reader.get_entry(index).map(|(range, body)| (range, body.number()));
        self.compare(index, seen, |state| state);
        seen.map(|(_, number)| number)
    }

    /// Likewise, only for the value.
    pub(crate) fn value_at(&self, index: u64) -> Option<u64> {
        let seen = self.reader.get(index).map(|body| body.number());
        self.compare(index, seen, |state| state.map(|(_, number)| number));
        seen
    }

    fn compare<S: PartialEq + std::fmt::Debug>(
        &self,
        index: u64,
        seen: S,
        shape: impl Fn(Option<(IndexRange, u64)>) -> S,
    ) {
        let entry = |state: &Entries| state.iter().find(|(range, _)| range.contains(index)).copied();
        let mut later =
            (self.now.get()..self.states.len()).filter(|&at| shape(entry(&self.states[at])) == seen);
        let found = later.next();
        assert!(found.is_some(), "{seen:?} at {index}: {:?} from {}", self.states, self.now.get());
        self.now.set(found.unwrap());
    }

    /// Goes over all entries: what a reader does that does nothing else.
    pub(crate) fn in_order() -> fn(&Seeing<'_, '_, L>) {
        |tree| tree.all()
    }

    /// Likewise, from the end.
    pub(crate) fn in_reverse() -> fn(&Seeing<'_, '_, L>) {
        |tree| tree.all_reversed()
    }

    /// Goes over all entries, in order.
    pub(crate) fn all(&self) {
        self.check_all(self.reader.iter().map(|(range, body)| (range, body.number())).collect());
    }

    /// Goes over all entries, in reverse order.
    pub(crate) fn all_reversed(&self) {
        let mut seen: Entries =
            self.reader.iter().rev().map(|(range, body)| (range, body.number())).collect();
        seen.reverse();
        self.check_all(seen);
    }

    /// Those that are in all states come once, in order; others must be in one.
    fn check_all(&self, seen: Entries) {
        let ordered = seen.windows(2).all(|pair| pair[0].0.last() < pair[1].0.first());
        assert!(ordered, "out of order: {seen:?}");
        let known = seen.iter().all(|entry| self.states.iter().any(|state| state.contains(entry)));
        assert!(known, "{seen:?}: {:?}", self.states);
        let lasting =
            self.states[0].iter().filter(|entry| self.states.iter().all(|state| state.contains(entry)));
        for entry in lasting {
            assert!(seen.contains(entry), "{entry:?} is not in {seen:?}");
        }
    }
}

/// Inserts `count` entries of five indices, ten apart, from `first` on; their numbers are what they begin at.
pub(crate) fn insert_apart<L: Layout>(writer: &mut Writer<'_, L>, first: u64, count: u64) {
    for first in (0..count).map(|entry| first + 10 * entry) {
        writer.insert(first..first + 5, Value::new(first)).unwrap();
    }
}

/// Likewise of ten indices, so that nothing is free between them.
pub(crate) fn insert_adjoining<L: Layout>(writer: &mut Writer<'_, L>, first: u64, count: u64) {
    for first in (0..count).map(|entry| first + 10 * entry) {
        writer.insert(first..first + 10, Value::new(first)).unwrap();
    }
}

/// How many leaves and branches wait for readers.
pub(crate) fn retired<L: Layout>(writer: &Writer<'_, L>) -> (usize, usize) {
    let stats = writer.shared_stats();
    (stats.retired_leaves, stats.retired_branches)
}
