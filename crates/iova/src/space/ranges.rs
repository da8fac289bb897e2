//! The tree of a space, and the range that was freed last, which may still be in it.
//!
//! A driver that unmaps a buffer and maps the next one frees a range and asks for one that is just like it. The highest
//! place for that is mostly the one that has become free, and then the tree would be changed twice to be what it was. So
//! that range is left where it is until somebody asks for something else: it is *vacated*. If the same request comes
//! again it is taken over as it is, without a search, without node memory, with no change of the tree.
//!
//! Nobody outside of this file can tell: what looks at the tree passes over what is vacated, and what changes or searches it
//! takes that out first, which needs no memory and cannot fail.
//!
//! When is the vacated range the highest that satisfies a request? If the last allocation was for the same request,
//! and went to `at`, then nothing above `at` satisfied it, and frees above `at` since then would have made us forget it. So
//! what satisfies it now at or above the vacated range has a part of that range in it. It could be higher than the vacated
//! range itself only by having a part of what is above that, too: that cannot be if the alignment is the
//! size or more, since the next aligned place is beyond. And if the vacated range is `at` itself, that was free as well when
//! `at` was found to be the highest.
//!
//! Whether a range that is freed is there takes a walk down the tree. Where requests do not repeat that is not
//! worth it: the range is erased, in one walk. And where frees go down from range to range, as those of a ring of
//! buffers do, the next ones are looked at together: they are *known*, and take no walk.
//!
//! Invariants (`validate` checks the first and the third, the model tests the second):
//!
//! - **R1** What is vacated is an entry with the code of an allocation, of the size of the last request, and where that
//!   may be.
//! - **R2** While an allocation is remembered, its range is in the tree, and nothing that begins above it would satisfy
//!   its request if what is vacated were not free.
//! - **R3** What is known lies above that range and consists of entries that R1 allows. (Where one above is erased
//!   the allocation is forgotten, and with it what is known.)

use maple_tree::{AllocateErrorKind, Content, GapRequest, Gaps, IndexRange, MapleTree, NodeAlloc};

use super::kind::{ALLOCATED, Code};
use crate::request::Request;

type Tree<A> = MapleTree<Code, Gaps, A>;

pub(super) struct Ranges<A: NodeAlloc> {
    /// Its bounds are the aperture, in pfns. All of them exist: shifted left they fit into 64 bits.
    tree: Tree<A>,
    last: Option<Last>,
    vacated: Option<IndexRange>,
    /// The size that was searched for last.
    size: u64,
    /// Whether it was the same the time before.
    repeats: bool,
}

/// How many ranges are looked at ahead of a free, at most.
const AHEAD: u64 = 32;

/// An allocation that found the highest place below its limit.
struct Last {
    request: Request,
    search: GapRequest,
    at: IndexRange,
    /// Ranges above `at` that are known to be in the tree, side by side, each the highest should it be freed.
    known: Option<IndexRange>,
}

impl Last {
    /// The range that begins at `pfn`, if it is one of those that are known.
    #[inline]
    fn known_at(&self, pfn: u64) -> Option<IndexRange> {
        let known = self.known?;
        // None is larger than its alignment (`is_highest`), so each has one aligned pfn; and if there is more than one, each
        // is as large as that.
        if !known.contains(pfn) || pfn & (self.search.align() - 1) != 0 {
            return None;
        }
        IndexRange::sized(pfn, self.search.size())
    }

    /// How many ranges to look at below one that is freed: twice as many as are known above it, which have mostly
    /// been freed before it.
    #[inline]
    fn ahead(&self, range: IndexRange) -> usize {
        let size = self.search.size();
        match self.known {
            Some(above) if above.first() - 1 == range.last() && self.search.align() == size => {
                (2 * ((above.last() - above.first() + 1) >> size.trailing_zeros())).min(AHEAD) as usize
            }
            _ => 0,
        }
    }

