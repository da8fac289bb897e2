//! Reclamation: grace periods, records, and readers when there is no memory.
#![cfg(not(loom))]
#![expect(unsafe_code, reason = "the stress test frees what readers may look at, as a tree does")]

#[cfg(feature = "std")]
mod global;
mod memory;
mod readers;
mod stress;
