//! Allocating: the gap search and the insertion in one call.

use super::MapleTree;
use super::words::{keep, take_back};
use crate::alloc::{AllocMode, NodeAlloc};
use crate::entry::Entry;
use crate::error::{AllocateError, AllocateErrorKind};
use crate::gap::{Direction, GapRequest};
use crate::node::TracksGaps;
use crate::range::IndexRange;
use crate::raw::InsertFailure;

/// Where a cyclic allocation goes on: behind the range that it placed last.
///
/// It belongs to the caller, like the kernel's `next` argument of `mtree_alloc_cyclic`; a tree may be used with any
/// number of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cyclic {
    last: Option<IndexRange>,
}

impl Cyclic {
    /// Begins at the end of the window where the search begins.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Goes on behind `range`, in the direction of the search.
    ///
    /// ```
    /// use maple_tree::{AllocMode, Cyclic, Direction, GapRequest, IndexRange, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let request = GapRequest::new(.., 1, 1, Direction::BottomUp)?;
    /// let mut next = Cyclic::after(IndexRange::single(99));
    /// assert_eq!(tree.allocate_cyclic(&request, (), AllocMode::Normal, &mut next)?.range.first(), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn after(range: IndexRange) -> Self {
        Self { last: Some(range) }
    }

    /// The range behind which it goes on; `None` at the beginning.
    ///
    /// ```
    /// use maple_tree::{Cyclic, IndexRange};
    ///
    /// let range = IndexRange::single(99);
    /// assert_eq!(Cyclic::after(range).last(), Some(range));
    /// assert_eq!(Cyclic::new().last(), None);
    /// ```
    #[must_use]
    pub const fn last(&self) -> Option<IndexRange> {
        self.last
    }

    /// The part of a request's window that has not had its turn, if anything is left of it.
    fn ahead(&self, request: &GapRequest) -> Option<IndexRange> {
        let window = request.window();
        let Some(last) = self.last else { return Some(window) };
        match request.direction() {
            Direction::BottomUp => last.after()?.intersection(window),
            Direction::TopDown => last.before()?.intersection(window),
        }
    }
}

/// A range that a cyclic allocation placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Placed {
    /// The range.
    pub range: IndexRange,
    /// Whether nothing was found behind the last one, so that the search began anew with all of the window. So it is also
    /// if the last one lies at the end of the window, or beyond it.
    pub wrapped: bool,
}

