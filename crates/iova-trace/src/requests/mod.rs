//! From records to the operations that the kernel's IOVA allocator was asked for.
//!
//! A capture tells of the allocator in up to three ways. The first of these that it has is used alone, for
//! they describe the same operations:
//!
//! 1. **Probes** of the allocator itself: the requests as they were, with limits and answers; a domain is an
//!    `iovad` address.
//! 2. **`dma:*` events**: a driver's map calls. The range is the mapped block, widened to granules; the limit
//!    is not printed and assumed (see [`Source::Dma`]); a domain is a device.
//! 3. **`iommu:map` and `iommu:unmap`**: changes of page tables. What one unmap removes was one allocation; all
//!    devices share one domain, for the events do not name them.

mod dma;
mod iommu;
mod ledger;
mod lists;
mod probes;

use crate::{Device, DmaAction, DmaBlock, Event, Record};

/// How to read requests out of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The smallest unit of the kernel's allocator, as log2 of bytes; 12 (4 KiB) unless set otherwise.
    ///
    /// Probes count in granules already, so for them it only matters to relate devices to domains.
    pub granule_shift: u32,
    /// Which events to use; `None` chooses by what the records hold.
    pub source: Option<Source>,
}

impl Default for Options {
    fn default() -> Self {
        Self { granule_shift: 12, source: None }
    }
}

/// Which events the requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The probes `iova_alloc`, `iova_alloc_tree` and `iova_free`.
    ///
    /// An `iova_alloc_tree` belongs to the `iova_alloc` that follows in the same task and domain with the same
    /// answer. One that has no such partner is an allocation of its own if it succeeded (a driver may call
    /// the tree directly, or the capture may end between the two), and a failed attempt otherwise.
    Probes,
    /// The `dma:*` events.
    ///
    /// The limit of a request is not printed. Linux first tries below 4 GiB, so an address that lies there is
    /// taken to have that limit, and any other one the smallest `2^k - 1` that covers the highest address
    /// seen in the domain. A failed map is counted but is no operation: it is not known to be the allocator's
    /// failure. On a machine (or for a device) without address translation the same events are printed and
    /// the addresses are physical ones; nothing in the text tells that apart, but many
    /// [`overlapped`](RequestCounts::overlapped) ranges do.
    Dma,
    /// The events `iommu:map` and `iommu:unmap`.
    Iommu,
}

/// A domain of [`Requests`], by its place in [`Requests::domains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(pub u32);

/// A range of [`Requests`]: joins an allocation and its free. Counts from 0 in the order of allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeId(pub u64);

/// One operation of the allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The line of the capture it comes from, from 1.
    pub line: u64,
    /// When, if the line says so.
    pub time_ns: Option<u64>,
    /// The address space.
    pub domain: DomainId,
    /// What was done.
    pub kind: OperationKind,
}

/// What an [`Operation`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationKind {
    /// A range was asked for.
    Allocate {
        /// The range, to find its free.
        range: RangeId,
        /// How many granules.
        granules: u64,
        /// Highest pfn that was acceptable, inclusive.
        limit_pfn: u64,
        /// The first pfn of the kernel's answer; `None` if the kernel's allocation failed.
        placed: Option<u64>,
        /// What the kernel's tree was asked, if it and not a CPU cache served the request and that is known.
        tree: Option<TreeRequest>,
    },
    /// A range was given back.
    Free {
        /// The range.
        range: RangeId,
        /// Its first pfn.
        first: u64,
        /// How many granules it has.
        granules: u64,
    },
    /// A range was given back whose allocation the capture does not show; see also
    /// [`RequestCounts::unmatched_frees`].
    UnmatchedFree {
        /// Its first pfn.
        first: u64,
        /// How many granules it has.
        granules: u64,
    },
}

/// A request as the kernel's tree got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeRequest {
    /// How many granules: rounded up to a power of two if the size is one of those that CPU caches hold.
    pub granules: u64,
    /// Highest pfn that was acceptable, inclusive.
    pub limit_pfn: u64,
    /// Whether the first pfn had to be a multiple of the size, rounded up to a power of two.
    pub size_aligned: bool,
    /// The first pfn of the answer; `None` if the tree found no room.
    pub placed: Option<u64>,
}

/// An address space and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// `iovad=0x...`, a device's name, or `iommu events`.
    pub name: String,
    /// The devices that were seen to use it, as far as the events tell.
    pub devices: Vec<Device>,
    /// Allocations that succeeded.
    pub allocations: u64,
    /// Most granules in use at once, of those allocated in the capture.
    pub peak_live_granules: u64,
    /// Granules in use at the end.
    pub final_live_granules: u64,
    /// Lowest pfn of an allocation.
    pub lowest_pfn: Option<u64>,
    /// Highest pfn of an allocation, inclusive.
    pub highest_pfn: Option<u64>,
}

