//! A shared tree, its readers, and a model side by side.

use std::array;

use maple_faults::FaultyAlloc;
use maple_tree::{Compaction, GapRequest, IndexRange};
use std::thread;

use super::ops::Op;
use super::readers::{Guest, Staying};
use super::{Reader, Tree, Writer};
use crate::layouts::Tested;
use crate::model::Model;
use crate::place::{Ends, Ground, Index, Request, Span};
use crate::values::{Counted, Live};

/// A tree, those who read it, and what it should hold. Says where it was when a check fails.
pub(crate) struct Subject<'t, L: Tested> {
    pub(super) tree: &'t Tree<L>,
    pub(super) model: Model,
    pub(super) alloc: &'t FaultyAlloc,
    pub(super) live: &'t Live,
    /// Readers that come and go in any order.
    pub(super) guests: [Option<Guest<'t, L>>; 3],
    pub(super) space: IndexRange,
    pub(super) recent: u64,
    pub(super) placed_last: Option<IndexRange>,
    pub(super) compaction: Compaction,
    pub(super) number: u64,
    /// What the last write did.
    pub(super) done: Option<Done>,
    steps: usize,
    op: Option<Op>,
}

/// What a write did, and what it may have asked of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// It needed nothing, or did nothing.
    WithoutMemory,
    /// It was refused for its arguments, perhaps after room was made for a value that would be retired.
    Refused,
    /// It may have copied nodes on two ways down.
    LikeInsertion,
    /// There was no memory, or too much waits for readers.
    NoMemory,
    /// It may have copied anything.
    InBulk,
}

impl Done {
    fn most_calls(self, height: u64) -> u64 {
        match self {
            Self::WithoutMemory => 0,
            Self::Refused => 4,
            Self::LikeInsertion | Self::NoMemory => 4 * (height + 1) + 4,
            Self::InBulk => u64::MAX,
        }
    }
}

impl<'t, L: Tested> Subject<'t, L> {
    pub(super) fn new(tree: &'t Tree<L>, alloc: &'t FaultyAlloc, live: &'t Live, space: IndexRange) -> Self {
        Self {
            tree,
            model: Model::new(tree.bounds()),
            alloc,
            live,
            guests: array::from_fn(|_| None),
            space,
            recent: space.first(),
            placed_last: None,
            compaction: Compaction::new(),
            number: 0,
            done: None,
            steps: 0,
            op: None,
        }
    }

    /// Operations until there are no more, or until the reader that stays here is told to go.
    pub(super) fn run(&mut self, ops: &mut dyn Iterator<Item = Op>, staying: Option<&Staying<'_>>) {
        while let Some(op) = ops.next() {
            self.op = Some(op);
            match op {
                Op::Stay(window) if staying.is_none_or(|staying| staying.depth() < 3) => {
                    self.stay(window, ops, staying);
                }
                Op::Go if staying.is_some() => return,
                _ => op.apply(self, staying),
            }
        }
    }

    /// One write, or call that may write, compared with the model by `call`.
    pub(super) fn step(&mut self, staying: Option<&Staying<'_>>, call: impl FnOnce(&mut Self) -> Done) {
        self.steps += 1;
        let before = self.text();
        let (counts, height) = (self.alloc.counts(), self.tree.write().stats().height as u64);
        let done = call(self);
        self.done = Some(done);
        let now = self.alloc.counts();
        let calls = now.calls - counts.calls;
        assert!(calls <= done.most_calls(height), "asked for {calls} nodes, {done:?}");
        if done == Done::NoMemory {
            assert!(now.failed > counts.failed || self.may_refuse(), "there was memory");
        }
        if matches!(done, Done::Refused | Done::NoMemory) && before.is_some() {
            assert_eq!(before, self.text(), "what was not done changed the tree");
        }
        if let Some(staying) = staying {
            staying.wrote(&self.model);
        }
        self.check_counts();
        self.check_found(staying);
        let reader = self.tree.read();
        for index in [self.recent, self.recent.saturating_sub(1), self.recent.saturating_add(1)] {
            self.check_lookup(&reader, index);
        }
        drop(reader);
        if self.often() {
            self.check_structure();
            self.check_contents();
        }
    }

    /// Whether a write may be refused although there is memory, since so much waits for readers.
    pub(super) fn may_refuse(&self) -> bool {
        let stats = self.tree.write().shared_stats();
        stats.retired_leaves + stats.retired_branches >= 4000 || stats.retired_values >= 4000
    }

