//! The quick way: from and into the loaded magazine of this CPU.
//!
//! Most operations end here. They take one lock and follow one pointer after the other to the end of one magazine,
//! without a loop and without a call. Whatever is not so simple is refused, with nothing changed, and goes the way through
//! [`exchange`](super::exchange), which looks at everything.

use lock_api::RawMutex;

use super::Caches;
use crate::cpu::Cpu;
use crate::range::IovaRange;
use crate::request::Request;

impl<R: RawMutex, B> Caches<R, B> {
    /// Takes the range that this CPU has freed last, if the request wants one of that class and it does not lie too high.
    #[inline(always)]
    pub(crate) fn pop(&self, cpu: Cpu, request: &Request) -> Option<IovaRange> {
        let class = self.classes.class_for(request)?;
        let limit = request.first_limit();
        let range = |first| self.classes.range(class, first);
        let mut slot = cpu.of(&self.slots)?.lock();
        slot.pair(class)?.pop_if(|first| range(first).last() <= limit).map(range)
    }

    /// Puts a freed range where [`pop`](Self::pop) finds it, if it belongs here, there is room, and it was not freed just
    /// before.
    #[inline(always)]
    pub(crate) fn push(&self, cpu: Cpu, range: IovaRange) -> bool {
        let Some(class) = self.classes.class_of(range) else { return false };
        let Some(slot) = cpu.of(&self.slots) else { return false };
        let mut slot = slot.lock();
        let Some(pair) = slot.pair(class) else { return false };
        pair.push_another(range.first_pfn().get())
    }
}
