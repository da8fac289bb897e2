//! The Linux kernel's own tree and allocator, compiled from Debian's package; see `build.rs` and `kernel/shim.h`.

mod ffi;
mod iova;
mod maple;

pub use ffi::Range;
pub use ffi::{allocations, live_bytes};
pub use iova::{KernelIova, KernelIovaCached, KernelShared};
pub use maple::KernelMaple;
