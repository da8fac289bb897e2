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
    /// The class that a request wants a range of, if it is content with any below its limits.
    #[inline(always)]
    pub(crate) fn class_for(&self, request: &Request) -> Option<usize> {
        self.classes.class_for(request)
    }

    /// The range of a class that begins at a pfn.
    #[inline(always)]
    pub(crate) fn range(&self, class: usize, first: u64) -> IovaRange {
        self.classes.range(class, first)
    }

    /// Takes the range of a class that this CPU has freed last, if it does not end above the limit. Returns its first
    /// pfn: a number stays in a register.
    #[inline(always)]
    pub(crate) fn pop(&self, cpu: Cpu, class: usize, limit: u64) -> Option<u64> {
        let mut slot = cpu.of(&self.slots)?.lock();
        slot.pair(class)?.pop_if(|first| self.range(class, first).last() <= limit)
    }

    /// Puts a freed range where [`pop`](Self::pop) finds it, if it belongs here, there is room, and it was not freed just
    /// before.
    #[inline(always)]
    pub(crate) fn push(&self, cpu: Cpu, range: IovaRange) -> bool {
        let Ok(granules) = u64::try_from(range.granules()) else { return false };
        range.granule() == self.classes.granule() && self.push_sized(cpu, range.first(), granules).is_some()
    }

    /// The same for so many granules from an iova on. Returns the range.
    #[inline(always)]
    pub(crate) fn push_sized(&self, cpu: Cpu, iova: u64, granules: u64) -> Option<IovaRange> {
        let (class, first) = self.classes.class_at(iova, granules)?;
        let mut slot = cpu.of(&self.slots)?.lock();
        let pushed = slot.pair(class)?.push_another(first);
        pushed.then(|| self.classes.range(class, first))
    }
}

#[cfg(not(loom))]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::CacheConfig;
    use crate::granule::Granule;
    use crate::locked::LockedSpace;
    use crate::space::Space;

    const CPU: Cpu = Cpu::new(0);
    const PAGE: u64 = 4096;

    fn caches() -> Caches<spin::Mutex<()>, LockedSpace<spin::Mutex<()>>> {
        let space = Space::new(Granule::FOUR_KIB, 0..64 * PAGE).unwrap();
        Caches::new(space.into(), CacheConfig::new(1)).unwrap()
    }

    /// A range of so many granules, freed into a magazine.
    fn freed(caches: &Caches<spin::Mutex<()>, LockedSpace<spin::Mutex<()>>>, granules: u64) -> IovaRange {
        let request = Request::new(granules);
        // The first free wishes for a magazine, the second allocation makes it.
        for _ in 0..2 {
            let range = caches.allocate(CPU, &request).unwrap();
            caches.free(CPU, range).unwrap();
        }
        let range = caches.allocate(CPU, &request).unwrap();
        caches.free(CPU, range).unwrap();
        range
    }

    fn popped(
        caches: &Caches<spin::Mutex<()>, LockedSpace<spin::Mutex<()>>>,
        request: &Request,
    ) -> Option<IovaRange> {
        let class = caches.class_for(request)?;
        caches.pop(CPU, class, request.first_limit()).map(|first| caches.range(class, first))
    }

    #[test]
    fn without_a_magazine_nothing_is_quick() {
        let caches = caches();
        let range = caches.allocate(CPU, &Request::new(1)).unwrap();
        assert!(!caches.push(CPU, range));
        assert_eq!(popped(&caches, &Request::new(1)), None);
    }

    #[test]
    fn only_what_fits_is_popped() {
        let caches = caches();
        let range = freed(&caches, 4);
        let four = Request::new(3);
        for other in [Request::new(2), Request::new(5), four.align(8), four.align(3), four.not_crossing(2)] {
            assert_eq!(popped(&caches, &other), None);
        }
        for below in [four.limit(range.last() - 1), four.prefer_limit(range.last() - 1)] {
            assert_eq!(popped(&caches, &below), None);
        }
        // A preferred limit above the limit has no effect.
        let just = four.align(4).not_crossing(4).limit(range.last()).prefer_limit(u64::MAX);
        assert_eq!((popped(&caches, &just), popped(&caches, &just)), (Some(range), None));
        assert_eq!(caches.statistics().cached_ranges(), 0);
    }

    #[test]
    fn what_is_wrong_is_not_pushed() {
        let caches = caches();
        let range = freed(&caches, 1);
        assert!(!caches.push(CPU, range), "it was freed last");
        let pages = |first: u64, last| {
            IovaRange::of_pfns(maple_tree::IndexRange::new(first, last).unwrap(), Granule::FOUR_KIB)
        };
        // Outside, of no class, of a class that has no magazine, and of other granules.
        for wrong in [pages(64, 64), pages(1, 2), pages(0, 63), pages(4, 7)] {
            assert!(!caches.push(CPU, wrong));
        }
        let byte = IovaRange::of_pfns(maple_tree::IndexRange::single(0), Granule::BYTE);
        assert!(!caches.push(CPU, byte));
        assert_eq!(caches.statistics().cached_ranges(), 1);
        assert!(caches.push(CPU, pages(9, 9)));
        assert_eq!(caches.push_sized(CPU, 9 * PAGE, 1), None, "it was freed last");
        assert_eq!(caches.push_sized(CPU, 7 * PAGE, 1), Some(pages(7, 7)));
        assert_eq!(caches.statistics().cached_ranges(), 3);
    }
}
