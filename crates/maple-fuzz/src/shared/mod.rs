//! Programs on a shared tree, all on one thread: writes, and between them readers that stay while others write.
//!
//! A lookup of a reader finds what is there now, however long the reader has been there. What it found stays
//! alive until it goes. An iterator that stays finds what `docs/shared-mode.md` promises of it.

mod many;
mod ops;
mod overwrite;
mod readers;
mod search;
mod subject;
mod sweeping;

use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;

use maple_faults::sweep::{self, Report};
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::IndexRange;
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{ReadGuard, SharedMapleTree, WriteGuard};

use crate::calls::Calls;
use crate::layouts::Tested;
use crate::program::{Setup, on_layout};
use crate::values::{Counted, Live};
use ops::Op;

pub(crate) use search::Op as Search;
pub(crate) use subject::{Done, Subject};

type Lock = spin::Mutex<()>;
type Tree<L> = SharedMapleTree<Box<Counted>, Lock, Epochs, L, Arc<FaultyAlloc>>;
type Reader<'t, L> = ReadGuard<'t, Box<Counted>, Lock, Epochs, L, Arc<FaultyAlloc>>;
pub(crate) type Writer<'t, L> = WriteGuard<'t, Box<Counted>, Lock, Epochs, L, Arc<FaultyAlloc>>;

/// Calls of a shared tree and of its readers, one after the other, and what they begin with. Any bytes are a
/// program.
#[derive(Debug)]
pub struct SharedProgram(Calls<Setup, Op>);

/// An empty tree, and what it is made with.
struct Ground<L: Tested> {
    tree: Tree<L>,
    made_with: MadeWith,
}

/// What there is nothing left of when this is dropped, behind the tree.
struct MadeWith {
    alloc: Arc<FaultyAlloc>,
    live: Live,
}

impl<L: Tested> Ground<L> {
    fn new(bounds: IndexRange, plan: Plan) -> Self {
        let made_with = MadeWith { alloc: Arc::new(FaultyAlloc::new(plan)), live: Live::default() };
        Self { tree: Tree::bounded_in(bounds, Arc::clone(&made_with.alloc), Epochs::new()), made_with }
    }

    fn subject(&self, space: IndexRange) -> Subject<'_, L> {
        Subject::new(&self.tree, &self.made_with.alloc, &self.made_with.live, space)
    }
}

impl Drop for MadeWith {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_eq!((self.alloc.counts().live, self.live.count()), (0, 0), "left after the tree");
        }
    }
}

impl SharedProgram {
    /// The program that some bytes stand for. Where they end within an operation, zeros follow.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Calls::from_bytes(bytes))
    }

    /// Runs it on a tree and on a model.
    ///
    /// # Panics
    ///
    /// If the tree does anything wrong.
    pub fn run(&self) {
        on_layout!(self.0.setup.nodes, self.run_on());
    }

    /// Runs it with each of its allocations failing, one after the other, whatever it says of memory. A failure names the
    /// program, and the command to run it again. Iterators do not stay: readers do.
    ///
    /// # Panics
    ///
    /// If the tree does anything wrong.
    pub fn every_failure(&self, name: &str, command: &str) -> Report {
        on_layout!(self.0.setup.nodes, self.sweep_on(name, command))
    }

    fn sweep_on<L: Tested>(&self, name: &str, command: &str) -> Report {
        let Calls { setup, ops } = &self.0;
        let swept = |op: &Op| !matches!(op, Op::Memory(_) | Op::Stay(_) | Op::GoOn { .. } | Op::Go);
        let ops = ops.iter().copied().filter(swept).collect();
        let (space, bounds) = (setup.space.range(), setup.bounds());
        sweep::every_failure(&sweeping::On::<L> { name, command, space, bounds, ops, layout: PhantomData })
    }

    fn run_on<L: Tested>(&self) {
        let Calls { setup, ops } = &self.0;
        let ground = Ground::<L>::new(setup.bounds(), setup.memory.plan());
        let mut subject = ground.subject(setup.space.range());
        subject.run(&mut ops.iter().copied(), None);
        subject.check_all();
        drop(subject);
        // All readers have gone.
        let Ground { tree, made_with } = ground;
        made_with.alloc.set_plan(Plan::Never);
        tree.synchronize();
        let stats = tree.write().shared_stats();
        assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
        let tree = tree.into_tree();
        assert_eq!((tree.validate(), tree.len()), (Ok(()), made_with.live.count()));
    }
}
