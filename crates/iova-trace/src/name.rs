//! The names of the events that this crate knows.

use std::fmt;

/// The part of the kernel an event belongs to: what stands before the colon in `iommu:map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum System {
    /// `iommu`: page-table changes, faults, devices joining groups.
    Iommu,
    /// `dma`: the DMA API that drivers call.
    Dma,
    /// Probes of the IOVA allocator, defined by whoever recorded the trace; their group name is free.
    Probe,
}

macro_rules! event_names {
    ($($variant:ident = $text:literal in $system:ident,)*) => {
        /// An event known to this crate, by the name that Linux prints.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventName {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl EventName {
            /// Every known event.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name as Linux prints it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The system that emits the event.
            #[must_use]
            pub const fn system(self) -> System {
                match self { $(Self::$variant => System::$system,)* }
            }

            /// Finds an event by its printed name, without the system.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

event_names! {
    Map = "map" in Iommu,
    Unmap = "unmap" in Iommu,
    IoPageFault = "io_page_fault" in Iommu,
    AddDeviceToGroup = "add_device_to_group" in Iommu,
    RemoveDeviceFromGroup = "remove_device_from_group" in Iommu,
    AttachDeviceToDomain = "attach_device_to_domain" in Iommu,
    DetachDeviceFromDomain = "detach_device_from_domain" in Iommu,
    DmaMapPage = "dma_map_page" in Dma,
    DmaMapResource = "dma_map_resource" in Dma,
    DmaMapPhys = "dma_map_phys" in Dma,
    DmaUnmapPage = "dma_unmap_page" in Dma,
    DmaUnmapResource = "dma_unmap_resource" in Dma,
    DmaUnmapPhys = "dma_unmap_phys" in Dma,
    DmaAlloc = "dma_alloc" in Dma,
    DmaAllocPages = "dma_alloc_pages" in Dma,
    DmaAllocSgt = "dma_alloc_sgt" in Dma,
    DmaAllocSgtErr = "dma_alloc_sgt_err" in Dma,
    DmaFree = "dma_free" in Dma,
    DmaFreePages = "dma_free_pages" in Dma,
    DmaFreeSgt = "dma_free_sgt" in Dma,
    DmaMapSg = "dma_map_sg" in Dma,
    DmaMapSgErr = "dma_map_sg_err" in Dma,
    DmaUnmapSg = "dma_unmap_sg" in Dma,
    DmaSyncSingleForCpu = "dma_sync_single_for_cpu" in Dma,
    DmaSyncSingleForDevice = "dma_sync_single_for_device" in Dma,
    DmaSyncSgForCpu = "dma_sync_sg_for_cpu" in Dma,
    DmaSyncSgForDevice = "dma_sync_sg_for_device" in Dma,
    IovaAlloc = "iova_alloc" in Probe,
    IovaAllocTree = "iova_alloc_tree" in Probe,
    IovaFree = "iova_free" in Probe,
}

impl fmt::Display for EventName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl EventName {
    /// Whether a system name printed before the event's name fits it.
    pub(crate) fn fits_system(self, system: &str) -> bool {
        match self.system() {
            System::Iommu => system == "iommu",
            System::Dma => system == "dma",
            System::Probe => true,
        }
    }
}
