//! The Linux kernel's own tree and allocator, compiled from Debian's package; see `build.rs` and `kernel/shim.h`.

mod ffi;
mod iova;
mod iova_maple;
mod maple;
mod maple_rcu;

pub use ffi::Range;
pub use ffi::{allocations, live_bytes};
pub use iova::{KernelIova, KernelIovaCached, KernelIovaLocked, KernelShared, KernelSharedCached};
pub use iova_maple::KernelIovaMaple;
pub use maple::KernelMaple;
pub use maple_rcu::KernelMapleRcu;
