//! An I/O virtual address allocator whose free never allocates and never fails.
