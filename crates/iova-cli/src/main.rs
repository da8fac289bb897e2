//! The iova command: replays DMA traces through the allocator.
fn main() {}
