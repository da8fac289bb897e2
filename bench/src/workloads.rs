//! The workloads, one idea per file. Each row of the report is one of them.
//!
//! Here is the place for those that are to come: cursors (`next`, `prev`), caches of free ranges, readers beside a writer.

mod bytes;
mod data;
mod gap;
mod map;
mod pair;
mod pathology;
mod threads;
mod write;

use crate::row::Row;

/// All rows, in the report's order.
pub fn rows() -> Vec<Row> {
    [map::rows(), write::rows(), gap::rows(), pair::rows(), threads::rows(), bytes::rows(), pathology::rows()]
        .into_iter()
        .flatten()
        .collect()
}
