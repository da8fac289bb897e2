//! A program: what it runs on, and its operations.

use std::marker::PhantomData;

use arbitrary::Arbitrary;
use maple_faults::sweep::{self, Report};
use maple_faults::{FaultyAlloc, Plan};
use maple_tree::IndexRange;

use crate::calls::Calls;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::ops::Op;
use crate::subject::Subject;
use crate::sweep::{On, Steps};
use crate::values::Live;

/// Calls of the tree, one after the other, and what they begin with. Any bytes are a program.
#[derive(Debug)]
pub struct Program(Calls<Setup, Op>);

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

/// Calls a method for the layout of the nodes that is meant.
macro_rules! on_layout {
    ($nodes:expr, $self:ident.$method:ident($($argument:expr),*)) => {
        match $nodes {
            $crate::program::Nodes::SmallGaps => $self.$method::<maple_tree::SmallGaps>($($argument),*),
            $crate::program::Nodes::Gaps => $self.$method::<maple_tree::Gaps>($($argument),*),
            $crate::program::Nodes::SmallNoGaps => $self.$method::<maple_tree::SmallNoGaps>($($argument),*),
            $crate::program::Nodes::NoGaps => $self.$method::<maple_tree::NoGaps>($($argument),*),
        }
    };
}
pub(crate) use on_layout;

impl Setup {
    /// Where the tree begins and ends.
    pub(crate) fn bounds(&self) -> IndexRange {
        if self.bounded { self.space.range() } else { IndexRange::FULL }
    }
}

impl Program {
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
    /// program, and the command to run it again.
    ///
    /// # Panics
    ///
    /// If the tree does anything wrong.
    pub fn every_failure(&self, name: &str, command: &str) -> Report {
        on_layout!(self.0.setup.nodes, self.sweep_on(name, command))
    }

    fn sweep_on<L: Tested>(&self, name: &str, command: &str) -> Report {
        let Calls { setup, ops } = &self.0;
        let (space, bounds) = (setup.space.range(), setup.bounds());
        let ops = ops.iter().copied().filter(|op| !matches!(op, Op::Memory(_))).collect();
        sweep::every_failure(&On::<L>(Steps { name, command, space, bounds, ops }, PhantomData))
    }

    fn run_on<L: Tested>(&self) {
        let Calls { setup, ops } = &self.0;
        let (alloc, live) = (FaultyAlloc::new(setup.memory.plan()), Live::default());
        let mut subject = Subject::<L>::new(&alloc, &live, setup.space.range(), setup.bounds());
        for &op in ops {
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