    pub(super) fn writer(&self) -> Writer<'t, L> {
        self.tree.write()
    }

    /// A new value, and its number.
    pub(super) fn value(&mut self) -> (u64, Box<Counted>) {
        self.number += 1;
        (self.number, Box::new(Counted::new(self.number, self.live)))
    }

    pub(super) fn index(&mut self, index: Index) -> u64 {
        self.ground().index(index)
    }

    pub(super) fn span(&mut self, span: Span) -> Ends {
        self.ground().span(span)
    }

    pub(super) fn request(&mut self, request: Request) -> Option<GapRequest> {
        self.ground().request(request)
    }

    fn ground(&mut self) -> Ground<'_> {
        Ground { space: self.space, recent: &mut self.recent, model: &self.model }
    }

    /// Nodes and values are in the tree, or wait for readers, or are kept.
    pub(super) fn check_counts(&self) {
        let writer = self.tree.write();
        let (stats, beside) = (writer.stats(), writer.shared_stats());
        assert_eq!(stats.entries + stats.reserved, self.model.len());
        assert_eq!((writer.len(), writer.is_empty()), (stats.entries, stats.entries == 0));
        let bytes = stats.node_bytes + beside.bytes;
        assert_eq!(self.alloc.counts().live_bytes, bytes as u64, "nodes are lost");
        assert_eq!(self.live.count(), stats.entries + beside.retired_values, "values are lost");
    }

    fn check_structure(&self) {
        if let Err(violation) = self.tree.write().validate() {
            unreachable!("{violation}");
        }
    }

    /// What the writer and a new reader find.
    fn check_contents(&self) {
        let entries = self.model.entries();
        let writer = self.tree.write();
        assert!(writer.iter().map(numbered).eq(entries.iter().copied()), "entries differ");
        assert!(writer.gaps().eq(self.model.gaps_within(IndexRange::FULL)), "gaps differ");
        drop(writer);
        let reader = self.tree.read();
        assert!(reader.iter().map(numbered).eq(entries.iter().copied()), "a reader's entries differ");
    }

    /// What a reader finds at an index, now, however long it has been there.
    pub(super) fn check_lookup(&self, reader: &Reader<'_, L>, index: u64) {
        let expected = self.model.at(index).and_then(|(range, value)| Some((range, value?)));
        assert_eq!(reader.get_entry(index).map(numbered), expected, "get_entry({index:#x})");
        assert_eq!(reader.get(index).map(|value| value.number()), expected.map(|(_, value)| value));
        let next = || self.model.entries().into_iter().find(|(range, _)| range.last() >= index);
        if self.model.len() <= 64 {
            assert_eq!(reader.find(index).map(numbered), next(), "find({index:#x})");
        }
    }

    /// What readers found is alive as long as they are there.
    fn check_found(&self, staying: Option<&Staying<'_>>) {
        self.guests.iter().flatten().for_each(|guest| guest.check_found(self.live));
        if let Some(staying) = staying {
            staying.check_found(self.live);
        }
    }

    /// Everything, at every edge of what is there, for a new reader and for those that are there.
    pub(super) fn check_all(&self) {
        self.check_counts();
        self.check_structure();
        self.check_contents();
        let reader = self.tree.read();
        let readers = self.guests.iter().flatten().map(|guest| &guest.reader).chain([&reader]);
        for reader in readers {
            for (range, _) in self.model.taken() {
                self.check_lookup(reader, range.first().saturating_sub(1));
                self.check_lookup(reader, range.first());
                self.check_lookup(reader, range.last());
                self.check_lookup(reader, range.last().saturating_add(1));
            }
        }
    }

    fn text(&self) -> Option<String> {
        self.often().then(|| self.tree.write().dump().to_string())
    }

    fn often(&self) -> bool {
        self.steps % (1 + self.model.len() / 8) == 0
    }
}

pub(super) fn numbered((range, value): (IndexRange, &Counted)) -> (IndexRange, u64) {
    (range, value.number())
}

/// Where a failed check happened.
impl<L: Tested> Drop for Subject<'_, L> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("call {}, of {:?}; the tree should hold", self.steps, self.op);
            eprintln!("{:?}", self.model);
        }
    }
}
