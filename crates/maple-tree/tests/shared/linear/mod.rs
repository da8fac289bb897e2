//! Point lookups are linearizable: recorded by real threads, checked afterwards.
//!
//! Each operation takes a stamp of one clock when it begins and one when it ends, by a sequentially consistent
//! exchange. So if one ended before another began, its last stamp is less than the other's first one.
//!
//! **What is checked.** Each index is a register of its own: a write over a range is a write to each index in it. By
//! locality a history is linearizable if its part for each register is. That a write over several indices is seen at once
//! is not claimed here; see `stress`.
//!
//! **Why the check is right.** Writers take both stamps with the lock held, so writes to an index are in an order that
//! does not depend on what readers saw: versions 0, 1, 2, ..., of which 0 is the empty tree. A read may return version `k`
//! if that began before the read ended, and version `k + 1` had not ended when the read began; nothing else is needed for
//! one read alone. Of two reads, one after the other, the second must not return an older version than the first. If there
//! is a choice of versions for each read that keeps both rules, then this is a linearization: put each write between its
//! stamps, in order, and each read at a moment between its own at which its version is there. The other way round a
//! linearization is such a choice. Values have unique numbers, so there is a choice only where nothing was found. Reads are
//! gone through as they began, and each takes the oldest version that it may: that leaves most to those that follow.
//!
//! The clock orders more than the tree does: it hides a store that comes too late for want of an ordering. For these there are
//! the tests with loom, and the one in `stress`, which has no clock.

mod check;
mod history;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Stamps for all threads.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl Clock {
    fn now(&self) -> u64 {
        self.0.fetch_add(1, SeqCst) + 1
    }
}

/// From the stamp before to the stamp after.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u64,
    to: u64,
}

/// A write to an index: the number that is there then, or 0 for nothing.
#[derive(Clone, Copy, Debug)]
struct Version {
    span: Span,
    number: u64,
}

/// A read of an index, likewise.
#[derive(Clone, Copy, Debug)]
struct Read {
    span: Span,
    number: u64,
}
