//! The model: a vector with one cell per granule, and brute force.

use iova::{Alignment, BadRequest, FreeError, Granule, NodeAlloc, RangeKind, Request, Space};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Free,
    /// Allocated, by the so-many-th allocation.
    Allocated(u64),
    Reserved,
    /// Between two windows.
    Excluded,
}

impl Cell {
    /// What a space calls it.
    pub(crate) fn kind(self) -> Option<RangeKind> {
        match self {
            Self::Free => None,
            Self::Allocated(_) => Some(RangeKind::Allocated),
            Self::Reserved => Some(RangeKind::Reserved),
            Self::Excluded => Some(RangeKind::Excluded),
        }
    }
}

/// Why an allocation must fail, with the numbers that the error must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoSpace { window_last: u64, align: u64, longest: u64, free: u128, preferred: Option<(u64, u64)> },
    Bad(&'static str),
}

/// What a range of the caller's choice must run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaceRefusal {
    /// Cells, first and last.
    Occupied(usize, usize, RangeKind),
    Bad(&'static str),
}

/// Cell i is the granule `base + i`.
pub(crate) struct Model {
    pub(crate) granule: Granule,
    pub(crate) base: u64,
    pub(crate) cells: Vec<Cell>,
    next_id: u64,
}

impl Model {
    pub(crate) fn new(granule: Granule, base: u64, cells: Vec<Cell>) -> Self {
        Self { granule, base, cells, next_id: 0 }
    }

    /// The first iova of a cell.
    pub(crate) fn first_of(&self, cell: usize) -> u64 {
        (self.base + cell as u64) * self.granule.bytes()
    }

    /// The last iova of a cell.
    pub(crate) fn last_of(&self, cell: usize) -> u64 {
        self.first_of(cell) + (self.granule.bytes() - 1)
    }

    fn last_cell(&self) -> usize {
        self.cells.len() - 1
    }

    /// The cell of an iova, if it is in the aperture.
    pub(crate) fn cell_of(&self, iova: u64) -> Option<usize> {
        (0..self.cells.len()).find(|&cell| (self.first_of(cell)..=self.last_of(cell)).contains(&iova))
    }

    /// The highest fit, by trying every place; cells, first and last, and whether the preferred limit was of no use.
    pub(crate) fn highest_fit(&self, request: &Request) -> Result<(usize, usize, bool), Refusal> {
        let size = request.granules();
        if size == 0 {
            return Err(Refusal::Bad("no granules"));
        }
        let align = match request.alignment() {
            Alignment::Granules(align) if align.count_ones() != 1 => return Err(Refusal::Bad("alignment")),
            Alignment::Granules(align) => align,
            Alignment::Natural if size > 1 << 63 => return Err(Refusal::Bad("natural alignment")),
            Alignment::Natural => (0..64).map(|k| 1 << k).find(|&power| power >= size).unwrap(),
        };
        let boundary = request.boundary_granules();
        if boundary.is_some_and(|boundary| boundary.count_ones() != 1) {
            return Err(Refusal::Bad("boundary"));
        }
        let last_usable = |limit| (0..self.cells.len()).rfind(|&cell| self.last_of(cell) <= limit);
        let last = last_usable(request.limit_iova()).ok_or(Refusal::Bad("limit"))?;
        if boundary.is_some_and(|boundary| size > boundary) {
            return Err(Refusal::Bad("size above boundary"));
        }
        let preferred = request.preferred_limit().filter(|limit| *limit < request.limit_iova());
        let preferred = preferred.and_then(|limit| Some((limit, last_usable(limit)?)));
        let low = preferred.and_then(|(_, last)| self.highest_fit_below(last, size, align, boundary));
        if let Some((first, last)) = low {
            return Ok((first, last, false));
        }
        if let Some((first, end)) = self.highest_fit_below(last, size, align, boundary) {
            return Ok((
                first,
                end,
                request.preferred_limit().is_some_and(|limit| self.last_of(end) > limit),
            ));
        }
        Err(Refusal::NoSpace {
            window_last: self.last_of(last),
            align,
            longest: self.longest_free(last),
            free: self.count(|cell| cell == Cell::Free),
            preferred: preferred.map(|(limit, last)| (limit, self.longest_free(last))),
        })
    }

