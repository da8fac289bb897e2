//! DMA and IOMMU traces as Linux prints them, and the allocator requests behind them.
//!
//! Two layers, each usable without the other one's details:
//!
//! 1. **Parsing.** A [`Reader`] turns the text of the kernel's trace buffer, of `trace-cmd report` or of
//!    `perf script` into [`Record`]s, one line at a time, plain or compressed. It knows the `iommu:*` and
//!    `dma:*` events in all the forms they have had, and three probes of the allocator itself. A line that
//!    names a known event but does not parse is an error *item*: it carries the file, the line, the reason
//!    and what was expected, and the reading goes on.
//! 2. **Requests.** [`Requests::from_records`] turns the records into the sequence of operations that the
//!    kernel's IOVA allocator was asked for: allocate so many granules below this limit, free them again.
//!
//! ```
//! use iova_trace::{Line, OperationKind, Options, Reader, Requests};
//!
//! let text = b"\
//!     dd-183 [000] ..... 35.1: dma_map_page: nvme0 dir=TO_DEVICE dma_addr=ffffe200 size=512 phys_addr=1200 attrs=
//!     dd-183 [000] ..... 35.2: dma_unmap_page: nvme0 dir=TO_DEVICE dma_addr=ffffe200 size=512 attrs=
//!     dd-183 [000] ..... 35.3: dma_map_page: nvme0 dir=TO_DEVICE dma_addr=zz size=512 phys_addr=1200 attrs=
//! ";
//! let mut reader = Reader::from_bytes("example", text)?;
//! let mut records = Vec::new();
//! for line in &mut reader {
//!     match line {
//!         Ok(Line::Record(record)) => records.push(record),
//!         Ok(_) => {}
//!         Err(error) => assert_eq!(
//!             error.to_string(),
//!             "example:3: dma_map_page: field `dma_addr` is `zz`, expected a hexadecimal number",
//!         ),
//!     }
//! }
//! assert_eq!(reader.counts().malformed, 1);
//!
//! let requests = Requests::from_records(records, &Options::default());
//! assert_eq!(requests.domains[0].name, "nvme0");
//! assert!(matches!(requests.operations[0].kind, OperationKind::Allocate { granules: 1, placed: Some(0xffffe), .. }));
//! assert!(matches!(requests.operations[1].kind, OperationKind::Free { first: 0xffffe, .. }));
//! # Ok::<(), iova_trace::Error>(())
//! ```
//!
//! # What this crate does not do
//!
//! It does not read the binary files of perf and trace-cmd (it says which command prints them as text), and
//! it does not decide what an allocator would answer: it only reports what the kernel was asked and answered.

#![forbid(unsafe_code)]

mod counts;
mod error;
mod event;
mod gzip;
mod line;
mod name;
mod open;
mod parse;
mod reader;
mod requests;
mod zstd;

pub use counts::Counts;
pub use error::{Error, Fault, Malformed};
pub use event::{
    Device, Direction, DmaAction, DmaBlock, DmaEvent, Event, IommuMap, IommuUnmap, IovaAlloc, IovaAllocTree,
    IovaFree, Record, ScatterList,
};
pub use name::{EventName, System};
pub use open::{Input, open};
pub use reader::{LINE_BYTES_MAX, Line, Reader};
pub use requests::{
    Domain, DomainId, Operation, OperationKind, Options, RangeId, RequestCounts, Requests, Source,
    TreeRequest,
};
