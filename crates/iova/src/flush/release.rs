//! Flushing, and handing on what was flushed.

use core::num::NonZeroUsize;

use lock_api::RawMutex;

use super::ring::Entry;
use super::{FlushCause, FlushQueue, Invalidate, Reuse};
use crate::backing::BATCH;
use crate::cpu::Cpu;
use crate::events;
use crate::range::IovaRange;

/// How many ranges one [`poll`](FlushQueue::poll) hands on, at most: a timer must not run for long.
pub const POLL_RANGES: usize = 1024;

impl<R: RawMutex, I: Invalidate> FlushQueue<R, I> {
    /// Flushes if something waits that no flush has covered, and hands on everything that was queued before, of
    /// all CPUs, on this CPU. Calls no allocator. How long it takes has no bound but the sum of all rings.
    pub fn flush(&self, cpu: Cpu, reuse: &impl Reuse) {
        self.flush_because(FlushCause::Demand, cpu, reuse);
    }

    /// What has to be done from time to time: hands on what was flushed, and flushes if something has waited
    /// for long. `now` is the user's clock, in nanoseconds. Calls no allocator.
    ///
    /// Returns when to call it next: at once (`now`) if there is more to hand on than [`POLL_RANGES`], the
    /// bound on what one call does; or `None` if every ring was empty when it looked. What is queued after that
    /// is told to [`Invalidate::arm`]. So call it every few milliseconds, or let `arm` set a timer.
    ///
    /// No clock is read when a range is queued: what counts as its age is since `poll` first saw that something
    /// waits. So a range waits for the time until the next poll, the age of the configuration, and the time
    /// until the poll after that: if it is called with a fixed period, the age and two periods, at most.
    pub fn poll(&self, cpu: Cpu, now: u64, reuse: &impl Reuse) -> Option<u64> {
        let mut room = self.collect_within(POLL_RANGES, cpu, reuse);
        // What was handed on has been flushed, and that flush covers all that was queued before it. So nothing
        // gets too old if this happens again and again.
        if room > 0 && self.is_due(now) {
            self.flush_iotlb(FlushCause::Age);
            room = self.collect_within(room, cpu, reuse);
        }
        if room == 0 { Some(now) } else { self.next_flush(now) }
    }

    /// Whether something has waited for long. If so, that is now taken care of.
    fn is_due(&self, now: u64) -> bool {
        let waits = self.waits();
        let mut clock = self.clock.lock();
        let due =
            waits && clock.waiting_since.is_some_and(|since| now.saturating_sub(since) >= self.config.age_ns);
        if due || !waits {
            clock.waiting_since = None;
        }
        due
    }

    /// When what waits now will have waited for long.
    fn next_flush(&self, now: u64) -> Option<u64> {
        let waits = self.waits();
        let mut clock = self.clock.lock();
        let since = waits.then(|| *clock.waiting_since.get_or_insert(now));
        since.map(|since| since.saturating_add(self.config.age_ns))
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

    /// Invalidates one range by itself, and hands it on. What is attached to it may be something that the IOMMU
    /// reaches without a translation of that range, so then it has to forget everything.
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
        match attachment {
            Some(_) => self.generations.flush(|| self.invalidate.flush_all()),
            None => self.invalidate.flush_range(range),
        }
        self.hand_on(cpu, range, attachment, reuse);
    }

    fn collect_all(&self, cpu: Cpu, reuse: &impl Reuse) {
        for from in 0..self.slots.len() {
            self.collect(Cpu::new(from), cpu, reuse);
        }
    }

    /// Hands on what was flushed, of all CPUs, but no more than so many ranges, and goes on next time where it
    /// stopped. Returns how many less it was; 0 if there may be more.
    fn collect_within(&self, most: usize, cpu: Cpu, reuse: &impl Reuse) -> usize {
        let start = self.clock.lock().collect_from;
        let mut room = most;
        for number in (0..self.slots.len()).map(|offset| start.wrapping_add(offset)) {
            loop {
                if room == 0 {
                    self.clock.lock().collect_from = number;
                    return 0;
                }
                let count = self.collect_batch(Cpu::new(number), cpu, reuse);
                room = room.saturating_sub(count);
                if count < BATCH {
                    break;
                }
            }
        }
        room
    }

    /// Hands on what was flushed of one CPU's ring, a few at a time, but not for longer than that ring can be
    /// full: others may go on filling it.
    pub(super) fn collect(&self, from: Cpu, cpu: Cpu, reuse: &impl Reuse) {
        for _ in 0..self.config.entries.div_ceil(BATCH) {
            if self.collect_batch(from, cpu, reuse) < BATCH {
                return;
            }
        }
    }

    /// A few of this CPU.
    pub(super) fn collect_some(&self, cpu: Cpu, reuse: &impl Reuse) {
        self.collect_batch(cpu, cpu, reuse);
    }

    /// Returns how many; if there may be more, [`BATCH`].
    fn collect_batch(&self, from: Cpu, cpu: Cpu, reuse: &impl Reuse) -> usize {
        let Some(slot) = from.of(&self.slots) else { return 0 };
        let entries = {
            let mut slot = slot.lock();
            let Some(ring) = slot.ring.as_mut().filter(|ring| ring.len() > 0) else { return 0 };
            ring.pop_some(&self.generations)
        };
        let mut count = 0;
        for Entry { range, attachment, .. } in entries.into_iter().flatten() {
            self.hand_on(cpu, range, attachment, reuse);
            count += 1;
        }
        count
    }

    fn hand_on(&self, cpu: Cpu, range: IovaRange, attachment: Option<NonZeroUsize>, reuse: &impl Reuse) {
        if let Some(word) = attachment {
            self.invalidate.release(word);
        }
        reuse.reuse(cpu, range);
    }
}

/// Flushes what still waits, so that no attachment is lost. Calls no allocator. The ranges are dropped: nobody
/// takes them any more.
impl<R: RawMutex, I: Invalidate> Drop for FlushQueue<R, I> {
    fn drop(&mut self) {
        struct Nobody;
        impl Reuse for Nobody {
            fn reuse(&self, _: Cpu, _: IovaRange) {}
        }
        self.flush(Cpu::new(0), &Nobody);
    }
}