    /// Whether a range, should it be freed, is the highest that satisfies the request.
    #[inline]
    fn is_highest(&self, range: IndexRange) -> bool {
        let (size, align) = (self.search.size(), self.search.align());
        let crosses = |boundary: u64| (range.first() ^ range.last()) >= boundary;
        range.count() == u128::from(size)
            && (range == self.at || range.first() > self.at.first() && align >= size)
            && range.first() & (align - 1) == 0
            && self.search.window().contains_range(range)
            && !self.search.boundary().is_some_and(crosses)
    }
}

/// Whether a range has so many granules, if that is said.
#[inline]
fn is_of(range: IndexRange, count: Option<u128>) -> bool {
    count.is_none_or(|count| range.count() == count)
}

impl<A: NodeAlloc> Ranges<A> {
    pub(super) fn new(aperture: IndexRange, alloc: A) -> Self {
        let tree = MapleTree::bounded_in(aperture, alloc);
        Self { tree, last: None, vacated: None, size: 0, repeats: false }
    }

    /// The tree, for what does not mind that what is vacated is in it as an allocation.
    pub(super) fn tree(&self) -> &Tree<A> {
        &self.tree
    }

    /// The tree, for what changes it in other ways than to allocate and to free.
    pub(super) fn tree_mut(&mut self) -> &mut Tree<A> {
        self.take_out_vacated();
        self.last = None;
        &mut self.tree
    }

    /// What is vacated, and so is free.
    pub(super) fn vacated(&self) -> Option<IndexRange> {
        self.vacated
    }

    /// What is at `pfn`, if that is not free.
    pub(super) fn entry(&self, pfn: u64) -> Option<(IndexRange, Code)> {
        self.tree.get_entry(pfn).filter(|(range, _)| self.vacated != Some(*range))
    }

    /// The longest free run in a window, the highest of equals.
    pub(super) fn longest_gap(&self, window: IndexRange) -> Option<IndexRange> {
        let longest = self.tree.longest_gap(window);
        let around = self.vacated.and_then(|vacated| self.gap_around(vacated).intersection(window));
        [longest, around].into_iter().flatten().max_by_key(|run| (run.count(), run.first()))
    }

    /// What is vacated together with what is free beside it.
    fn gap_around(&self, vacated: IndexRange) -> IndexRange {
        let free_at = |pfn| match self.tree.extent(pfn) {
            Some((gap, Content::Gap)) => Some(gap),
            _ => None,
        };
        let below = vacated.first().checked_sub(1).and_then(free_at);
        let above = vacated.last().checked_add(1).and_then(free_at);
        let first = below.map_or(vacated.first(), IndexRange::first);
        let last = above.map_or(vacated.last(), IndexRange::last);
        IndexRange::new(first, last).unwrap_or(vacated)
    }

    /// The highest free range for a search.
    pub(super) fn find_gap(&mut self, search: &GapRequest) -> Option<IndexRange> {
        self.take_out_vacated();
        self.tree.find_gap(search)
    }

    /// Allocates the highest free range for a search, which is that for a request: below the limit that it prefers, or
    /// below its limit.
    pub(super) fn allocate(
        &mut self,
        request: &Request,
        search: &GapRequest,
    ) -> Result<IndexRange, AllocateErrorKind> {
        self.take_out_vacated();
        self.repeats = search.size() == self.size;
        self.size = search.size();
        let at =
            self.tree.allocate_with(search, ALLOCATED, request.alloc_mode()).map_err(|error| error.kind)?;
        self.last = Some(Last { request: *request, search: *search, at, known: None });
        Ok(at)
    }

    /// Forgets the last allocation: it is not the highest for its request if what that prefers is freed.
    pub(super) fn forget_last(&mut self) {
        self.last = None;
    }

    /// Takes over what is vacated, if that is the highest range that satisfies a request.
    #[inline]
    pub(super) fn take_over(&mut self, request: &Request) -> Option<IndexRange> {
        let vacated = self.vacated?;
        let last = self.last.as_ref().filter(|last| last.request.mode(request.alloc_mode()) == *request)?;
        debug_assert!(last.is_highest(vacated));
        self.vacated = None;
        Some(vacated)
    }

