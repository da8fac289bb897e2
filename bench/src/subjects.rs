//! The subjects, one file each, used as their authors would.

pub mod btree;
pub mod domain;
pub mod iset;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod maple;
pub mod nodit;
pub mod offset_allocator;
pub mod range_alloc;
pub mod rangemap;
pub mod vm_allocator;
