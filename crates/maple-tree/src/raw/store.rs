//! Storing over whatever is there.
//!
//! At most one step needs memory, it is the first, and so a store happens wholly or not at all:
//!
//! - Where all of the range is free, something is inserted.
//! - Where a whole entry lies in the range, its slot is taken over.
//! - Otherwise one entry reaches into the range, or two from both sides. One of them is divided.
//!
//! Then there is an entry with the new word somewhere in the range. The others that lie wholly in the range are
//! erased, and the new one is widened until it covers the range. What reaches in from outside thereby loses its
//! inner part: two entries that adjoin can share their indices in any other way without a further slot.
//!
//! Clearing a range is storing a reservation over it and erasing that.

use core::mem;

use super::write::Prepared;
use super::{Found, InsertFailure, RawTree};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::Layout;
use crate::range::IndexRange;

/// A store that cannot fail any more. It is for the tree that made it, and for that as it is now.
#[derive(Debug)]
#[must_use = "the nodes must be used or given back"]
pub(crate) struct PreparedStore<L: Layout> {
    range: IndexRange,
    step: Step<L>,
}

/// How the new word gets into the tree.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is on the stack, for a moment, and a box would take memory"
)]
enum Step<L: Layout> {
    /// Into a new slot.
    New(Prepared<L>),
    /// Into the slot of the entry over this range, which lies wholly in the one to be stored over.
    Takeover(IndexRange),
    /// Not at all: what is to be cleared needs no cut.
    Nothing,
}

/// The step of a store that comes first and may need memory.
#[derive(Clone, Copy, Debug)]
pub(super) enum FirstStep {
    /// All of the range is free.
    Insert,
    /// The slot of the entry over this range is taken over.
    Takeover(IndexRange),
    /// An entry is divided, of which this part lies in the range; what lies beside it is for `widen`. Or something is
    /// stored over what is free beside it.
    Divide { part: IndexRange, free: Option<IndexRange> },
}

impl<L: Layout> PreparedStore<L> {
    /// The range that is to be stored over.
    pub(crate) fn range(&self) -> IndexRange {
        self.range
    }

    /// What is to be stored over the right one of two parts of an entry that the range is cut out of, if it is. The
    /// word of that entry is there now, or nothing if the range is cut out of a reserved one.
    pub(crate) fn duplicate(&mut self) -> Option<&mut Option<Held>> {
        match &mut self.step {
            Step::New(prepared) => prepared.duplicate(),
            Step::Takeover(_) | Step::Nothing => None,
        }
    }

    /// The entry that the range is cut out of, if it is.
    pub(crate) fn divided(&self) -> Option<IndexRange> {
        match &self.step {
            Step::New(prepared) => prepared.divided(),
            Step::Takeover(_) | Step::Nothing => None,
        }
    }

    /// An insertion as a store.
    pub(super) fn of_insert(range: IndexRange, prepared: Prepared<L>) -> Self {
        Self { range, step: Step::New(prepared) }
    }

