//! The workloads, one idea per file. Each row of the report is one of them.

mod bytes;
mod data;
mod gap;
mod map;
mod pair;
mod pathology;
mod readers;
mod shared;
mod threads;
mod write;

pub use data::{inside, range, value};
pub use pair::any_size;

use crate::row::Row;

/// Those that are about a size that should not matter.
pub fn pathologies() -> Vec<Row> {
    pathology::rows()
}

/// All rows, in the report's order.
pub fn rows() -> Vec<Row> {
    let rows = [
        map::rows(),
        write::rows(),
        gap::rows(),
        pair::rows(),
        threads::rows(),
        readers::rows(),
        shared::rows(),
        bytes::rows(),
        pathology::rows(),
    ];
    rows.into_iter().flatten().collect()
}
