//! Freeing many ranges, in steps between which a lock can be let go.

use core::fmt;

use maple_tree::NodeAlloc;

use super::Space;
use crate::error::FreeError;

/// Iovas that are to be freed, in order of address; [`Space::free_batch`] takes them from the front.
///
/// Neighbours are freed after one another, while their nodes are in the processor's caches. Making it sorts, in
/// place: do that before a lock is taken.
pub struct FreeBatch<'a> {
    rest: &'a [u64],
}

impl<'a> FreeBatch<'a> {
    /// Sorts the iovas in place: O(m log m) for m of them. Allocates nothing.
    pub fn new(iovas: &'a mut [u64]) -> Self {
        iovas.sort_unstable();
        Self { rest: iovas }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes so many off, or all that are left.
    fn take(&mut self, most: usize) -> &'a [u64] {
        let (taken, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        taken
    }
}

impl fmt::Debug for FreeBatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeBatch").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<A: NodeAlloc> Space<A> {
    /// [Frees](Self::free) the next ranges of `batch`, `most` of them (at least one) or what is left, and returns how
    /// many were freed.
    ///
    /// What cannot be freed is passed to `wrong` and does not keep the others from being freed; an iova that is there
    /// twice is such a one the second time. Never fails otherwise and never allocates.
    ///
    /// # Complexity
    ///
    /// `most` times that of a [`free`](Self::free), however many ranges the batch has: that bounds how long a lock is
    /// held. In a tree of height h (6 for 300 000 ranges) no free visits more than 75 h nodes, which is where nodes are
    /// joined on every level, and 32 in a row no more than 10 h each. The tests of `maple-tree` count them.
    ///
    /// ```
    /// use iova::{FreeBatch, FreeError, Granule, Request, LockedSpace, Space};
    ///
    /// let space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// let domain: LockedSpace<spin::Mutex<()>> = space.into();
    /// let mut iovas = [0; 100];
    /// for iova in &mut iovas {
    ///     *iova = domain.allocate(&Request::new(1))?.first();
    /// }
    /// iovas[7] = 0x123_4000;
    ///
    /// let (mut freed, mut wrong) = (0, Vec::new());
    /// let mut batch = FreeBatch::new(&mut iovas);
    /// while !batch.is_empty() {
    ///     // Everybody else has a turn after each 32 ranges.
    ///     freed += domain.lock().free_batch(&mut batch, 32, |error| wrong.push(error));
    /// }
    /// assert_eq!((freed, wrong), (99, vec![FreeError::NotAllocated { iova: 0x123_4000 }]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free_batch(
        &mut self,
        batch: &mut FreeBatch<'_>,
        most: usize,
        mut wrong: impl FnMut(FreeError),
    ) -> usize {
        let mut freed = 0;
        for iova in batch.take(most.max(1)) {
            match self.free(*iova) {
                Ok(_) => freed += 1,
                Err(error) => wrong(error),
            }
        }
        freed
    }
}
