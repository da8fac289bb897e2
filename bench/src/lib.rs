//! Measures the tree and the allocator side by side with their peers. See `docs/performance.md`.

pub mod args;
pub mod copies;
pub mod growth;
pub mod instructions;
pub mod measure;
pub mod memory;
pub mod numbers;
pub mod processors;
pub mod report;
pub mod round_trip;
pub mod row;
pub mod run;
pub mod subject;
pub mod subjects;
pub mod targets;
#[cfg(feature = "visits")]
pub mod visits;
pub mod workloads;
