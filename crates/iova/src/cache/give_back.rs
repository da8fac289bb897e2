//! Giving cached ranges back to the backing: all of them, or what is idle.

use lock_api::RawMutex;

use super::Caches;
use super::magazine::Magazine;
use super::per_cpu::Pair;
use crate::backing::{Backing, Batch};
use crate::range::IovaRange;
use crate::sync::Ordering;

impl<R: RawMutex, B: Backing> Caches<R, B> {
    /// Gives all cached ranges back to the backing, those of all CPUs and of the depots, and returns how many
    /// there were.
    ///
    /// Calls no allocator. One magazine at a time is taken out under the lock of its CPU, and given back
    /// without.
    pub fn flush(&self) -> u64 {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        let mut given = 0;
        for cpu in 0..self.slots.len() {
            given += self.flush_cpu(cpu, |_, _| true);
        }
        for (class, depot) in self.depots.iter().enumerate() {
            // Not more than there are now: others may go on filling it.
            let full = depot.lock().count();
            given += self.empty_depot(class, full, u64::MAX);
        }
        given
    }

    /// Gives back the magazines that hold a range which touches these iovas; of those in the depots all that hold one at or
    /// below the last. Returns how many ranges they held. Calls no allocator.
    pub(crate) fn flush_touching(&self, first: u64, last: u64) -> u64 {
        let granule = self.classes.granule();
        let (first, last) = (granule.pfn_of(first).get(), granule.pfn_of(last).get());
        let mut given = 0;
        for cpu in 0..self.slots.len() {
            given += self.flush_cpu(cpu, |class, pair| {
                pair.firsts().any(|start| start <= last && start | ((1 << class) - 1) >= first)
            });
        }
        for (class, depot) in self.depots.iter().enumerate() {
            let full = depot.lock().count();
            given += self.empty_depot(class, full, last);
        }
        if given > 0 {
            self.flushes.fetch_add(1, Ordering::Relaxed);
        }
        given
    }

    /// Gives back what is idle, if enough time has passed since the last time. `now` is the user's clock, in
    /// nanoseconds; if it goes back, nothing is done until it has caught up.
    ///
    /// From the depots that is as many magazines as were there all the time; from each CPU the classes that
    /// were not used; and the memory of empty magazines that nobody needed. Returns how many ranges were given
    /// back. Calls no allocator.
    ///
    /// ```
    /// # use iova::cache::{CacheConfig, Caches};
    /// # use iova::cpu::Cpu;
    /// # use iova::{Space, Granule, Request, LockedSpace};
    /// # let domain: LockedSpace<spin::Mutex<()>> = Space::new(Granule::FOUR_KIB, 0..1 << 32)?.into();
    /// # let caches: Caches<spin::Mutex<()>, _> = Caches::new(domain, CacheConfig::new(1))?;
    /// # let cpu = Cpu::new(0);
    /// for _ in 0..3 {
    ///     caches.free(cpu, caches.allocate(cpu, &Request::new(1))?)?;
    /// }
    /// assert_eq!(caches.statistics().cached_ranges(), 1);
    /// assert_eq!(caches.trim(0), 0);
    /// assert_eq!(caches.trim(100_000_000), 0); // used since the last time
    /// assert_eq!(caches.trim(200_000_000), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trim(&self, now: u64) -> u64 {
        let due = {
            let mut trimmed = self.trimmed.lock();
            let due = trimmed.is_some_and(|then| now.saturating_sub(then) >= self.idle_ns);
            if due || trimmed.is_none() {
                *trimmed = Some(now);
            }
            due
        };
        if due { self.trim_now() } else { 0 }
    }

    fn trim_now(&self) -> u64 {
        let mut given = 0;
        for cpu in 0..self.slots.len() {
            given += self.flush_cpu(cpu, |_, pair| pair.was_idle());
        }
        for (class, depot) in self.depots.iter().enumerate() {
            let idle = depot.lock().begin_interval();
            given += self.empty_depot(class, idle, u64::MAX);
        }
        loop {
            let idle = self.spares.lock().drop_idle();
            if idle.is_none() {
                return given;
            }
        }
    }

    /// Gives back the magazines of the classes of a CPU that `which` says.
    fn flush_cpu(&self, cpu: usize, mut which: impl FnMut(usize, &mut Pair) -> bool) -> u64 {
        let mut given = 0;
        let Some(slot) = self.slots.get(cpu) else { return given };
        for class in 0..self.classes.count() {
            if !slot.lock().pair(class).is_some_and(|pair| which(class, pair)) {
                continue;
            }
            // A pair has two magazines.
            for _ in 0..2 {
                let detached = slot.lock().pair(class).and_then(Pair::detach);
                let Some(magazine) = detached else { break };
                given += self.give_back(class, magazine);
            }
        }
        given
    }

    fn empty_depot(&self, class: usize, magazines: usize, highest: u64) -> u64 {
        let mut given = 0;
        let Some(depot) = self.depots.get(class) else { return given };
        for _ in 0..magazines {
            let taken = depot.lock().take_below(highest);
            let Some(magazine) = taken else { break };
            given += self.give_back(class, magazine);
        }
        given
    }

    /// Gives the ranges of a magazine back in order of address, a bounded number at a time, and keeps the
    /// magazine for another time.
    fn give_back(&self, class: usize, mut magazine: Magazine) -> u64 {
        magazine.sort();
        let mut given = 0;
        let mut batch = Batch::new(self.classes.granule());
        while let Some(first) = magazine.pop() {
            given += 1;
            let range = self.classes.range(class, first);
            if !batch.push(range) {
                self.refused(batch.give_back(&self.backing));
                batch.push(range);
            }
        }
        self.refused(batch.give_back(&self.backing));
        let dropped = self.spares.lock().put_magazine(magazine);
        drop(dropped);
        given
    }

    /// Gives everything back, and then the backing itself.
    pub fn into_backing(self) -> B {
        self.flush();
        self.backing
    }

    /// All cached ranges, in no order: for checks and for debugging. Each CPU and each depot is locked while
    /// its ranges are visited; `visit` must not use the caches. Allocates nothing.
    pub fn for_each_cached(&self, mut visit: impl FnMut(IovaRange)) {
        for class in 0..self.classes.count() {
            let mut visit = |first| visit(self.classes.range(class, first));
            for slot in &self.slots {
                if let Some(pair) = slot.lock().pair(class) {
                    pair.firsts().for_each(&mut visit);
                }
            }
            if let Some(depot) = self.depots.get(class) {
                depot.lock().for_each(&mut visit);
            }
        }
    }
}