    fn highest_fit_below(
        &self,
        last_usable: usize,
        size: u64,
        align: u64,
        boundary: Option<u64>,
    ) -> Option<(usize, usize)> {
        let block = |cell: usize| boundary.map(|boundary| (self.base + cell as u64) / boundary);
        let mut firsts = (0..=last_usable).rev();
        let first = firsts.find(|&first| {
            let last = first as u128 + u128::from(size) - 1;
            (self.base + first as u64) % align == 0
                && last <= last_usable as u128
                && (first..=last as usize).all(|cell| self.cells[cell] == Cell::Free)
                && block(first) == block(last as usize)
        })?;
        Some((first, first + size as usize - 1))
    }

    /// The longest run of free cells up to `last`.
    pub(crate) fn longest_free(&self, last: usize) -> u64 {
        let (mut longest, mut run) = (0, 0);
        for cell in &self.cells[..=last] {
            run = if *cell == Cell::Free { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        longest
    }

    pub(crate) fn longest_free_at_all(&self) -> u64 {
        self.longest_free(self.last_cell())
    }

    pub(crate) fn count(&self, which: impl Fn(Cell) -> bool) -> u128 {
        self.cells.iter().filter(|cell| which(**cell)).count() as u128
    }

    pub(crate) fn allocate(&mut self, first: usize, last: usize) {
        self.cells[first..=last].fill(Cell::Allocated(self.next_id));
        self.next_id += 1;
    }

    /// The cells of a range of iovas that must be whole, free granules.
    pub(crate) fn place(&self, first: u64, last: u64) -> Result<(usize, usize), PlaceRefusal> {
        if first > last {
            return Err(PlaceRefusal::Bad("empty"));
        }
        let whole = self.granule.is_aligned(first)
            && last.checked_add(1).is_none_or(|end| self.granule.is_aligned(end));
        if !whole {
            return Err(PlaceRefusal::Bad("misaligned"));
        }
        let (Some(first), Some(last)) = (self.cell_of(first), self.cell_of(last)) else {
            return Err(PlaceRefusal::Bad("outside"));
        };
        match (first..=last).find(|&cell| self.cells[cell] != Cell::Free) {
            Some(taken) => Err(self.occupied(taken)),
            None => Ok((first, last)),
        }
    }

    /// The cells that a reservation of a range of iovas touches; none if that is all outside of the aperture.
    pub(crate) fn reservation(&self, first: u64, last: u64) -> Result<Option<(usize, usize)>, PlaceRefusal> {
        if first > last {
            return Err(PlaceRefusal::Bad("empty"));
        }
        let touched =
            (0..self.cells.len()).filter(|&cell| self.first_of(cell) <= last && self.last_of(cell) >= first);
        let (Some(first), Some(last)) = (touched.clone().min(), touched.max()) else { return Ok(None) };
        match (first..=last).find(|&cell| matches!(self.cells[cell], Cell::Allocated(_))) {
            Some(taken) => Err(self.occupied(taken)),
            None => Ok(Some((first, last))),
        }
    }

    fn occupied(&self, cell: usize) -> PlaceRefusal {
        let (first, last) = self.around(cell);
        PlaceRefusal::Occupied(first, last, self.cells[cell].kind().unwrap())
    }

    /// The run of equal cells around one.
    pub(crate) fn around(&self, cell: usize) -> (usize, usize) {
        let same = |other: &usize| self.cells[*other] == self.cells[cell];
        let first = (0..=cell).rev().take_while(same).last().unwrap();
        let last = (cell..self.cells.len()).take_while(same).last().unwrap();
        (first, last)
    }

    /// The range of iovas that is to be unreserved, if it makes sense.
    pub(crate) fn unreservation(&self, first: u64, last: u64) -> Result<(), &'static str> {
        if first > last { Err("empty") } else { Ok(()) }
    }

    /// The reserved cells that a range of iovas touches, and whether a region of them sticks out of it.
    pub(crate) fn reserved_within(&self, first: u64, last: u64) -> (Vec<usize>, bool) {
        let within = |cell: usize| self.last_of(cell) >= first && self.first_of(cell) <= last;
        let cells: Vec<_> = (0..self.cells.len())
            .filter(|&cell| within(cell) && self.cells[cell] == Cell::Reserved)
            .collect();
        let sticks_out = cells.iter().any(|&cell| {
            let (first, last) = self.around(cell);
            !within(first) || !within(last)
        });
        (cells, sticks_out)
    }

    /// What `free` must answer to this iova, and `free_sized` to a size; the cells if it must succeed.
    pub(crate) fn free(&self, iova: u64, granules: Option<u64>) -> Result<(usize, usize), &'static str> {
        let cell = self.cell_of(iova).ok_or("outside")?;
        if iova != self.first_of(cell) {
            return Err("misaligned");
        }
        match self.cells[cell] {
            Cell::Free => Err("not allocated"),
            Cell::Reserved => Err("reserved"),
            Cell::Excluded => Err("between"),
            Cell::Allocated(_) if self.around(cell).0 != cell => Err("not first"),
            Cell::Allocated(_)
                if granules.is_some_and(|size| size != (self.around(cell).1 - cell + 1) as u64) =>
            {
                Err("wrong size")
            }
            Cell::Allocated(_) => Ok(self.around(cell)),
        }
    }