/// What the reconstruction met; all are counts of operations or of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestCounts {
    /// Allocations that succeeded.
    pub allocations: u64,
    /// Allocations that failed in the kernel.
    pub failed_allocations: u64,
    /// Frees of ranges that the capture shows being allocated.
    pub frees: u64,
    /// Frees of ranges whose allocation came before the capture, or was lost.
    ///
    /// Each is an [`OperationKind::UnmatchedFree`], except for unmapped scatter lists: `dma_unmap_sg` does not
    /// print the device's addresses, which only the list's map tells. Without that map there is no range to
    /// name, and the unmap is only counted here. So this may be more than there are such operations.
    pub unmatched_frees: u64,
    /// Ranges that were not freed when the capture ended.
    pub live_at_end: u64,
    /// Allocations at the first pfn of a live range: its free was not seen, and is put in before.
    pub replaced: u64,
    /// Live ranges that an allocation overlapped otherwise; they are freed before it, too.
    pub overlapped: u64,
    /// Frees that named another size than their allocation; the allocation's is used.
    pub resized_frees: u64,
    /// Allocations that the kernel's tree served.
    pub tree_served: u64,
    /// Attempts of the tree that failed before the allocation's last one.
    pub tree_retries: u64,
    /// Requests of the tree outside of a fast allocation.
    pub tree_alone: u64,
    /// Scatter lists of which the kernel printed only a part.
    pub truncated_lists: u64,
    /// Scatter lists with addresses too far apart for one range; each run became an allocation.
    pub scattered_lists: u64,
    /// Unmaps that removed more than the maps that were seen.
    pub partial_unmaps: u64,
    /// Events with an empty range or one past the end of the address space; they are left out.
    pub unusable: u64,
}

/// The operations behind a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Which events they come from; `None` if there were none.
    pub source: Option<Source>,
    /// The address spaces, in the order of their first use.
    pub domains: Vec<Domain>,
    /// The operations, in the order of the capture.
    ///
    /// Within one domain no two live ranges overlap: see [`RequestCounts::replaced`].
    pub operations: Vec<Operation>,
    /// What was met on the way.
    pub counts: RequestCounts,
}

impl Requests {
    /// Reads the operations out of the records of one capture, in their order.
    ///
    /// Holds all [relevant](Self::is_relevant) records at once: what an event means may depend on a later one.
    ///
    /// # Complexity
    ///
    /// `O(n log n)` in the number of records; sizes of ranges do not matter.
    #[must_use]
    pub fn from_records(records: impl IntoIterator<Item = Record>, options: &Options) -> Self {
        let records: Vec<Record> = records.into_iter().filter(Self::is_relevant).collect();
        let Some(source) = options.source.or_else(|| choose(&records)) else { return Self::default() };
        let granule = Granule::new(options.granule_shift);
        match source {
            Source::Probes => probes::requests(&records, granule),
            Source::Dma => dma::requests(&records, granule),
            Source::Iommu => iommu::requests(&records, granule),
        }
    }

    /// Whether a record can matter for the operations; [`from_records`](Self::from_records) leaves out any
    /// other.
    ///
    /// Those are the notices and the synchronisations of caches, often most of a capture with `dma:*` events.
    /// Who collects records only for their operations saves memory by dropping them while reading.
    #[must_use]
    pub fn is_relevant(record: &Record) -> bool {
        match &record.event {
            Event::Notice(_) => false,
            Event::Dma(event) => event.action != DmaAction::Sync,
            _ => true,
        }
    }

    /// The domain of an operation.
    #[must_use]
    pub fn domain(&self, id: DomainId) -> Option<&Domain> {
        self.domains.get(usize::try_from(id.0).ok()?)
    }
}

/// Chooses the source that knows most.
///
/// Some drivers of newer kernels build their mappings with calls that print no `dma:*` event. If the page
/// tables were changed clearly more often than those events can explain, they are not the whole story, and
/// the `iommu:*` events are used although they know less about each operation.
fn choose(records: &[Record]) -> Option<Source> {
    let (mut dma, mut dma_released, mut unmaps, mut maps) = (0_u64, 0_u64, 0_u64, 0_u64);
    for record in records {
        match &record.event {
            Event::IovaAlloc(_) => return Some(Source::Probes),
            Event::Dma(event) => {
                dma += 1;
                let released = matches!(
                    event.action,
                    DmaAction::Unmap(_) | DmaAction::Free(_) | DmaAction::UnmapList { .. }
                );
                dma_released += u64::from(released);
            }
            Event::Map(_) => maps += 1,
            Event::Unmap(_) => unmaps += 1,
            _ => {}
        }
    }
    if dma > 0 && unmaps / 2 <= dma_released {
        return Some(Source::Dma);
    }
    if maps + unmaps > 0 {
        return Some(Source::Iommu);
    }
    let any_probe = |record: &Record| matches!(record.event, Event::IovaAllocTree(_) | Event::IovaFree(_));
    (dma > 0).then_some(Source::Dma).or_else(|| records.iter().any(any_probe).then_some(Source::Probes))
}

/// A range in granules: first and last, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u64,
    last: u64,
}

impl Span {
    /// `None` for no granules, and past the end.
    fn new(first: u64, granules: u64) -> Option<Self> {
        Some(Self { first, last: first.checked_add(granules.checked_sub(1)?)? })
    }

    /// Saturates for the whole space of 2^64 granules, which no byte range reaches.
    fn granules(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

/// The granule, as log2 of bytes.
#[derive(Clone, Copy, Debug)]
struct Granule(u32);

impl Granule {
    fn new(shift: u32) -> Self {
        Self(shift.min(63))
    }

    fn pfn(self, address: u64) -> u64 {
        address >> self.0
    }

    /// Widens a block to whole granules; `None` for an empty one, and past the end of the address space.
    fn span(self, block: DmaBlock) -> Option<Span> {
        let last = block.address.checked_add(block.size_bytes.checked_sub(1)?)?;
        Some(Span { first: self.pfn(block.address), last: self.pfn(last) })
    }

    /// The limit that Linux most likely asked for, given an address and the highest one of the domain.
    fn limit_pfn(self, span: Span, highest_pfn: u64) -> u64 {
        let below_4g = self.pfn(u64::from(u32::MAX));
        if span.last <= below_4g {
            below_4g
        } else {
            u64::MAX.checked_shr(highest_pfn.leading_zeros()).unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests;
