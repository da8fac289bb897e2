//! Allocating: the highest fit, or a range of the caller's choice.

use core::ops::RangeBounds;

use maple_tree::{AllocMode, Direction, GapRequest, IndexRange, InsertErrorKind, NodeAlloc};

use super::{Space, code};
use crate::error::{AllocateError, BadRequest, OutOfAddressSpace, OutOfNodeMemory, PlaceError};
use crate::range::{IovaRange, exact_pfns};
use crate::request::{Alignment, Request};

impl<A: NodeAlloc> Space<A> {
    /// Allocates the highest free range that satisfies `request`.
    ///
    /// The range lies in the aperture, ends at or below the request's limit, touches no reserved region, and its
    /// first iova is a multiple of the alignment. There is no such range if and only if this says so.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits if the size is a power of two that is the alignment, or the alignment is 1. For other
    /// requests, free runs that are long enough but cannot be aligned are rejected one by one, in O(n) at worst.
    /// Allocates a node (and one per level that is full) only if the leaf that takes the range is full.
    ///
    /// # Errors
    ///
    /// - [`OutOfAddressSpace`]: no such range exists.
    /// - [`OutOfNodeMemory`]: the highest one could not be recorded. A lower one is not tried instead.
    /// - [`BadRequest`]: the size is 0 or cannot be aligned naturally, the alignment is not a power of two, or no
    ///   granule of the aperture is below the limit.
    ///
    /// The space is as it was, apart from its counters.
    ///
    /// ```
    /// use iova::{AllocateError, Space, Granule, Request};
    ///
    /// let mut space = Space::new(Granule::FOUR_KIB, 0..0x1_0000)?;
    /// assert_eq!(space.allocate(&Request::new(1))?.first(), 0xf000);
    /// assert_eq!(space.allocate(&Request::new(2))?.first(), 0xc000);
    /// assert_eq!(space.allocate(&Request::new(1).limit(0x7fff))?.first(), 0x7000);
    /// let error = space.allocate(&Request::new(16)).unwrap_err();
    /// assert!(matches!(error, AllocateError::OutOfAddressSpace(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allocate(&mut self, request: &Request) -> Result<IovaRange, AllocateError> {
        let result = self.allocate_highest(request);
        match &result {
            Ok(range) => self.allocated(*range),
            Err(error) => self.counters.allocation_failed(error),
        }
        result
    }

    /// Allocates a range of the caller's choice: whole granules, given in iovas.
    ///
    /// # Complexity
    ///
    /// O(log n) node visits. Allocates as [`allocate`](Self::allocate) does.
    ///
    /// # Errors
    ///
    /// - [`PlaceError::Occupied`]: some of it is allocated or reserved; the first that is in the way is named.
    /// - [`PlaceError::OutOfNodeMemory`]: it is free but could not be recorded.
    /// - [`PlaceError::BadRequest`]: it is empty, has parts of granules, or is not within the aperture.
    ///
    /// The space is as it was, apart from its counters.
    ///
    /// ```
    /// use iova::{AllocMode, Space, Granule, PlaceError};
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
        match &result {
            Ok(range) => self.allocated(*range),
            Err(error) => self.counters.placing_failed(error),
        }
        result
    }

    fn allocate_highest(&mut self, request: &Request) -> Result<IovaRange, AllocateError> {
        let search = self.search_for(request)?;
        let Some(pfns) = self.tree.find_gap(&search) else {
            return Err(self.out_of_address_space(&search).into());
        };
        let range = self.range(pfns);
        match self.tree.insert_with(pfns, code::ALLOCATED, request.alloc_mode()) {
            Ok(()) => Ok(range),
            Err(error) => {
                debug_assert!(matches!(error.kind, InsertErrorKind::NodeMemory(_)), "the range is free");
                Err(OutOfNodeMemory { range }.into())
            }
        }
    }

    fn allocate_exactly(
        &mut self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<IovaRange, PlaceError> {
        let pfns = self.pfns_within_aperture(range)?;
        match self.tree.insert_with(pfns, code::ALLOCATED, mode) {
            Ok(()) => Ok(self.range(pfns)),
            Err(error) => Err(match error.kind {
                InsertErrorKind::Occupied { by } => self.occupied_by(by),
                _ => OutOfNodeMemory { range: self.range(pfns) }.into(),
            }),
        }
    }

    fn allocated(&mut self, range: IovaRange) {
        self.usage.allocated_ranges += 1;
        self.usage.allocated_granules += range.granules();
        self.counters.allocated();
    }

    /// The request in terms of the tree: pfns, and a window instead of a limit.
    fn search_for(&self, request: &Request) -> Result<GapRequest, BadRequest> {
        let granules = request.granules();
        let align = match request.alignment() {
            _ if granules == 0 => return Err(BadRequest::NoGranules),
            Alignment::Natural => {
                granules.checked_next_power_of_two().ok_or(BadRequest::NaturalAlignment { granules })?
            }
            Alignment::Granules(align) if align.is_power_of_two() => align,
            Alignment::Granules(align) => return Err(BadRequest::Alignment { granules: align }),
        };
        let limit = request.limit_iova();
        let below_aperture = BadRequest::LimitBelowAperture { limit, aperture: self.aperture() };
        let last = self.granule.last_whole_pfn(limit).ok_or(below_aperture)?.min(self.tree.bounds().last());
        // Size and alignment are right, so what can be wrong is an empty window.
        GapRequest::new(self.tree.bounds().first()..=last, granules, align, Direction::TopDown)
            .map_err(|_| below_aperture)
    }

    fn out_of_address_space(&self, search: &GapRequest) -> OutOfAddressSpace {
        let longest = self.tree.longest_gap(search.window());
        OutOfAddressSpace {
            window: self.range(search.window()),
            granules: search.size(),
            align_granules: search.align(),
            longest_free_granules: longest.map_or(0, IndexRange::count),
            free_granules: self.free_granules(),
        }
    }

    fn pfns_within_aperture(&self, range: impl RangeBounds<u64>) -> Result<IndexRange, BadRequest> {
        let bytes = IndexRange::from_bounds(range).ok_or(BadRequest::EmptyRange)?;
        let (first, last) = (bytes.first(), bytes.last());
        let pfns = exact_pfns(bytes, self.granule).ok_or(BadRequest::Misaligned {
            first,
            last,
            granule: self.granule,
        })?;
        if self.tree.bounds().contains_range(pfns) {
            Ok(pfns)
        } else {
            Err(BadRequest::OutsideAperture { first, last, aperture: self.aperture() })
        }
    }
}