impl<T: Entry, L: TracksGaps, A: NodeAlloc> MapleTree<T, L, A> {
    /// Finds the highest (or lowest) free range that satisfies a request and stores `value` over it; memory may be
    /// waited for.
    ///
    /// A gap search ([`find_gap`](Self::find_gap)) and an insertion ([`insert`](Self::insert)), in cost and in
    /// allocations.
    ///
    /// # Errors
    ///
    /// There is no such range, or no node memory: two different kinds. The tree is as it was, and the error has
    /// the value.
    ///
    /// ```
    /// use maple_tree::{AllocateErrorKind, Direction, GapRequest, IndexRange, MapleTree};
    ///
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let request = GapRequest::new(0..100, 32, 32, Direction::TopDown)?;
    /// assert_eq!(Some(tree.allocate(&request, ())?), IndexRange::new(64, 95));
    /// assert_eq!(Some(tree.allocate(&request, ())?), IndexRange::new(32, 63));
    /// assert_eq!(Some(tree.allocate(&request, ())?), IndexRange::new(0, 31));
    /// assert_eq!(tree.allocate(&request, ()).unwrap_err().kind, AllocateErrorKind::NoGap);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate(&mut self, request: &GapRequest, value: T) -> Result<IndexRange, AllocateError<T>> {
        self.allocate_with(request, value, AllocMode::Normal)
    }

    /// Like [`allocate`](Self::allocate), with the choice whether node memory may be waited for.
    ///
    /// # Errors
    ///
    /// As for [`allocate`](Self::allocate).
    ///
    /// ```
    /// # use maple_tree::{AllocMode, Direction, GapRequest, MapleTree};
    /// let mut tree: MapleTree<()> = MapleTree::new();
    /// let request = GapRequest::new(.., 1, 1, Direction::BottomUp)?;
    /// assert_eq!(tree.allocate_with(&request, (), AllocMode::Atomic)?.first(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate_with(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        let word = keep(value);
        let kind = match self.raw.allocate(request, word, mode) {
            Ok(Some(range)) => return Ok(range),
            Ok(None) => AllocateErrorKind::NoGap,
            Err(failure) => not_inserted(&failure),
        };
        Err(AllocateError { value: take_back(word), kind })
    }

    /// Like [`allocate_with`](Self::allocate_with), but goes on where the last allocation with this `cyclic` ended
    /// ("next fit"), and begins anew with the whole window when nothing is left there.
    ///
    /// So what was erased is not used again before what lies ahead has had its turn, as far as requests fit there: a large
    /// one may wrap around and leave small gaps behind. One or two gap searches and an insertion.
    ///
    /// # Errors
    ///
    /// As for [`allocate`](Self::allocate); `cyclic` stays where it was.
    ///
    /// ```
    /// use maple_tree::{AllocMode, Cyclic, Direction, GapRequest, MapleTree};
    ///
    /// let mut ids: MapleTree<()> = MapleTree::new();
    /// let (request, mut next) = (GapRequest::new(1..=3, 1, 1, Direction::BottomUp)?, Cyclic::new());
    /// let mut id = |ids: &mut MapleTree<()>| ids.allocate_cyclic(&request, (), AllocMode::Normal, &mut next);
    /// assert_eq!(id(&mut ids)?.range.first(), 1);
    /// ids.erase(1);
    /// assert_eq!(id(&mut ids)?.range.first(), 2);
    /// assert_eq!(id(&mut ids)?.range.first(), 3);
    /// let placed = id(&mut ids)?;
    /// assert_eq!((placed.range.first(), placed.wrapped), (1, true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate_cyclic(
        &mut self,
        request: &GapRequest,
        value: T,
        mode: AllocMode,
        cyclic: &mut Cyclic,
    ) -> Result<Placed, AllocateError<T>> {
        let Some(placed) = self.find_cyclic(request, cyclic) else {
            return Err(AllocateError { value, kind: AllocateErrorKind::NoGap });
        };
        self.insert_free(placed.range, value, mode)?;
        *cyclic = Cyclic::after(placed.range);
        Ok(placed)
    }

    /// Where a cyclic allocation goes.
    pub(crate) fn find_cyclic(&self, request: &GapRequest, cyclic: &Cyclic) -> Option<Placed> {
        let ahead = cyclic.ahead(request);
        let found = ahead.and_then(|window| self.find_gap(&request.within(window)));
        // With nothing behind the window is as good as what is ahead.
        let wrapped = found.is_none() && ahead != Some(request.window());
        let range = if wrapped { self.find_gap(request) } else { found }?;
        Some(Placed { range, wrapped })
    }

    /// Stores over a range that a search found.
    fn insert_free(
        &mut self,
        range: IndexRange,
        value: T,
        mode: AllocMode,
    ) -> Result<IndexRange, AllocateError<T>> {
        let word = keep(value);
        match self.raw.insert(range, Some(word), mode) {
            Ok(()) => Ok(range),
            Err(failure) => Err(AllocateError { value: take_back(word), kind: not_inserted(&failure) }),
        }
    }
}

/// Why what a search found could not be stored over.
fn not_inserted(failure: &InsertFailure) -> AllocateErrorKind {
    match failure {
        InsertFailure::NoMemory(error) => AllocateErrorKind::NodeMemory(*error),
        InsertFailure::Occupied(_) => {
            debug_assert!(false, "a search found what is not free");
            AllocateErrorKind::NoGap
        }
    }
}
