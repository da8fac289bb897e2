//! The two sides of the queue: who invalidates, and who takes what may be used again.

use core::num::NonZeroUsize;

use lock_api::RawMutex;

use crate::backing::Backing;
use crate::cache::Caches;
use crate::cpu::Cpu;
use crate::range::IovaRange;

/// Who makes an IOMMU forget translations. No lock of the queue is held while one of these is called.
pub trait Invalidate {
    /// Makes it forget all translations of this address space. When this returns, that has happened.
    fn flush_all(&self);

    /// Makes it forget the translations of a range, or more. When this returns, that has happened.
    fn flush_range(&self, range: IovaRange) {
        let _ = range;
        self.flush_all();
    }

    /// Takes the word that was attached to a range, now that the range is invalidated.
    fn release(&self, attachment: NonZeroUsize) {
        let _ = attachment;
    }
}

impl<I: Invalidate + ?Sized> Invalidate for &I {
    fn flush_all(&self) {
        (**self).flush_all();
    }

    fn flush_range(&self, range: IovaRange) {
        (**self).flush_range(range);
    }

    fn release(&self, attachment: NonZeroUsize) {
        (**self).release(attachment);
    }
}

/// Nobody: for callers that invalidate before they free.
impl Invalidate for () {
    fn flush_all(&self) {}
}

/// Who takes a range that may be used again. No lock of the queue is held while it is called.
pub trait Reuse {
    /// Takes a range, on this CPU. Must not fail and should not allocate.
    fn reuse(&self, cpu: Cpu, range: IovaRange);
}

impl<R: RawMutex, B: Backing> Reuse for Caches<R, B> {
    /// A range that was not allocated is dropped, and counted as refused.
    fn reuse(&self, cpu: Cpu, range: IovaRange) {
        self.free_counting(cpu, range);
    }
}
