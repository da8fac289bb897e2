//! A tree and a model side by side: each operation goes to both, and everything that the tree says is compared.

use std::{mem, thread};

use maple_faults::FaultyAlloc;
use maple_tree::{Compaction, GapRequest, IndexRange, MapleTree};

use crate::layouts::Tested;
use crate::model::Model;
use crate::ops::{Done, Op};
use crate::place::{Ends, Ground, Index, Request, Span};
use crate::values::{Counted, Live};

/// The tree that programs run on.
pub(crate) type Tree<'a, L> = MapleTree<Box<Counted>, L, &'a FaultyAlloc>;

/// A tree and what it should hold. Says where it was when a check fails.
pub(crate) struct Subject<'a, L: Tested> {
    pub(crate) tree: Tree<'a, L>,
    pub(crate) model: Model,
    /// A second tree, with what that should hold.
    pub(crate) copy: Option<(Tree<'a, L>, Model)>,
    pub(crate) alloc: &'a FaultyAlloc,
    pub(crate) live: &'a Live,
    /// The indices that the program mostly uses.
    pub(crate) space: IndexRange,
    /// The index that was used last.
    pub(crate) recent: u64,
    /// Where a cyclic allocation goes on.
    pub(crate) placed_last: Option<IndexRange>,
    /// How far a compaction in steps has come.
    pub(crate) compaction: Compaction,
    /// The number of the value that was made last.
    pub(crate) number: u64,
    steps: usize,
    op: Option<Op>,
}

impl<'a, L: Tested> Subject<'a, L> {
    pub(crate) fn new(alloc: &'a FaultyAlloc, live: &'a Live, space: IndexRange, bounds: IndexRange) -> Self {
        Self {
            tree: MapleTree::bounded_in(bounds, alloc),
            model: Model::new(bounds),
            copy: None,
            alloc,
            live,
            space,
            recent: space.first(),
            placed_last: None,
            compaction: Compaction::new(),
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

    /// Exchanges the tree and the copy; whether there is one.
    pub(crate) fn exchange(&mut self) -> bool {
        let Some((tree, model)) = &mut self.copy else { return false };
        mem::swap(&mut self.tree, tree);
        mem::swap(&mut self.model, model);
        true
    }

    /// Takes a tree as the copy, if it is what it should be.
    pub(crate) fn set_copy(&mut self, tree: Tree<'a, L>, model: Model) {
        self.copy = Some((tree, model));
        self.exchange();
        self.check_structure();
        self.check_contents();
        self.exchange();
    }

    /// The index that is meant.
    pub(crate) fn index(&mut self, index: Index) -> u64 {
        self.ground().index(index)
    }

    /// The range that is meant.
    pub(crate) fn span(&mut self, span: Span) -> Ends {
        self.ground().span(span)
    }

    /// The request that is meant, if it makes sense.
    pub(crate) fn request(&mut self, request: Request) -> Option<GapRequest> {
        self.ground().request(request)
    }

    fn ground(&mut self) -> Ground<'_> {
        Ground { space: self.space, recent: &mut self.recent, model: &self.model }
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
        done.check_calls(counts, self.alloc.counts(), height);
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