    /// Maximal runs of equal cells that are not free, as iovas, in order.
    pub(crate) fn runs(&self, kind: RangeKind) -> Vec<(u64, u64)> {
        let mut runs = Vec::new();
        let mut cell = 0;
        while cell < self.cells.len() {
            let (first, last) = self.around(cell);
            if self.cells[cell].kind() == Some(kind) {
                runs.push((self.first_of(first), self.last_of(last)));
            }
            cell = last + 1;
        }
        runs
    }

    /// Maximal runs of cells that are in a window, as iovas, in order.
    pub(crate) fn windows(&self) -> Vec<(u64, u64)> {
        let excluded = |cell: &usize| self.cells[*cell] == Cell::Excluded;
        let firsts =
            (0..self.cells.len()).filter(|cell| !excluded(cell) && (*cell == 0 || excluded(&(cell - 1))));
        firsts
            .map(|first| {
                let end = (first..self.cells.len()).find(excluded).unwrap_or(self.cells.len());
                (self.first_of(first), self.last_of(end - 1))
            })
            .collect()
    }

    /// Compares everything that can be seen.
    pub(crate) fn check<A: NodeAlloc>(&self, space: &Space<A>) {
        space.validate().unwrap();
        let ends = |range: iova::IovaRange| (range.first(), range.last());
        let allocations: Vec<_> = space.allocations().map(ends).collect();
        assert_eq!(allocations, self.runs(RangeKind::Allocated));
        assert!(space.allocations().rev().map(ends).eq(allocations.iter().rev().copied()));
        let regions = self.runs(RangeKind::Reserved);
        assert!(space.reserved_regions().map(ends).eq(regions.iter().copied()));
        assert!(space.reserved_regions().rev().map(ends).eq(regions.into_iter().rev()));
        assert!(space.windows().map(ends).eq(self.windows()));
        let statistics = space.statistics();
        assert_eq!(statistics.allocated_ranges, allocations.len() as u64);
        assert_eq!(statistics.allocated_granules, self.count(|cell| matches!(cell, Cell::Allocated(_))));
        assert_eq!(statistics.reserved_granules, self.count(|cell| cell == Cell::Reserved));
        assert_eq!(statistics.free_granules, self.count(|cell| cell == Cell::Free));
        assert_eq!(statistics.excluded_granules, self.count(|cell| cell == Cell::Excluded));
        assert_eq!(statistics.longest_free_granules, u128::from(self.longest_free_at_all()));
    }
}

/// A bad request in the model's words.
pub(crate) fn word_for(bad: &BadRequest) -> &'static str {
    match bad {
        BadRequest::NoGranules => "no granules",
        BadRequest::Alignment { .. } => "alignment",
        BadRequest::NaturalAlignment { .. } => "natural alignment",
        BadRequest::Boundary { .. } => "boundary",
        BadRequest::SizeAboveBoundary { .. } => "size above boundary",
        BadRequest::LimitBelowAperture { .. } => "limit",
        BadRequest::EmptyRange => "empty",
        BadRequest::Misaligned { .. } => "misaligned",
        BadRequest::OutsideAperture { .. } => "outside",
        _ => "unknown",
    }
}

/// A failed free in the model's words.
pub(crate) fn word_for_free(error: &FreeError) -> &'static str {
    match error {
        FreeError::OutsideAperture { .. } => "outside",
        FreeError::BetweenWindows { .. } => "between",
        FreeError::WrongSize { .. } => "wrong size",
        FreeError::Misaligned { .. } => "misaligned",
        FreeError::NotAllocated { .. } => "not allocated",
        FreeError::NotFirst { .. } => "not first",
        FreeError::Reserved { .. } => "reserved",
        _ => "unknown",
    }
}
