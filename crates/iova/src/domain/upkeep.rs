//! What has to be done from time to time, and taking everything apart.

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::Domain;
use crate::cpu::{Cpu, CurrentCpu};
use crate::flush::Invalidate;
use crate::range::IovaRange;
use crate::space::Space;

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// What has to be done from time to time: flushes what has waited for long, and gives back what is idle.
    /// `now` is the user's clock, in nanoseconds. Calls no allocator. Returns when to call it next for the sake
    /// of what waits, `now` for at once, or `None` if nothing does: see [`FlushQueue::poll`].
    ///
    /// [`FlushQueue::poll`]: crate::flush::FlushQueue::poll
    pub fn poll(&self, now: u64) -> Option<u64> {
        let next = self.queue.as_ref().and_then(|queue| queue.poll(self.cpu.current(), now, &self.caches));
        self.trim(now);
        next
    }

    /// Gives back what is idle, if enough time has passed since the last time ([`Caches::trim`]); a part of
    /// [`poll`](Self::poll). Calls no allocator. Returns how many ranges were given back.
    ///
    /// [`Caches::trim`]: crate::cache::Caches::trim
    pub fn trim(&self, now: u64) -> u64 {
        self.caches.trim(now)
    }

    /// Flushes the IOTLB if anything waits, and gives all cached ranges back. Calls no allocator. Returns how
    /// many were cached.
    pub fn flush(&self) -> u64 {
        self.flush_queue(self.cpu.current());
        self.caches.flush()
    }

    /// Flushes everything, and returns the space, in which what is live is allocated.
    pub fn into_space(self) -> Space<A> {
        self.flush();
        self.caches.into_backing().into_inner()
    }

    /// The longest free run at or below `limit` (an iova, inclusive), as
    /// [`Space::longest_free_run`](crate::Space::longest_free_run). What is cached or queued is not free there.
    pub fn longest_free_run(&self, limit: u64) -> Option<IovaRange> {
        self.space().longest_free_run(limit)
    }

    /// Flushes the IOTLB if anything waits, and hands on what waited.
    pub(super) fn flush_queue(&self, cpu: Cpu) {
        if let Some(queue) = &self.queue {
            queue.flush(cpu, &self.caches);
        }
    }
}
