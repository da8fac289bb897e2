//! The two sides of the queue: who invalidates, and who takes what may be used again.

use core::num::NonZeroUsize;

use lock_api::RawMutex;

use crate::backing::Backing;
use crate::cache::Caches;
use crate::cpu::Cpu;
use crate::range::IovaRange;

/// Who makes an IOMMU forget translations. No lock of the queue is held while one of these is called.
///
/// None of them should panic. If an invalidation unwinds it has not happened, and another one has to. If a
/// release unwinds, up to [`BATCH`](crate::backing::BATCH) ranges that were about to be handed on are lost,
/// with what is attached to them: they are never used again.
pub trait Invalidate {
    /// Makes it forget all translations of this address space, and what it may have kept of the way to them,
    /// such as page tables. When this returns, that has happened.
    fn flush_all(&self);

    /// Makes it forget the translations of a range, or more. When this returns, that has happened.
    ///
    /// Called for a range without an attachment only. So page tables may be kept.
    fn flush_range(&self, range: IovaRange) {
        let _ = range;
        self.flush_all();
    }

    /// Takes the word that was attached to a range, now that everything was flushed.
    fn release(&self, attachment: NonZeroUsize) {
        let _ = attachment;
    }

    /// A range was queued on a CPU on which nothing was waiting: [`poll`](super::FlushQueue::poll) is to be
    /// called soon. A timer is set here, unless it is set.
    ///
    /// This may be called while `poll` is running, which then may return `None` or a later time than that of
    /// the timer: what `poll` returns must not cancel what this has set.
    fn arm(&self) {}
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

    fn arm(&self) {
        (**self).arm();
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
