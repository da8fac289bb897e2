//! How ranges and magazines move between a CPU, the depots and the spares.
//!
//! Locks are taken in this order: CPU, depot, spares.

use lock_api::RawMutex;

use super::Caches;
use super::depot::Depot;
use super::magazine::Magazine;
use super::per_cpu::{Pair, Shelf};
use crate::backing::{Backing, Batch};
use crate::cpu::Cpu;

/// What became of a freed range.
pub(super) enum Put {
    Done,
    /// It was the one that was freed last.
    Twice,
    /// There is no magazine for it.
    NoMagazine,
}

impl<R: RawMutex, B: Backing> Caches<R, B> {
    /// Takes a cached range that begins at or below `highest`: from this CPU, or from the depot.
    pub(super) fn take(&self, cpu: Cpu, class: usize, highest: u64) -> Option<u64> {
        let slot = cpu.of(&self.slots)?;
        let mut displaced = None;
        let found = {
            let mut slot = slot.lock();
            if let Some(first) = slot.pair(class).and_then(|pair| pair.take(highest)) {
                return Some(first);
            }
            let mut depot = self.depots.get(class)?.lock();
            if slot.shelf.is_none() && depot.count() > 0 {
                // If there is none, there will be one the next time.
                slot.shelf = self.spares.lock().take_shelf();
            }
            let found = slot
                .pair(class)
                .and_then(|pair| self.take_from_depot(pair, &mut depot, highest, &mut displaced));
            depot.hits += u64::from(found.is_some());
            found
        };
        // If there are enough empty ones, its memory is given back: with no lock held.
        drop(displaced);
        found
    }

    /// Counts a request that found nothing at first; where it is served from later is another matter.
    pub(super) fn missed(&self, class: usize) {
        if let Some(depot) = self.depots.get(class) {
            depot.lock().misses += 1;
        }
    }

    /// Takes a range by means of the depot: a whole magazine if there is room, else one range in exchange for
    /// another.
    fn take_from_depot(
        &self,
        pair: &mut Pair,
        depot: &mut Depot,
        highest: u64,
        displaced: &mut Option<Magazine>,
    ) -> Option<u64> {
        if pair.has_room_for_magazine() {
            let empty = depot.take().and_then(|full| pair.add_full(full));
            *displaced = empty.and_then(|empty| self.spares.lock().put_magazine(empty));
            if let Some(first) = pair.take(highest) {
                // It is counted as one of the depot.
                pair.hits -= 1;
                return Some(first);
            }
        }
        let replacement = pair.take_any()?;
        let found = depot.exchange(highest, replacement);
        if found.is_none() {
            pair.put(replacement);
        }
        found
    }

    /// Puts a freed range into a magazine. What has to make room for it goes to `evicted`.
    pub(super) fn put(&self, cpu: Cpu, class: usize, first: u64, evicted: &mut Option<Batch>) -> Put {
        let Some(slot) = cpu.of(&self.slots) else { return Put::NoMagazine };
        let mut slot = slot.lock();
        if slot.shelf.is_none() {
            slot.shelf = self.spares.lock().take_shelf();
        }
        let Some(pair) = slot.pair(class) else { return Put::NoMagazine };
        if pair.ends_with(first) {
            return Put::Twice;
        }
        if pair.put(first) {
            return Put::Done;
        }
        self.add_magazine(pair, class);
        if pair.put(first) {
            return Put::Done;
        }
        let evicted = evicted.insert(Batch::new(self.classes.granule()));
        pair.evict(|first| {
            let pushed = evicted.push(self.classes.range(class, first));
            debug_assert!(pushed, "no more than a batch is evicted");
        });
        if pair.put(first) { Put::Done } else { Put::NoMagazine }
    }

    /// Gives a pair an empty magazine, if it lacks one or can hand in a full one to the depot.
    fn add_magazine(&self, pair: &mut Pair, class: usize) {
        let Some(depot) = self.depots.get(class) else { return };
        let mut depot = depot.lock();
        if !pair.lacks_magazine() && !depot.has_room() {
            return;
        }
        let empty = self.spares.lock().take_magazine();
        if let Some(full) = empty.and_then(|empty| pair.add_empty(empty)) {
            let rejected = depot.put(full);
            debug_assert!(rejected.is_none(), "there is room");
        }
    }

    /// Makes the memory that frees have wished for, a little of it.
    pub(super) fn grant_wishes(&self) {
        let order = self.spares.lock().order();
        let magazine = if order.magazine { Magazine::try_new() } else { None };
        let shelf = if order.shelf { Shelf::try_new(self.classes.count()) } else { None };
        if order.magazine || order.shelf {
            self.spares.lock().deliver(order, magazine, shelf);
        }
    }
}
