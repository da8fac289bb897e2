//! The subjects, one file each, used as their authors would.

pub mod arc_swap;
pub mod btree;
pub mod cached;
pub mod domain;
pub mod iset;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod maple;
mod no_lock;
pub mod nodit;
pub mod offset_allocator;
pub mod range_alloc;
pub mod rangemap;
pub mod rw_lock;
pub mod scc;
pub mod shared;
pub mod skiplist;
pub mod vm_allocator;
