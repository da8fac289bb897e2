//! What one line says: the typed events.

use std::sync::Arc;

use crate::EventName;

/// A device's name (`0000:00:02.0`), shared by all records of one reader that name it.
pub type Device = Arc<str>;

/// One event with where and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line of the capture, from 1.
    pub line: u64,
    /// The processor, if the tool printed it.
    pub cpu: Option<u32>,
    /// The task (Linux's `pid`, a thread), if the tool printed it; 0 is the idle task of each processor.
    pub pid: Option<u32>,
    /// Nanoseconds on the trace's clock; `None` when the clock does not count time or the line has no prefix.
    pub time_ns: Option<u64>,
    /// What happened.
    pub event: Event,
}

/// An event that this crate knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `iommu:map`: one entry run was added to a page table.
    Map(IommuMap),
    /// `iommu:unmap`: a range was removed from a page table.
    Unmap(IommuUnmap),
    /// An `iommu` event that says nothing about addresses in use: a fault, a group, a domain.
    Notice(EventName),
    /// Any `dma:*` event.
    Dma(DmaEvent),
    /// The probe `iova_alloc`.
    IovaAlloc(IovaAlloc),
    /// The probe `iova_alloc_tree`.
    IovaAllocTree(IovaAllocTree),
    /// The probe `iova_free`.
    IovaFree(IovaFree),
}

impl Event {
    /// The event's name.
    #[must_use]
    pub fn name(&self) -> EventName {
        match self {
            Self::Map(_) => EventName::Map,
            Self::Unmap(_) => EventName::Unmap,
            Self::Notice(name) => *name,
            Self::Dma(event) => event.name,
            Self::IovaAlloc(_) => EventName::IovaAlloc,
            Self::IovaAllocTree(_) => EventName::IovaAllocTree,
            Self::IovaFree(_) => EventName::IovaFree,
        }
    }
}

/// `iommu:map`.
///
/// A page-table event, not an allocation: a scattered buffer with one IOVA range gives one such line for each
/// physically contiguous part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IommuMap {
    /// The device, which only Qualcomm's kernels print.
    pub device: Option<Device>,
    /// First IOVA, in bytes.
    pub iova: u64,
    /// First physical address, in bytes.
    pub physical: u64,
    /// Length in bytes.
    pub size_bytes: u64,
}

/// `iommu:unmap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IommuUnmap {
    /// The device, which only Qualcomm's kernels print.
    pub device: Option<Device>,
    /// First IOVA, in bytes.
    pub iova: u64,
    /// Length that was asked for, in bytes.
    pub size_bytes: u64,
    /// Length that was removed, in bytes.
    pub unmapped_bytes: u64,
}

/// A `dma:*` event: a driver's call of the DMA API, seen at its return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DmaEvent {
    /// Which of the events it is.
    pub name: EventName,
    /// The device.
    pub device: Device,
    /// The direction, if the kernel printed it.
    pub direction: Option<Direction>,
    /// What was done.
    pub action: DmaAction,
}

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Bidirectional,
    /// From memory to the device.
    ToDevice,
    /// From the device to memory.
    FromDevice,
    /// No data; used in debugging only.
    None,
}

/// What a `dma:*` event did to the device's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DmaAction {
    /// A buffer was mapped.
    Map {
        /// The address that the device got.
        block: DmaBlock,
        /// The buffer's physical address.
        physical: u64,
    },
    /// A buffer was unmapped.
    Unmap(DmaBlock),
    /// Memory was allocated and mapped.
    Alloc(DmaBlock),
    /// Memory was unmapped and freed.
    Free(DmaBlock),
    /// A scatter list was mapped.
    MapList(ScatterList),
    /// A scatter list was unmapped; only its physical addresses are known.
    UnmapList {
        /// The physical addresses of the list's entries, perhaps only the first ones.
        physical: Vec<u64>,
    },
    /// A map or an allocation failed.
    Failed,
    /// The caches were synchronised; no address changed hands.
    Sync,
}

/// A range of a device's address space, not aligned to granules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DmaBlock {
    /// First address, in bytes.
    pub address: u64,
    /// Length in bytes.
    pub size_bytes: u64,
}

/// `dma_map_sg`: a list of buffers, mapped together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScatterList {
    /// What the device sees; adjoining buffers are usually one block.
    pub blocks: Vec<DmaBlock>,
    /// The buffers' physical addresses.
    pub physical: Vec<u64>,
    /// Whether the kernel printed only the first entries of a list.
    pub truncated: bool,
}

/// The probe `iova_alloc`: `alloc_iova_fast` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IovaAlloc {
    /// The kernel's address of the domain: a name, nothing more.
    pub iovad: u64,
    /// How many granules were asked for.
    pub granules: u64,
    /// Highest pfn that was acceptable, inclusive.
    pub limit_pfn: u64,
    /// Whether the CPU caches would be flushed before giving up; `false` when a retry with a larger limit follows.
    pub flush: Option<bool>,
    /// The answer; `None` (0 in the trace) when the allocation failed.
    pub pfn: Option<u64>,
}

/// The probe `iova_alloc_tree`: `alloc_iova` returned, so the tree and not a CPU cache served the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IovaAllocTree {
    /// The kernel's address of the domain.
    pub iovad: u64,
    /// How many granules the tree was asked for, rounded up if the size is one of those cached.
    pub granules: u64,
    /// Highest pfn that was acceptable, inclusive.
    pub limit_pfn: u64,
    /// Whether the range had to be aligned to its size.
    pub size_aligned: bool,
    /// The answer; `None` (0 in the trace) when the tree found no room.
    pub pfn: Option<u64>,
}

/// The probe `iova_free`: `free_iova_fast` was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IovaFree {
    /// The kernel's address of the domain.
    pub iovad: u64,
    /// First pfn of the range.
    pub pfn: u64,
    /// How many granules, as they were asked for.
    pub granules: u64,
}
