//! Flushing, and handing on what was flushed.

use core::num::NonZeroUsize;

use lock_api::RawMutex;

use super::ring::Entry;
use super::{FlushCause, FlushQueue, Invalidate, Reuse};
use crate::backing::BATCH;
use crate::cpu::Cpu;
use crate::events;
use crate::range::IovaRange;

impl<R: RawMutex, I: Invalidate> FlushQueue<R, I> {
    /// Flushes if something waits that no flush has covered, and hands on everything that was queued before, of
    /// all CPUs, on this CPU. Calls no allocator.
    pub fn flush(&self, cpu: Cpu, reuse: &impl Reuse) {
        self.flush_because(FlushCause::Demand, cpu, reuse);
    }

    /// What has to be done from time to time: hands on what was flushed, and flushes if something has waited
    /// for long. `now` is the user's clock, in nanoseconds. Calls no allocator.
    ///
    /// Returns when to call it next, or `None` if nothing waits. Call it every few milliseconds, or set a
    /// timer. No clock is read when a range is queued: what counts as its age is since `poll` first saw that
    /// something waits. So a range waits for the age of the configuration and the time between two polls, at
    /// most.
    pub fn poll(&self, cpu: Cpu, now: u64, reuse: &impl Reuse) -> Option<u64> {
        self.collect_all(cpu, reuse);
        let waits = self.waits();
        let due = {
            let mut clock = self.clock.lock();
            let since = if waits { *clock.waiting_since.get_or_insert(now) } else { now };
            let due = now.saturating_sub(since) >= self.config.age_ns && waits;
            if due || !waits {
                clock.waiting_since = None;
            }
            if waits && !due { Err(since.saturating_add(self.config.age_ns)) } else { Ok(due) }
        };
        match due {
            Err(then) => Some(then),
            Ok(false) => None,
            Ok(true) => {
                self.flush_because(FlushCause::Age, cpu, reuse);
                None
            }
        }
    }

    fn flush_because(&self, cause: FlushCause, cpu: Cpu, reuse: &impl Reuse) {
        self.collect_all(cpu, reuse);
        if self.waits() {
            self.flush_iotlb(cause);
            self.collect_all(cpu, reuse);
        }
    }

    /// Whether something is queued, flushed or not.
    pub fn waits(&self) -> bool {
        self.slots.iter().any(|slot| slot.lock().ring.as_ref().is_some_and(|ring| ring.len() > 0))
    }

    /// All ranges that wait, CPU by CPU: for checks and for debugging. Each CPU is locked while its ranges are
    /// visited; `visit` must not use the queue. Allocates nothing.
    pub fn for_each_queued(&self, mut visit: impl FnMut(IovaRange)) {
        for slot in &self.slots {
            let slot = slot.lock();
            slot.ring.iter().flat_map(|ring| ring.entries()).for_each(|entry| visit(entry.range));
        }
    }

    pub(super) fn flush_iotlb(&self, cause: FlushCause) {
        self.clock.lock().flushes.count(cause);
        events::iotlb_flush(cause);
        self.generations.flush(|| self.invalidate.flush_all());
    }

    /// Invalidates one range by itself, and hands it on.
    pub(super) fn strictly(
        &self,
        cpu: Cpu,
        range: IovaRange,
        attachment: Option<NonZeroUsize>,
        reuse: &impl Reuse,
    ) {
        if let Some(slot) = cpu.of(&self.slots) {
            slot.lock().counters.strict += 1;
        }
        self.invalidate.flush_range(range);
        self.hand_on(cpu, range, attachment, reuse);
    }

    fn collect_all(&self, cpu: Cpu, reuse: &impl Reuse) {
        for from in 0..self.slots.len() {
            self.collect(Cpu::new(from), cpu, reuse);
        }
    }

    /// Hands on what was flushed of one CPU's ring, a few at a time, but not for longer than that ring can be
    /// full: others may go on filling it.
    pub(super) fn collect(&self, from: Cpu, cpu: Cpu, reuse: &impl Reuse) {
        for _ in 0..self.config.entries.div_ceil(BATCH) {
            if !self.collect_batch(from, cpu, reuse) {
                return;
            }
        }
    }

    /// A few of this CPU.
    pub(super) fn collect_some(&self, cpu: Cpu, reuse: &impl Reuse) {
        self.collect_batch(cpu, cpu, reuse);
    }

    /// Returns whether there may be more.
    fn collect_batch(&self, from: Cpu, cpu: Cpu, reuse: &impl Reuse) -> bool {
        let Some(slot) = from.of(&self.slots) else { return false };
        let entries = {
            let mut slot = slot.lock();
            let Some(ring) = slot.ring.as_mut().filter(|ring| ring.len() > 0) else { return false };
            ring.pop_some(&self.generations)
        };
        let more = entries.last().is_some_and(Option::is_some);
        for Entry { range, attachment, .. } in entries.into_iter().flatten() {
            self.hand_on(cpu, range, attachment, reuse);
        }
        more
    }

    fn hand_on(&self, cpu: Cpu, range: IovaRange, attachment: Option<NonZeroUsize>, reuse: &impl Reuse) {
        if let Some(word) = attachment {
            self.invalidate.release(word);
        }
        reuse.reuse(cpu, range);
    }
}

/// Flushes what still waits, so that no attachment is lost. Calls no allocator. The ranges are dropped: nobody takes them
/// any more.
impl<R: RawMutex, I: Invalidate> Drop for FlushQueue<R, I> {
    fn drop(&mut self) {
        struct Nobody;
        impl Reuse for Nobody {
            fn reuse(&self, _: Cpu, _: IovaRange) {}
        }
        self.flush(Cpu::new(0), &Nobody);
    }
}
