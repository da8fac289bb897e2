//! Where each granule is.

use std::collections::BTreeMap;

use iova::{IovaRange, RangeKind, RangeState, Request};

use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Free,
    Reserved,
    /// Allocated in the tree, and nobody has said yet where it is.
    Allocated,
    Live,
    Cached,
    Queued,
}

impl World {
    /// Every granule is in exactly one place, and all layers say the same.
    pub(crate) fn check(&self) {
        let domain = self.domain();
        let mut map = Map { places: vec![Place::Free; self.granules], counts: BTreeMap::new() };
        {
            let space = domain.space().lock();
            space.allocations().for_each(|range| map.set(range, Place::Free, Place::Allocated));
            space.reserved_regions().for_each(|range| map.set(range, Place::Free, Place::Reserved));
            space.validate().unwrap();
            assert_eq!(space.find(5 * 4096).unwrap().1, RangeKind::Reserved);
        }
        for range in self.live.borrow().values() {
            map.set(*range, Place::Allocated, Place::Live);
        }
        domain.caches().for_each_cached(|range| map.set(range, Place::Allocated, Place::Cached));
        domain.queue().unwrap().for_each_queued(|range| map.set(range, Place::Allocated, Place::Queued));
        let lost = map.places.iter().position(|place| *place == Place::Allocated);
        assert_eq!(lost, None, "a granule is allocated but nowhere");

        domain.validate().unwrap();
        let statistics = domain.statistics();
        assert_eq!(statistics.live_ranges(), self.live.borrow().len() as u64);
        let (ranges, granules) = map.counted(Place::Cached);
        assert_eq!(statistics.caches.cached_ranges(), ranges);
        assert_eq!(statistics.caches.cached_granules(), granules);
        let (ranges, granules) = map.counted(Place::Queued);
        assert_eq!((statistics.queue.queued_ranges, statistics.queue.queued_granules), (ranges, granules));
        for class in statistics.caches.classes() {
            assert!(class.depot_magazines <= self.max_depot);
        }
        assert!(statistics.caches.magazines <= self.max_magazines);
        assert_eq!(statistics.caches.magazine_bytes, statistics.caches.magazines * 1024);
        if self.exact {
            let mut live = BTreeMap::new();
            domain.for_each(|range, state| {
                if state == RangeState::Live {
                    assert_eq!(live.insert(range.first(), range), None);
                }
            });
            assert_eq!(live, *self.live.borrow());
        }
    }

    /// A request was refused: then nothing that could help is kept back, and the tree has no room for it.
    pub(crate) fn must_be_out_of_space(&self, request: &Request) {
        let domain = self.domain();
        let limit = request.limit_iova();
        domain.caches().for_each_cached(|range| assert!(range.first() > limit, "{range} is cached"));
        domain.queue().unwrap().for_each_queued(|range| assert!(range.first() > limit, "{range} is queued"));
        assert!(domain.space().allocate(request).is_err());
    }
}

struct Map {
    places: Vec<Place>,
    counts: BTreeMap<u8, (u64, u128)>,
}

impl Map {
    fn set(&mut self, range: IovaRange, from: Place, to: Place) {
        let (first, last) = (range.first_pfn().get() as usize, range.last_pfn().get() as usize);
        for place in &mut self.places[first..=last] {
            assert_eq!(*place, from, "{range} would be {to:?}");
            *place = to;
        }
        let (ranges, granules) = self.counts.entry(to as u8).or_default();
        *ranges += 1;
        *granules += range.granules();
    }

    fn counted(&self, place: Place) -> (u64, u128) {
        self.counts.get(&(place as u8)).copied().unwrap_or_default()
    }
}
