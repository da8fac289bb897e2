//! Calls, one after the other, and what they begin with.

use arbitrary::{Arbitrary, Unstructured};

/// Any bytes are this.
#[derive(Debug)]
pub(crate) struct Calls<S, O> {
    pub(crate) setup: S,
    pub(crate) ops: Vec<O>,
}

impl<'a, S: Arbitrary<'a>, O: Arbitrary<'a>> Calls<S, O> {
    /// All bytes are used up: how many operations there are follows from them, and is not one more number to get right.
    /// Where they end within an operation, zeros follow.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Self {
        let mut bytes = Unstructured::new(bytes);
        let setup = bytes.arbitrary().expect("any bytes are a setup");
        let mut ops = Vec::new();
        while !bytes.is_empty() {
            ops.push(bytes.arbitrary().expect("any bytes are an operation"));
        }
        Self { setup, ops }
    }
}
