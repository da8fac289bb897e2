//! Joining neighbours under readers: as far as there is memory for copies.

use super::Writer;
use super::draft::Draft;
use super::store::depth_around;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::{InsertFailure, Toward};

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Makes the entry over `left` cover what the one over `right`, its next neighbour, covers, which is taken out.
    pub(crate) fn join(
        &mut self,
        left: IndexRange,
        right: IndexRange,
        mode: AllocMode,
    ) -> Result<(), AllocError> {
        let both = left.ending_at(right.last());
        let depth = depth_around(self.tree, both);
        let mut draft = self.begin(left.first(), depth, mode)?;
        match self.draft_join(&mut draft, both, right, mode) {
            Ok(()) => {
                self.tree.widen(left.first(), both);
                draft.publish(self, Some(right), &mut |_| {});
                Ok(())
            }
            Err(error) => {
                draft.discard(self.tree);
                Err(error)
            }
        }
    }

    fn draft_join(
        &mut self,
        draft: &mut Draft<L>,
        both: IndexRange,
        right: IndexRange,
        mode: AllocMode,
    ) -> Result<(), AllocError> {
        self.carve(right, mode)?;
        let settled = draft.settle(self.tree, mode, |tree| {
            let plan = tree.plan_widen(both.first(), both, Toward::Higher);
            plan.map(|(plan, _)| plan).ok_or(both)
        });
        settled.map_err(|failure| match failure {
            InsertFailure::NoMemory(error) => error,
            InsertFailure::Occupied(_) => AllocError,
        })
    }
}
