//! Programs on a whole domain of `iova`: the tree, the caches, the flush queue, and an IOMMU that remembers
//! what it was not told to forget.
//!
//! The model says of each granule who owns it: whoever allocated it, a reservation, or nobody. What is free,
//! cached or queued is nobody's; `Domain::validate` tells these apart, and an allocation must find all of it.

mod iommu;
mod model;
mod ops;
mod request;
mod subject;

use arbitrary::Arbitrary;

use crate::calls::Calls;
use crate::choice::choice;
use crate::program::Memory;
use ops::Op;
use subject::Subject;

/// Calls of a domain, one after the other, and what it is like. Any bytes are a program.
#[derive(Debug)]
pub struct DomainProgram(Calls<Setup, Op>);

/// What a program runs on. All is taken modulo what makes sense.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Setup {
    size: Size,
    cpus: u8,
    classes: u8,
    depot_magazines: u8,
    /// At the highest value any number.
    magazines: u8,
    queued: u8,
    strict: bool,
    /// Whether every wrong free is found.
    exact: bool,
    memory: Memory,
}

choice! {
    /// How many granules there are.
    enum Size {
        Large,
        Middle,
        Small,
        Few(u8),
    }
}

impl Size {
    fn granules(self) -> usize {
        match self {
            Self::Large => 4000,
            Self::Middle => 1000,
            Self::Small => 200,
            Self::Few(few) => 1 + usize::from(few),
        }
    }
}

impl DomainProgram {
    /// The program that some bytes stand for. Where they end within an operation, zeros follow.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Calls::from_bytes(bytes))
    }

    /// Runs it on a domain and on a model.
    ///
    /// # Panics
    ///
    /// If the domain does anything wrong.
    pub fn run(&self) {
        let mut subject = Subject::new(&self.0.setup);
        for &op in &self.0.ops {
            subject.apply(op);
        }
        subject.finish();
    }
}
