//! Searching for what a request asks for, and explaining why there is none.

use maple_tree::{Direction, GapRequest, IndexRange, NodeAlloc};

use super::Space;
use crate::error::{AllocateError, BadRequest, OutOfAddressSpace, PreferredLimit};
use crate::request::{Alignment, Request};

impl<A: NodeAlloc> Space<A> {
    /// The highest free range that satisfies a request.
    pub(super) fn search(&mut self, request: &Request) -> Result<IndexRange, AllocateError> {
        self.find_place(request)?.map_err(|search| self.out_of_address_space(request, &search).into())
    }

    /// The highest free range that satisfies a request: below the preferred limit, if there is one, else below the
    /// limit. If there is none, what was searched for in vain.
    pub(super) fn find_place(
        &mut self,
        request: &Request,
    ) -> Result<Result<IndexRange, GapRequest>, BadRequest> {
        if let Some((_, preferred)) = self.search_below_preferred(request) {
            if let Some(pfns) = self.ranges.find_gap(&preferred) {
                return Ok(Ok(pfns));
            }
        }
        let search = self.search_below(request.limit_iova(), request)?;
        Ok(self.ranges.find_gap(&search).ok_or(search))
    }

    /// The preferred limit, if it makes a difference, and the search below it. None if nothing lies below it, or the request
    /// is wrong, which the search below the limit then tells.
    #[inline]
    pub(super) fn search_below_preferred(&self, request: &Request) -> Option<(u64, GapRequest)> {
        let limit = request.preferred_limit().filter(|limit| *limit < request.limit_iova())?;
        Some((limit, self.search_below(limit, request).ok()?))
    }

    /// The request in terms of the tree: pfns, and a window instead of a limit.
    // As a call of its own it takes some hundredths of an allocation, since its result goes through memory.
    #[inline(always)]
    pub(super) fn search_below(&self, limit: u64, request: &Request) -> Result<GapRequest, BadRequest> {
        let granules = request.granules();
        let align = match request.alignment() {
            _ if granules == 0 => return Err(BadRequest::NoGranules),
            Alignment::Natural => {
                granules.checked_next_power_of_two().ok_or(BadRequest::NaturalAlignment { granules })?
            }
            Alignment::Granules(align) if align.is_power_of_two() => align,
            Alignment::Granules(align) => return Err(BadRequest::Alignment { granules: align }),
        };
        let boundary = request.boundary_granules();
        if let Some(granules) = boundary.filter(|granules| !granules.is_power_of_two()) {
            return Err(BadRequest::Boundary { granules });
        }
        let below_aperture = BadRequest::LimitBelowAperture { limit, aperture: self.aperture() };
        let last = self.granule.last_whole_pfn(limit).ok_or(below_aperture)?.min(self.bounds().last());
        // Size and alignment are right, so what can be wrong is an empty window.
        let search = GapRequest::new(self.bounds().first()..=last, granules, align, Direction::TopDown)
            .map_err(|_| below_aperture)?;
        match boundary {
            None => Ok(search),
            Some(boundary_granules) => search
                .not_crossing(boundary_granules)
                .map_err(|_| BadRequest::SizeAboveBoundary { granules, boundary_granules }),
        }
    }

    /// Why a search found nothing: up to 65 searches for each limit.
    #[cold]
    pub(super) fn out_of_address_space(&self, request: &Request, search: &GapRequest) -> OutOfAddressSpace {
        let longest_in = |search: &GapRequest| {
            let longest = self.ranges.longest_gap(search.window()).map_or(0, IndexRange::count);
            u64::try_from(longest).unwrap_or(u64::MAX)
        };
        let preferred = self.search_below_preferred(request);
        OutOfAddressSpace {
            window: self.range(search.window()),
            limit: request.limit_iova(),
            preferred: preferred
                .map(|(limit, search)| PreferredLimit { limit, longest_free_granules: longest_in(&search) }),
            granules: search.size(),
            align_granules: search.align(),
            boundary_granules: request.boundary_granules(),
            longest_free_granules: longest_in(search),
            free_granules: self.free_granules(),
            cached_granules: 0,
            queued_granules: 0,
        }
    }
}
