//! Building, copying and compacting whole trees, compared with a map that is obviously right.

mod compact;
mod copy;
mod extend;
mod subject;
