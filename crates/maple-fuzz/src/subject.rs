//! A tree and a model side by side: each operation goes to both, and everything that the tree says is compared.

use std::thread;

use maple_faults::FaultyAlloc;
use maple_tree::{IndexRange, MapleTree};

use crate::layouts::Tested;
use crate::model::Model;
use crate::ops::{Done, Op};
use crate::values::{Counted, Live};

/// A tree and what it should hold. Says where it was when a check fails.
pub(crate) struct Subject<'a, L: Tested> {
    pub(crate) tree: MapleTree<Box<Counted>, L, &'a FaultyAlloc>,
    pub(crate) model: Model,
    pub(crate) alloc: &'a FaultyAlloc,
    pub(crate) live: &'a Live,
    /// The indices that the program mostly uses.
    pub(crate) space: IndexRange,
    /// The index that was used last.
    pub(crate) recent: u64,
    /// Where a cyclic allocation goes on.
    pub(crate) placed_last: Option<IndexRange>,
    /// The number of the next value.
    number: u64,
    steps: usize,
    op: Option<Op>,
}

impl<'a, L: Tested> Subject<'a, L> {
    pub(crate) fn new(alloc: &'a FaultyAlloc, live: &'a Live, space: IndexRange, bounds: IndexRange) -> Self {
        Self {
            tree: MapleTree::bounded_in(bounds, alloc),
            model: Model::new(bounds),
            alloc,
            live,
            space,
            recent: space.first(),
            placed_last: None,
            number: 0,
            steps: 0,
            op: None,
        }
    }

    /// One operation of a program.
    pub(crate) fn apply(&mut self, op: Op) {
        self.op = Some(op);
        op.apply(self);
    }

    /// A new value, and its number.
    pub(crate) fn value(&mut self) -> (u64, Box<Counted>) {
        self.number += 1;
        (self.number, Box::new(Counted::new(self.number, self.live)))
    }

    /// One call of the tree that may write, compared with the model by `call`: checks what it takes from memory, and
    /// what it leaves.
    pub(crate) fn step(&mut self, call: impl FnOnce(&mut Self) -> Done) {
        self.steps += 1;
        let before = self.text();
        let (counts, height) = (self.alloc.counts(), self.tree.stats().height as u64);
        let done = call(self);
        let now = self.alloc.counts();
        let most = match done {
            Done::Nothing | Done::WithoutMemory => 0,
            Done::LikeInsertion | Done::NoMemory => height + 1,
        };
        assert!(now.calls - counts.calls <= most, "asked for {} nodes, {done:?}", now.calls - counts.calls);
        if done == Done::NoMemory {
            assert!(now.failed > counts.failed, "there was memory");
        }
        if matches!(done, Done::Nothing | Done::NoMemory) && before.is_some() {
            assert_eq!(before, self.text(), "what was not done changed the tree");
        }
        self.check_counts();
        for index in [self.recent, self.recent.saturating_sub(1), self.recent.saturating_add(1)] {
            self.check_lookup(index);
        }
        if self.often() {
            self.check_structure();
            self.check_contents();
        }
    }

    /// The tree as text, in which a change of any slot shows; of large trees only now and then.
    fn text(&self) -> Option<String> {
        self.often().then(|| self.tree.dump().to_string())
    }

    /// Whether the whole tree is worth a look.
    fn often(&self) -> bool {
        self.steps % (1 + self.model.len() / 8) == 0
    }
}

/// Where a failed check happened.
impl<L: Tested> Drop for Subject<'_, L> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("call {}, of {:?}; the tree is", self.steps, self.op);
            eprintln!("{}", self.tree.dump());
        }
    }
}
