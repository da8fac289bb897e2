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

use arbitrary::{Arbitrary, Result, Unstructured};
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{ReadGuard, SharedMapleTree, WriteGuard};
use maple_tree::{Gaps, IndexRange, NoGaps, SmallGaps, SmallNoGaps};

use crate::layouts::Tested;
use crate::program::{Nodes, Setup};
use crate::values::{Counted, Live};
use ops::Op;

pub(crate) use search::Op as Search;
pub(crate) use subject::{Done, Subject};

type Lock = spin::Mutex<()>;
type Tree<'a, L> = SharedMapleTree<Box<Counted>, Lock, &'a Epochs, L, &'a FaultyAlloc>;
type Reader<'t, 'a, L> = ReadGuard<'t, Box<Counted>, Lock, &'a Epochs, L, &'a FaultyAlloc>;
pub(crate) type Writer<'t, 'a, L> = WriteGuard<'t, Box<Counted>, Lock, &'a Epochs, L, &'a FaultyAlloc>;

/// Calls of a shared tree and of its readers, one after the other, and what they begin with. Any bytes are a
/// program.
#[derive(Debug)]
pub struct SharedProgram {
    setup: Setup,
    ops: Vec<Op>,
}

/// All bytes are used up, as in [`Program`](crate::Program).
impl<'a> Arbitrary<'a> for SharedProgram {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let setup = bytes.arbitrary()?;
        let mut ops = Vec::new();
        while !bytes.is_empty() {
            ops.push(bytes.arbitrary()?);
        }
        Ok(Self { setup, ops })
    }
}

impl SharedProgram {
    /// The program that some bytes stand for. Where they end within an operation, zeros follow.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Unstructured::new(bytes).arbitrary().expect("any bytes are a program")
    }

    /// Runs it on a tree and on a model.
    ///
    /// # Panics
    ///
    /// If the tree does anything wrong.
    pub fn run(&self) {
        match self.setup.nodes {
            Nodes::SmallGaps => self.run_on::<SmallGaps>(),
            Nodes::Gaps => self.run_on::<Gaps>(),
            Nodes::SmallNoGaps => self.run_on::<SmallNoGaps>(),
            Nodes::NoGaps => self.run_on::<NoGaps>(),
        }
    }

    fn run_on<L: Tested>(&self) {
        let Setup { space, bounded, memory, .. } = self.setup;
        let (alloc, live, space) = (FaultyAlloc::new(memory.plan()), Live::default(), space.range());
        let bounds = if bounded { space } else { IndexRange::FULL };
        let epochs = Epochs::new();
        let tree = Tree::<L>::bounded_in(bounds, &alloc, &epochs);
        let mut subject = Subject::new(&tree, &alloc, &live, space);
        subject.run(&mut self.ops.iter().copied(), None);
        subject.check_all();
        drop(subject);
        // All readers have gone.
        alloc.set_plan(Plan::Never);
        tree.synchronize();
        let stats = tree.write().shared_stats();
        assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
        let tree = tree.into_tree();
        assert_eq!((tree.validate(), tree.len()), (Ok(()), live.count()));
        drop(tree);
        assert_eq!((alloc.counts().live, live.count()), (0, 0), "left after the tree");
    }
}
