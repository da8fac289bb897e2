//! Who owns which granule.

use std::ops::Range;

use iova::{Alignment, IovaRange, Request};

/// Bytes of a granule.
pub(super) const GRANULE: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Nobody,
    /// Whoever allocated it.
    User,
    Reserved,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) owners: Vec<Owner>,
    /// What is live, in the order in which it was allocated.
    pub(super) live: Vec<IovaRange>,
}

/// The numbers of a range's granules.
pub(super) fn granules(range: IovaRange) -> Range<usize> {
    range.first_pfn().get() as usize..range.last_pfn().get() as usize + 1
}

impl Model {
    pub(super) fn new(granules: usize) -> Self {
        Self { owners: vec![Owner::Nobody; granules], live: Vec::new() }
    }

    pub(super) fn has(&self, granules: Range<usize>, owner: Owner) -> bool {
        self.owners[granules].contains(&owner)
    }

    pub(super) fn set(&mut self, granules: Range<usize>, owner: Owner) {
        self.owners[granules].fill(owner);
    }

    /// Notes an allocation: of nobody's granules.
    pub(super) fn allocate(&mut self, range: IovaRange) {
        let nobodys = self.owners[granules(range)].iter().all(|&owner| owner == Owner::Nobody);
        assert!(nobodys, "{range} is somebody's");
        self.set(granules(range), Owner::User);
        self.live.push(range);
    }

    /// Takes the range out of what is live that is the `nth`, if there is any.
    pub(super) fn free(&mut self, nth: usize) -> Option<IovaRange> {
        let nth = nth % self.live.len().max(1);
        let range = *self.live.get(nth)?;
        self.live.remove(nth);
        self.set(granules(range), Owner::Nobody);
        Some(range)
    }

    /// Whether there is a place for a request, whatever is cached or queued there.
    pub(super) fn has_room(&self, request: &Request) -> bool {
        let (size, mut run) = (request.granules() as usize, 0);
        let below = (request.limit_iova() / GRANULE).min(self.owners.len() as u64) as usize;
        // A granule of which the limit is not the last byte lies above it.
        let whole = request.limit_iova() % GRANULE == GRANULE - 1;
        let end = (below + usize::from(whole)).min(self.owners.len());
        (0..end).any(|last| {
            run = if self.owners[last] == Owner::Nobody { run + 1 } else { 0 };
            run >= size && fits(last + 1 - size, request)
        })
    }
}

/// Whether a range that begins there is aligned and crosses nothing.
pub(super) fn fits(first: usize, request: &Request) -> bool {
    let size = request.granules();
    let align = match request.alignment() {
        Alignment::Natural => size.next_power_of_two(),
        Alignment::Granules(align) => align,
    };
    let (first, last) = (first as u64, first as u64 + size - 1);
    let crosses = |boundary| first / boundary != last / boundary;
    first % align == 0 && !request.boundary_granules().is_some_and(crosses)
}