    /// Frees the allocation that begins at `pfn`, if there is one, of so many granules if that is said. It is vacated only, if
    /// the last request would get it should it come again.
    #[inline]
    pub(super) fn free(&mut self, pfn: u64, count: Option<u128>) -> Option<IndexRange> {
        if self.vacated.is_some_and(|vacated| vacated.contains(pfn)) {
            return None;
        }
        self.take_out_vacated();
        let Some(range) = self.next_at(pfn).filter(|range| is_of(*range, count)) else {
            return self.erase(pfn, count);
        };
        self.vacated = Some(range);
        Some(range)
    }

    /// The allocation that begins at `pfn`, if it is what the last request would get should it be freed.
    #[inline]
    fn next_at(&mut self, pfn: u64) -> Option<IndexRange> {
        let last = self.last.as_ref()?;
        if last.at.first() == pfn {
            // What was allocated last is known to be there (R2), and to be the highest.
            return Some(last.at);
        }
        let known = last.known_at(pfn);
        if known.is_none() && self.repeats {
            return self.get_to_know(pfn);
        }
        known
    }

    /// Looks whether the allocation that begins at `pfn` is there and what the last request would get should it be freed.
    #[inline(never)]
    fn get_to_know(&mut self, pfn: u64) -> Option<IndexRange> {
        let last = self.last.as_mut()?;
        let range = IndexRange::sized(pfn, last.search.size()).filter(|range| last.is_highest(*range))?;
        if self.tree.get_entry(pfn) != Some((range, ALLOCATED)) {
            return None;
        }
        let mut lowest = pfn;
        for (below, code) in self.tree.range(last.at.last() + 1..pfn).rev().take(last.ahead(range)) {
            let is_next = below.last() == lowest - 1 && lowest - below.first() == last.search.size();
            if !is_next || code != ALLOCATED {
                break;
            }
            lowest = below.first();
        }
        last.known = IndexRange::new(lowest, range.last());
        Some(range)
    }

    /// Takes the allocation that begins at `pfn` out of the tree.
    #[inline(never)]
    fn erase(&mut self, pfn: u64, count: Option<u128>) -> Option<IndexRange> {
        let is_wanted = |range: IndexRange, code: &Code| {
            range.first() == pfn && *code == ALLOCATED && is_of(range, count)
        };
        let (range, _) = self.tree.erase_if(pfn, is_wanted)?;
        self.forget_last_below(range);
        Some(range)
    }

    /// Takes what is vacated out of the tree.
    #[inline]
    pub(super) fn take_out_vacated(&mut self) {
        if self.vacated.is_some() {
            self.erase_vacated();
        }
    }

    #[inline(never)]
    fn erase_vacated(&mut self) {
        if let Some(vacated) = self.vacated.take() {
            self.tree.erase(vacated.first());
            self.forget_last_below(vacated);
        }
    }

    /// Forgets the last allocation unless it is above a range that was freed. It is in the way of a gap that
    /// would reach from there beyond it.
    fn forget_last_below(&mut self, freed: IndexRange) {
        self.last.take_if(|last| freed.last() >= last.at.first());
    }

    /// Checks R1 and R3, and that R2 can hold.
    pub(super) fn is_sound(&self) -> bool {
        let entry_is = |range: IndexRange| self.tree.get_entry(range.first()) == Some((range, ALLOCATED));
        let vacated = self.vacated.is_none_or(|vacated| {
            entry_is(vacated) && self.last.as_ref().is_some_and(|last| last.is_highest(vacated))
        });
        let is_known_rightly = |last: &Last| {
            let mut known = last.known.into_iter().flat_map(|known| self.tree.range(known));
            known.all(|(range, code)| code == ALLOCATED && range != last.at && last.is_highest(range))
        };
        vacated && self.last.as_ref().is_none_or(|last| entry_is(last.at) && is_known_rightly(last))
    }
}

#[cfg(test)]
mod tests;
