//! Allocating in two steps, of which the second cannot fail.

use core::fmt;

use maple_tree::{Gaps, Global, NodeAlloc, Prepared};

use super::Space;
use super::kind::{ALLOCATED, Code};
use super::statistics::{Counters, Usage};
use crate::error::{AllocateError, OutOfNodeMemory};
use crate::range::IovaRange;
use crate::request::Request;

/// An allocation that has its place and all the memory that it needs; made by [`Space::prepare`].
///
/// Dropping it allocates nothing of the space and gives the memory back.
#[must_use = "nothing is allocated until it is committed"]
pub struct PreparedAllocation<'a, A: NodeAlloc = Global> {
    insertion: Prepared<'a, Code, Gaps, A>,
    range: IovaRange,
    fallback: bool,
    usage: &'a mut Usage,
    counters: &'a mut Counters,
}

impl<A: NodeAlloc> Space<A> {
    /// Finds the highest free range that satisfies `request` and gets the memory that it takes to allocate it, which then
    /// cannot fail any more.
    ///
    /// So what depends on the address, and may fail itself, can be done between the two steps, with nothing to undo.
    ///
    /// # Complexity
    ///
    /// As for [`allocate`](Self::allocate), in both steps together.
    ///
    /// # Errors
    ///
    /// As for [`allocate`](Self::allocate).
    ///
    /// ```
    /// use iova::{Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// let prepared = space.prepare(&Request::new(16))?;
    /// assert_eq!(prepared.range().first(), 0xffff_0000);
    /// // ... write the page tables for that range: memory may be waited for, and it may fail ...
    /// let range = prepared.commit();
    /// assert!(space.allocations().eq([range]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare(&mut self, request: &Request) -> Result<PreparedAllocation<'_, A>, AllocateError> {
        let pfns = match self.search(request) {
            Ok(pfns) => pfns,
            Err(error) => {
                self.counters.failures.allocation_failed(&error);
                return Err(error);
            }
        };
        let range = self.range(pfns);
        let Self { ranges, usage, counters, .. } = self;
        match ranges.tree_mut().prepare_insert(pfns, request.alloc_mode()) {
            Ok(insertion) => {
                let fallback = request.is_fallback(range);
                Ok(PreparedAllocation { insertion, range, fallback, usage, counters })
            }
            Err(_) => {
                let error = OutOfNodeMemory { range }.into();
                counters.failures.allocation_failed(&error);
                Err(error)
            }
        }
    }
}

impl<A: NodeAlloc> PreparedAllocation<'_, A> {
    /// The range that is to be allocated.
    pub fn range(&self) -> IovaRange {
        self.range
    }

    /// Allocates the range. Allocates no memory and cannot fail.
    pub fn commit(self) -> IovaRange {
        let pfns = self.insertion.range();
        self.insertion.store(ALLOCATED);
        self.usage.allocated(pfns);
        self.counters.allocated(self.fallback);
        self.range
    }
}

impl<A: NodeAlloc> fmt::Debug for PreparedAllocation<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedAllocation").field("range", &self.range).finish_non_exhaustive()
    }
}
