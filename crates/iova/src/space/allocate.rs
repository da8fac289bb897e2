//! Allocating: the highest fit, or a range of the caller's choice.

use core::ops::RangeBounds;

use maple_tree::{AllocMode, AllocateErrorKind, GapRequest, IndexRange, InsertErrorKind, NodeAlloc};

use super::{Space, kind};
use crate::error::{AllocateError, BadRequest, OutOfNodeMemory, PlaceError};
use crate::range::{IovaRange, exact_pfns};
use crate::request::Request;

impl<A: NodeAlloc> Space<A> {
    /// Allocates the highest free range that satisfies `request`.
    ///
    /// The range lies in a window, ends at or below the request's limit, touches no reserved region, its first iova is a
    /// multiple of the alignment, and it does not cross the boundary. There is no such range if and only if this
    /// says so. With a preferred limit it is the highest below that, if there is one.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits if the size is a power of two that is the alignment, or the alignment is 1. For other
    /// requests, free runs that are long enough but cannot be aligned are rejected one by one, in O(n) at worst. So
    /// are those that are long enough but cut by a boundary, unless the size is the alignment or the boundary. One
    /// search, and another if there is nothing below a preferred limit.
    /// Allocates a node (and one per level that is full) only if the leaf that takes the range is full.
    ///
    /// O(1), without a search or node memory, if the range that was freed last is the highest for it, and the last allocation
    /// was for the same request.
    ///
    /// # Errors
    ///
    /// - [`OutOfAddressSpace`](crate::OutOfAddressSpace): no such range exists.
    /// - [`OutOfNodeMemory`]: the highest one could not be recorded. A lower one is not tried instead.
    /// - [`BadRequest`]: the size is 0, cannot be aligned naturally or is larger than the boundary, the alignment or the
    ///   boundary is not a power of two, or no granule of the aperture is below the limit.
    ///
    /// The space is as it was, apart from its counters.
    ///
    /// ```
    /// use iova::{AllocateError, Granule, Request, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// assert_eq!(space.allocate(&Request::new(1))?.first(), 0xf000);
    /// assert_eq!(space.allocate(&Request::new(2))?.first(), 0xc000);
    /// assert_eq!(space.allocate(&Request::new(1).limit(0x7fff))?.first(), 0x7000);
    /// let error = space.allocate(&Request::new(16)).unwrap_err();
    /// assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn allocate(&mut self, request: &Request) -> Result<IovaRange, AllocateError> {
        match self.take_over(request) {
            Some(range) => Ok(range),
            None => self.allocate_highest(*request),
        }
    }

    /// Allocates the highest free range that satisfies a request, by a search.
    // By value, as in [`Domain::allocate`](crate::Domain::allocate).
    #[inline(never)]
    fn allocate_highest(&mut self, request: Request) -> Result<IovaRange, AllocateError> {
        self.place(&request).ok_or_else(|| self.allocation_failed(&request))
    }

    /// Counts a failure and says what was wrong.
    #[cold]
    fn allocation_failed(&mut self, request: &Request) -> AllocateError {
        let error = match self.not_placed(request) {
            Ok(search) => self.out_of_address_space(request, &search).into(),
            Err(error) => error,
        };
        self.counters.failures.allocation_failed(&error);
        error
    }

    /// Allocates a range of the caller's choice: whole granules, given in iovas.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits. Allocates as [`allocate`](Self::allocate) does.
    ///
    /// # Errors
    ///
    /// - [`PlaceError::Occupied`]: some of it is allocated, reserved or between two windows; the first that is in the
    ///   way is named.
    /// - [`PlaceError::OutOfNodeMemory`]: it is free but could not be recorded.
    /// - [`PlaceError::BadRequest`]: it is empty, has parts of granules, or is not within the aperture.
    ///
    /// The space is as it was, apart from its counters.
    ///
    /// ```
    /// use iova::{AllocMode, Granule, PlaceError, Space};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// let range = space.allocate_at(0x3000..0x5000, AllocMode::Normal)?;
    /// let error = space.allocate_at(0x4000..=0x4fff, AllocMode::Normal).unwrap_err();
    /// assert!(matches!(error, PlaceError::Occupied { by, .. } if by == range));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate_at(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<IovaRange, PlaceError> {
        let result = self.allocate_exactly(range, mode);
        if let Err(error) = &result {
            self.counters.failures.placing_failed(error);
        }
        result
    }

    /// As [`allocate`](Self::allocate), but that there is no such range is no failure, and is not explained. An explanation
    /// takes up to 65 searches for each limit.
    pub(crate) fn try_allocate(&mut self, request: &Request) -> Result<Option<IovaRange>, AllocateError> {
        if let Some(range) = self.take_over(request) {
            return Ok(Some(range));
        }
        if let Some(range) = self.place(request) {
            return Ok(Some(range));
        }
        let error = self.not_placed(request).err();
        if let Some(error) = &error {
            self.counters.failures.allocation_failed(error);
        }
        error.map_or(Ok(None), Err)
    }

    /// Allocates the highest free range that satisfies a request.
    // Why there is none is found out afterwards: what had errors in it would go through memory in pieces.
    #[inline(always)]
    fn place(&mut self, request: &Request) -> Option<IovaRange> {
        if request.preferred_limit().is_some() {
            match self.place_as_preferred(request) {
                Err(AllocateErrorKind::NoGap) => {}
                placed => return placed.ok(),
            }
        }
        let search = self.search_below(request.limit_iova(), request).ok()?;
        let pfns = self.ranges.allocate(request, &search).ok()?;
        Some(self.placed(request, pfns))
    }

    /// Allocates the highest free range that satisfies a request below the limit that it prefers, if that makes a
    /// difference.
    #[inline(never)]
    fn place_as_preferred(&mut self, request: &Request) -> Result<IovaRange, AllocateErrorKind> {
        let (_, search) = self.search_below_preferred(request).ok_or(AllocateErrorKind::NoGap)?;
        let pfns = self.ranges.allocate(request, &search)?;
        Ok(self.placed(request, pfns))
    }

    /// Counts what was allocated by a search.
    #[inline]
    fn placed(&mut self, request: &Request, pfns: IndexRange) -> IovaRange {
        let range = self.range(pfns);
        let fallback = request.is_fallback(range);
        if fallback {
            self.ranges.forget_last();
        }
        self.usage.allocated(pfns);
        self.counters.allocated(fallback);
        range
    }

    /// Why nothing was allocated: the request, node memory, or else what was searched for in vain. Nothing has
    /// changed, so what could not be recorded is found again.
    #[cold]
    fn not_placed(&mut self, request: &Request) -> Result<GapRequest, AllocateError> {
        match self.find_place(request)? {
            Ok(pfns) => Err(OutOfNodeMemory { range: self.range(pfns) }.into()),
            Err(search) => Ok(search),
        }
    }

    /// Takes over what was freed last, if that is the highest range that satisfies a request.
    #[inline(always)]
    fn take_over(&mut self, request: &Request) -> Option<IovaRange> {
        let pfns = self.ranges.take_over(request)?;
        let range = self.range(pfns);
        self.usage.allocated(pfns);
        self.counters.allocated(false);
        Some(range)
    }

    fn allocate_exactly(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<IovaRange, PlaceError> {
        let bytes = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        let pfns = self.whole_granules(bytes)?;
        if !self.bounds().contains_range(pfns) {
            let (first, last, aperture) = (bytes.first(), bytes.last(), self.aperture());
            return Err(BadRequest::OutsideAperture { first, last, aperture }.into());
        }
        let range = self.range(pfns);
        match self.ranges.tree_mut().insert_with(pfns, kind::ALLOCATED, mode) {
            Ok(()) => {
                self.usage.allocated(pfns);
                self.counters.allocated(false);
                Ok(range)
            }
            Err(error) => Err(match error.kind {
                InsertErrorKind::Occupied { by } => self.occupied_by(by),
                _ => OutOfNodeMemory { range }.into(),
            }),
        }
    }

    /// The granules of a range of iovas that must consist of whole ones.
    fn whole_granules(&self, bytes: IndexRange) -> Result<IndexRange, BadRequest> {
        let (first, last, granule) = (bytes.first(), bytes.last(), self.granule);
        exact_pfns(bytes, granule).ok_or(BadRequest::Misaligned { first, last, granule })
    }
}
