//! Calls, one after the other, and what they begin with.

use arbitrary::{Arbitrary, Result, Unstructured};

/// Any bytes are this.
#[derive(Debug)]
pub(crate) struct Calls<S, O> {
    pub(crate) setup: S,
    pub(crate) ops: Vec<O>,
}

/// All bytes are used up: how many operations there are follows from them, and is not one more number to get right.
impl<'a, S: Arbitrary<'a>, O: Arbitrary<'a>> Arbitrary<'a> for Calls<S, O> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let setup = bytes.arbitrary()?;
        let mut ops = Vec::new();
        while !bytes.is_empty() {
            ops.push(bytes.arbitrary()?);
        }
        Ok(Self { setup, ops })
    }
}

impl<'a, S: Arbitrary<'a>, O: Arbitrary<'a>> Calls<S, O> {
    /// Where the bytes end within an operation, zeros follow.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Self {
        Unstructured::new(bytes).arbitrary().expect("any bytes are calls")
    }
}
