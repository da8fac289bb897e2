//! A program: what it runs on, and its operations.

use std::marker::PhantomData;

use arbitrary::{Arbitrary, Result, Unstructured};
use maple_faults::sweep::{self, Report};
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Gaps, IndexRange, NoGaps, SmallGaps, SmallNoGaps};

use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::Op;
use crate::subject::Subject;
use crate::sweep::{On, Steps};
use crate::values::Live;

/// Calls of the tree, one after the other, and what they begin with. Any bytes are a program.
#[derive(Debug)]
pub struct Program {
    setup: Setup,
    ops: Vec<Op>,
}

/// What a program runs on.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Setup {
    pub(crate) nodes: Nodes,
    pub(crate) space: Space,
    /// Whether the tree ends where the space ends.
    pub(crate) bounded: bool,
    pub(crate) memory: Memory,
}

choice! {
    /// The layout of the nodes.
    pub(crate) enum Nodes {
        SmallGaps,
        Gaps,
        SmallNoGaps,
        NoGaps,
    }
}

choice! {
    /// The indices that a program mostly uses.
    pub(crate) enum Space {
        /// All of them.
        All,
        /// This one and all below.
        Low(u16),
        /// So many below `u64::MAX`, and that.
        High(u16),
        /// So many above one of them, and that.
        Middle(u32, u16),
    }
}

choice! {
    /// Which allocations of nodes fail.
    pub(crate) enum Memory {
        Enough,
        After(u8),
        Nth(u8),
        Every(u8),
        Random { chance: u8, seed: u8 },
    }
}

impl Space {
    pub(crate) fn range(self) -> IndexRange {
        let (first, last) = match self {
            Self::All => (0, u64::MAX),
            Self::Low(last) => (0, last.into()),
            Self::High(below) => (u64::MAX - u64::from(below), u64::MAX),
            Self::Middle(first, above) => (first.into(), u64::from(first) + u64::from(above)),
        };
        IndexRange::new(first, last).expect("in order")
    }
}

impl Memory {
    pub(crate) fn plan(self) -> Plan {
        match self {
            Self::Enough => Plan::Never,
            Self::After(calls) => Plan::After(calls.into()),
            Self::Nth(call) => Plan::Nth(call.into()),
            Self::Every(calls) => Plan::Every(calls.into()),
            Self::Random { chance, seed } => {
                Plan::Random { probability: f64::from(chance) / 256.0, seed: seed.into() }
            }
        }
    }
}

/// All bytes are used up: how many operations there are follows from them, and is not one more number to get right.
impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let setup = bytes.arbitrary()?;
        let mut ops = Vec::new();
        while !bytes.is_empty() {
            ops.push(bytes.arbitrary()?);
        }
        Ok(Self { setup, ops })
    }
}

impl Program {
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

    /// Runs it with each of its allocations failing, one after the other, whatever it says of memory. A failure names the
    /// program, and the command to run it again.
    ///
    /// # Panics
    ///
    /// If the tree does anything wrong.
    pub fn every_failure(&self, name: &str, command: &str) -> Report {
        match self.setup.nodes {
            Nodes::SmallGaps => self.sweep_on::<SmallGaps>(name, command),
            Nodes::Gaps => self.sweep_on::<Gaps>(name, command),
            Nodes::SmallNoGaps => self.sweep_on::<SmallNoGaps>(name, command),
            Nodes::NoGaps => self.sweep_on::<NoGaps>(name, command),
        }
    }

    fn sweep_on<L: Tested>(&self, name: &str, command: &str) -> Report {
        let Setup { space, bounded, .. } = self.setup;
        let space = space.range();
        let bounds = if bounded { space } else { IndexRange::FULL };
        let ops = self.ops.iter().copied().filter(|op| !matches!(op, Op::Memory(_))).collect();
        sweep::every_failure(&On::<L>(Steps { name, command, space, bounds, ops }, PhantomData))
    }

    fn run_on<L: Tested>(&self) {
        let Setup { space, bounded, memory, .. } = self.setup;
        let (alloc, live, space) = (FaultyAlloc::new(memory.plan()), Live::default(), space.range());
        let bounds = if bounded { space } else { IndexRange::FULL };
        let mut subject = Subject::<L>::new(&alloc, &live, space, bounds);
        for &op in &self.ops {
            subject.apply(op);
        }
        subject.check_all();
        if subject.exchange() {
            subject.check_all();
        }
        drop(subject);
        assert_eq!((alloc.counts().live, live.count()), (0, 0), "left after the tree");
    }
}