    /// Gives the nodes back.
    pub(crate) fn release<A: NodeAlloc>(self, tree: &mut RawTree<L, A>) {
        if let Step::New(prepared) = self.step {
            prepared.release(tree);
        }
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Prepares an insertion as a store.
    pub(crate) fn prepare_insert_as_store(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedStore<L>, InsertFailure> {
        let prepared = self.prepare_insert(range, mode)?;
        Ok(PreparedStore::of_insert(range, prepared))
    }

    /// Prepares to store over `range`, which lies within the bounds.
    pub(crate) fn prepare_store(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedStore<L>, AllocError> {
        let step = match self.first_step(range) {
            FirstStep::Insert => {
                Step::New(self.prepare_insert(range, mode).map_err(|failure| match failure {
                    InsertFailure::NoMemory(error) => error,
                    InsertFailure::Occupied(_) => AllocError,
                })?)
            }
            FirstStep::Takeover(own) => {
                reached!(TakeOver);
                Step::Takeover(own)
            }
            FirstStep::Divide { part, free } => Step::New(self.prepare_divide(part, free, mode)?),
        };
        Ok(PreparedStore { range, step })
    }

    /// Prepares to clear `range`, which lies within the bounds.
    pub(crate) fn prepare_clear(
        &mut self,
        range: IndexRange,
        mode: AllocMode,
    ) -> Result<PreparedStore<L>, AllocError> {
        let cut = |index: u64| self.find(index).is_some_and(|found| !range.contains_range(found.range));
        if cut(range.first()) || cut(range.last()) {
            // A gap that becomes larger mostly needs no slot.
            self.prepare_store(self.with_gaps_beside(range), mode)
        } else {
            Ok(PreparedStore { range, step: Step::Nothing })
        }
    }

    /// A range, and what is free on either side of it.
    pub(super) fn with_gaps_beside(&self, range: IndexRange) -> IndexRange {
        let bounds = self.bounds();
        let below = range.before().and_then(|before| before.intersection(bounds));
        let above = range.after().and_then(|after| after.intersection(bounds));
        let first = below.map(|below| match self.last_in(below) {
            Some(found) => found.range.last().saturating_add(1).min(range.first()),
            None => below.first(),
        });
        let last = above.map(|above| match self.first_in(above) {
            Some(found) => found.range.first().saturating_sub(1).max(range.last()),
            None => above.last(),
        });
        IndexRange::new(first.unwrap_or(range.first()), last.unwrap_or(range.last())).unwrap_or(range)
    }

    /// Does what was prepared, with `word` for the range, or reserves the range if there is none. What lay wholly in
    /// the range is passed to a function. Should that panic, the store is completed before the panic goes on.
    pub(crate) fn commit_store(
        &mut self,
        prepared: PreparedStore<L>,
        word: Option<Held>,
        displaced: impl FnMut(Found),
    ) {
        self.overwrite(prepared, word, false, displaced);
    }

    /// Does what was prepared, but leaves nothing in the range. Otherwise like `commit_store`.
    pub(crate) fn commit_clear(&mut self, prepared: PreparedStore<L>, displaced: impl FnMut(Found)) {
        self.overwrite(prepared, None, true, displaced);
    }

    fn overwrite(
        &mut self,
        prepared: PreparedStore<L>,
        word: Option<Held>,
        clear: bool,
        mut displaced: impl FnMut(Found),
    ) {
        let PreparedStore { range, step } = prepared;
        let (own, old) = match step {
            Step::New(prepared) => {
                let own = prepared.range();
                self.commit(prepared, word);
                (Some(own), None)
            }
            Step::Takeover(own) => (Some(own), self.replace(own.first(), word)),
            Step::Nothing => (None, None),
        };
        let mut rest = Rest { tree: self, own, range, clear, displaced: &mut displaced };
        if let Some((range, word)) = own.zip(old) {
            (rest.displaced)(Found { range, word });
        }
        rest.complete();
        mem::forget(rest);
    }
}

impl<L: Layout, A> RawTree<L, A> {
    /// How storing over `range` begins.
    pub(super) fn first_step(&self, range: IndexRange) -> FirstStep {
        let Some(first) = self.first_in(range) else { return FirstStep::Insert };
        if range.contains_range(first.range) {
            return FirstStep::Takeover(first.range);
        }
        let second = first.range.after().and_then(|rest| self.first_in(rest.intersection(range)?));
        match second {
            Some(second) if range.contains_range(second.range) => FirstStep::Takeover(second.range),
            second => FirstStep::Divide {
                part: first.range.intersection(range).unwrap_or(range),
                free: free_beside(first.range, second.map(|second| second.range), range),
            },
        }
    }
}

/// What is free in a range that one or two entries reach into: `first`, from either side, and `second` from the right.
fn free_beside(first: IndexRange, second: Option<IndexRange>, range: IndexRange) -> Option<IndexRange> {
    let before = first.before().and_then(|before| before.intersection(range));
    let after = first.after().and_then(|after| after.intersection(range));
    let between = match second {
        Some(second) => after.and_then(|after| after.intersection(second.before()?)),
        None => after,
    };
    before.or(between)
}

/// What is left to do of a store, which is done when this is dropped.
struct Rest<'a, L: Layout, A: NodeAlloc, F: FnMut(Found)> {
    tree: &'a mut RawTree<L, A>,
    /// Where the new word is. It is the first thing that lies wholly in the range.
    own: Option<IndexRange>,
    /// Where it is to be.
    range: IndexRange,
    /// Whether it is to be erased then.
    clear: bool,
    displaced: &'a mut F,
}

impl<L: Layout, A: NodeAlloc, F: FnMut(Found)> Rest<'_, L, A, F> {
    fn complete(&mut self) {
        let others = match self.own {
            Some(own) => own.after().and_then(|after| after.intersection(self.range)),
            None => Some(self.range),
        };
        while let Some(next) = others.and_then(|others| self.tree.first_in(others)) {
            if !self.range.contains_range(next.range) {
                break;
            }
            if let Some(erased) = self.tree.erase_if(next.range.first(), |_| true) {
                (self.displaced)(erased);
            }
        }
        let Some(own) = self.own else { return };
        if own != self.range {
            self.tree.widen(own.first(), self.range);
        }
        if self.clear {
            self.tree.erase_if(own.first(), |_| true);
        }
    }
}

impl<L: Layout, A: NodeAlloc, F: FnMut(Found)> Drop for Rest<'_, L, A, F> {
    fn drop(&mut self) {
        self.complete();
    }
}
