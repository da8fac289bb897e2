//! Allocating: a cached range or the highest, and giving everything back before there is none.

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::ledger::Ledger;
use super::{Allocation, Domain};
use crate::cpu::{Cpu, CurrentCpu};
use crate::error::{AllocateError, OutOfNodeMemory};
use crate::events;
use crate::flush::Invalidate;
use crate::range::IovaRange;
use crate::request::Request;

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// Allocates a range that satisfies all of `request`: a cached one, or the highest.
    ///
    /// It has as many granules as were asked for, or that rounded up to a power of two. It has to be freed as it is.
    ///
    /// With a preferred limit it is a range that this CPU or the depot has cached below that, else the highest below it,
    /// else a cached one above, else the highest above. What other CPUs have cached below is not asked for.
    ///
    /// # Errors
    ///
    /// As [`Space::allocate`](crate::Space::allocate). If there is no address space, what was queued and
    /// cached below the limit was given back before (see [above](Domain#when-nothing-fits)); if there is no node memory, nothing was.
    // Where it is not inlined, what it returns and the request go through memory, which takes longer than all the rest.
    #[inline(always)]
    pub fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        let cpu = self.cpu.current();
        if let Some(class) = self.caches.class_for(request) {
            let limit = request.first_limit();
            if self.is_plain() {
                if let Some(first) = self.caches.pop(cpu, class, limit) {
                    return Ok(self.caches.range(class, first));
                }
            } else if let Some(first) = self.pop_noted(cpu, class, limit) {
                return Ok(self.caches.range(class, first));
            }
        }
        self.allocate_noted(cpu, *request)
    }

    /// Like [`allocate`](Self::allocate), but frees the range when the result is dropped.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocation(&self, request: &Request) -> Result<Allocation<'_, R, C, I, A>, AllocateError> {
        self.allocate(request).map(|range| Allocation::new(self, range))
    }

    /// Takes a cached range and notes it. If it cannot be noted, another way of allocating will say why.
    // In numbers, which are not in memory.
    #[inline(never)]
    fn pop_noted(&self, cpu: Cpu, class: usize, limit: u64) -> Option<u64> {
        self.prepare();
        let first = self.caches.pop(cpu, class, limit)?;
        let is_new = self.note(cpu, self.caches.range(class, first));
        is_new.is_ok_and(|is_new| is_new).then_some(first)
    }

    /// Sees to it that freed ranges can be queued.
    #[inline]
    fn prepare(&self) {
        if let Some(queue) = &self.queue {
            queue.prepare();
        }
    }

    /// Allocates a range in any way there is, and notes it.
    // By value: a request that is built for the call needs no memory then, if the quick way serves it.
    #[inline(never)]
    fn allocate_noted(&self, cpu: Cpu, request: Request) -> Result<IovaRange, AllocateError> {
        self.prepare();
        let more = || self.flush_queued(cpu, request.limit_iova());
        loop {
            let noted = match self.caches.allocate_or(cpu, &request, more) {
                Ok(range) => self.note(cpu, range).map(|is_new| is_new.then_some(range)).map_err(Into::into),
                Err(error) => Err(error),
            };
            match noted {
                Ok(None) => {}
                Ok(Some(range)) => return Ok(range),
                Err(error) => return Err(self.allocation_failed(error)),
            }
        }
    }

    /// Flushes the queue if it holds anything at or below a limit: nothing else could help.
    #[cold]
    fn flush_queued(&self, cpu: Cpu, limit: u64) -> bool {
        let helps = self.is_queued(|range| range.first() <= limit);
        if helps {
            self.flush_queue(cpu);
        }
        helps
    }

    /// Whether there is a range in the queue of which `which` says so.
    pub(super) fn is_queued(&self, which: impl Fn(IovaRange) -> bool) -> bool {
        let mut found = false;
        if let Some(queue) = &self.queue {
            queue.for_each_queued(|range| found |= which(range));
        }
        found
    }

    /// Notes that a range is live, if frees are checked exactly. If there is no memory for that, it is freed.
    ///
    /// `false` if it is live already, and so was freed behind the domain's back: it stays with who has it.
    #[inline]
    pub(super) fn note(&self, cpu: Cpu, range: IovaRange) -> Result<bool, OutOfNodeMemory> {
        match &self.ledger {
            Some(ledger) if ledger.insert(range).is_err() => self.not_noted(ledger, cpu, range),
            _ => Ok(true),
        }
    }

    #[cold]
    fn not_noted(&self, ledger: &Ledger<R>, cpu: Cpu, range: IovaRange) -> Result<bool, OutOfNodeMemory> {
        if ledger.contains(range) {
            return Ok(false);
        }
        self.caches.free_counting(cpu, range);
        Err(OutOfNodeMemory { range })
    }

    #[cold]
    fn allocation_failed(&self, mut error: AllocateError) -> AllocateError {
        if let AllocateError::OutOfAddressSpace(why) = &mut error {
            why.cached_granules = self.caches.statistics().cached_granules();
            why.queued_granules = self.queue.as_ref().map_or(0, |queue| queue.statistics().queued_granules);
        }
        self.failures.lock().allocation_failed(&error);
        events::allocation_failed(&error);
        error
    }
}
