//! Making the tree dense. It needs no memory.

use maple_tree::Compaction;

use super::Done;
use crate::choice::choice;
use crate::layouts::Tested;
use crate::subject::Subject;

choice! {
    pub(crate) enum Op {
        /// As dense as it gets.
        All,
        /// So many steps at most; the next such operation goes on where this one stopped.
        Steps(u8),
    }
}

impl Op {
    pub(super) fn apply<L: Tested>(self, subject: &mut Subject<'_, L>) -> Done {
        let before = subject.alloc.counts().live;
        let freed = match self {
            Self::All => subject.tree.compact(),
            Self::Steps(budget) => {
                let state = &mut subject.compaction;
                let freed = state.released();
                let more = subject.tree.compact_step(state, budget.into());
                assert_eq!(more, !state.is_done());
                let freed = state.released() - freed;
                if !more {
                    *state = Compaction::new();
                }
                freed
            }
        };
        assert_eq!(before - subject.alloc.counts().live, freed as u64);
        subject.check_structure();
        subject.check_contents();
        Done::WithoutMemory
    }
}
