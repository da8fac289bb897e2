//! Writes that are prepared, and what becomes of them.

use arbitrary::Arbitrary;
use maple_tree::{AllocMode, InsertErrorKind, NodeAlloc, Prepared};

use super::store::{Gone, note};
use super::{Done, cost_of_overwriting, insertable, refused, storable};
use crate::choice::choice;
use crate::layouts::Tested;
use crate::place::Span;
use crate::subject::Subject;
use crate::values::Counted;

#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) struct Op {
    span: Span,
    /// Over whatever is there.
    over: bool,
    used: Use,
}

choice! {
    /// What becomes of it.
    #[derive(PartialEq, Eq)]
    enum Use {
        Store,
        StoreEach,
        Reserve,
        Clear,
        ClearEach,
        Drop,
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let ends = subject.span(self.span);
        let free = insertable(&subject.model, ends);
        let expected = if self.over { storable(&subject.model, ends) } else { free };
        let ((number, value), alloc, mode) = (subject.value(), subject.alloc, AllocMode::Normal);
        let tree = &mut subject.tree;
        let prepared =
            if self.over { tree.prepare_store(ends, mode) } else { tree.prepare_insert(ends, mode) };
        let gone = prepared.map(|prepared| {
            // From here on nothing may fail, nor ask.
            let calls = alloc.counts().calls;
            let gone = self.used.finish(prepared, value);
            assert_eq!(alloc.counts().calls, calls, "what was prepared asked for memory");
            gone
        });
        match (gone, expected) {
            (Ok(gone), Ok(range)) => {
                let cost = cost_of_overwriting(&subject.model, range);
                if self.used == Use::Drop {
                    // Entries may have moved, to make room. What there is has not changed.
                    return cost;
                }
                let expected = subject.model.clear_range(range);
                let with = matches!(self.used, Use::StoreEach | Use::ClearEach);
                assert_eq!(gone, if with { expected } else { Gone::new() });
                match self.used {
                    Use::Store | Use::StoreEach => subject.model.take(range, Some(number)),
                    Use::Reserve => subject.model.take(range, None),
                    Use::Clear | Use::ClearEach | Use::Drop => {}
                }
                cost
            }
            (Ok(_), Err(kind)) => unreachable!("prepared, but {kind:?}"),
            (Err(kind), expected) => {
                assert!(!self.over || !matches!(kind, InsertErrorKind::Occupied { .. }));
                refused(kind, expected)
            }
        }
    }
}

impl Use {
    fn finish<L: Tested, A: NodeAlloc>(
        self,
        prepared: Prepared<'_, Box<Counted>, L, A>,
        value: Box<Counted>,
    ) -> Gone {
        let mut gone = Gone::new();
        match self {
            Self::Store => prepared.store(value),
            Self::StoreEach => prepared.store_each(value, note(&mut gone)),
            Self::Reserve => prepared.reserve(),
            Self::Clear => prepared.clear(),
            Self::ClearEach => prepared.clear_each(note(&mut gone)),
            Self::Drop => drop(prepared),
        }
        gone
    }
}
