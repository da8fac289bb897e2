//! Who has what: the exact check of frees.

use alloc::boxed::Box;
use alloc::vec::Vec;

use lock_api::RawMutex;
use maple_tree::IndexRange;

use crate::cache::{OutOfMemory, try_boxed};
use crate::granule::Granule;
use crate::pad::Padded;
use crate::range::IovaRange;
use crate::sync::Mutex;

const SHARDS: usize = 16;

/// The set of all live ranges. A free that is not in it is wrong, wherever the range is.
///
/// The tree below cannot tell: what is cached or queued is allocated there. The set has shards with a lock
/// each, so that it is not one lock for all CPUs, and is made larger only by allocations.
pub(super) struct Ledger<R: RawMutex> {
    shards: Box<[Padded<Mutex<R, Table>>]>,
}

impl<R: RawMutex> Ledger<R> {
    fn new() -> Result<Self, OutOfMemory> {
        Ok(Self { shards: try_boxed(SHARDS, || Padded::new(Mutex::new(Table::default())))? })
    }

    /// The set of these, which are disjoint.
    pub(super) fn of(ranges: impl Iterator<Item = IovaRange>) -> Result<Self, OutOfMemory> {
        let ledger = Self::new()?;
        ranges.into_iter().try_for_each(|range| ledger.insert(range))?;
        Ok(ledger)
    }

    /// Notes that a range is live.
    pub(super) fn insert(&self, range: IovaRange) -> Result<(), OutOfMemory> {
        let hash = hash(range.first());
        match self.shard(hash) {
            Some(shard) if shard.lock().insert(range.first(), range.last()) => Ok(()),
            _ => Err(OutOfMemory),
        }
    }

    /// Notes that a range is not live any more; `false` if exactly this one was not. Allocates nothing.
    pub(super) fn remove(&self, range: IovaRange) -> bool {
        let hash = hash(range.first());
        self.shard(hash).is_some_and(|shard| shard.lock().remove(range.first(), range.last()))
    }

    /// Whether exactly this range is live.
    pub(super) fn contains(&self, range: IovaRange) -> bool {
        let hash = hash(range.first());
        self.shard(hash).is_some_and(|shard| shard.lock().contains(range.first(), range.last()))
    }

    /// All live ranges, in no order.
    pub(super) fn for_each(&self, granule: Granule, mut visit: impl FnMut(IovaRange)) {
        let pfn = |iova| granule.pfn_of(iova).get();
        let pfns = |slot: &Slot| IndexRange::new(pfn(slot.first), pfn(slot.last));
        for shard in &self.shards {
            shard
                .lock()
                .slots
                .iter()
                .filter(|slot| !slot.is_empty())
                .filter_map(pfns)
                .for_each(|pfns| visit(IovaRange::of_pfns(pfns, granule)));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let table = |shard: &Padded<Mutex<R, Table>>| shard.lock().slots.capacity() * size_of::<Slot>();
        size_of_val(&*self.shards) + self.shards.iter().map(table).sum::<usize>()
    }

    /// Tables look at the high bits, shards at the low ones.
    fn shard(&self, hash: u64) -> Option<&Padded<Mutex<R, Table>>> {
        self.shards.get(hash as usize % SHARDS)
    }
}

/// Multiplication by an odd number near 2^64 / golden ratio spreads regular distances over the high bits;
/// folding them brings these to the low ones.
fn hash(first: u64) -> u64 {
    let product = first.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// A place for a range; empty if it ends before it begins.
#[derive(Clone, Copy)]
struct Slot {
    first: u64,
    last: u64,
}

impl Slot {
    const EMPTY: Self = Self { first: 1, last: 0 };

    const fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// A hash table with linear probing. What is removed leaves no trace: those behind it move up.
#[derive(Default)]
struct Table {
    /// A power of two of them, or none.
    slots: Vec<Slot>,
    len: usize,
}

impl Table {
    /// `false` if there is no memory, or it is there already.
    fn insert(&mut self, first: u64, last: u64) -> bool {
        if self.len >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        // One place at least stays empty, for probing to end.
        if self.len + 1 >= self.slots.len() {
            return false;
        }
        let place = self.place_of(first);
        let Some(slot) = self.slots.get_mut(place).filter(|slot| slot.is_empty()) else { return false };
        *slot = Slot { first, last };
        self.len += 1;
        true
    }

    fn contains(&self, first: u64, last: u64) -> bool {
        let found = self.slots.get(self.place_of(first));
        found.is_some_and(|slot| !slot.is_empty() && slot.last == last)
    }

    fn remove(&mut self, first: u64, last: u64) -> bool {
        if !self.contains(first, last) {
            return false;
        }
        let mut hole = self.place_of(first);
        let mut place = hole;
        loop {
            place = self.after(place);
            let Some(slot) = self.slots.get(place).copied().filter(|slot| !slot.is_empty()) else { break };
            // It may move up unless it would get in front of its home.
            if self.distance(self.home_of(slot.first), place) >= self.distance(hole, place) {
                self.set(hole, slot);
                hole = place;
            }
        }
        self.set(hole, Slot::EMPTY);
        self.len -= 1;
        true
    }

    /// Where a range that begins here is, or where it may be put.
    fn place_of(&self, first: u64) -> usize {
        let mut place = self.home_of(first);
        while self.slots.get(place).is_some_and(|slot| !slot.is_empty() && slot.first != first) {
            place = self.after(place);
        }
        place
    }

    fn home_of(&self, first: u64) -> usize {
        (hash(first) >> 32) as usize & self.mask()
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & self.mask()
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    fn mask(&self) -> usize {
        self.slots.len().saturating_sub(1)
    }

    fn set(&mut self, place: usize, value: Slot) {
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = value;
        }
    }

    /// Twice as large, if there is memory.
    fn grow(&mut self) {
        let count = (self.slots.len() * 2).max(16);
        let mut slots = Vec::new();
        if slots.try_reserve_exact(count).is_err() {
            return;
        }
        slots.resize(count, Slot::EMPTY);
        let old = core::mem::replace(&mut self.slots, slots);
        for slot in old.into_iter().filter(|slot| !slot.is_empty()) {
            let place = self.place_of(slot.first);
            self.set(place, slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_table_is_a_map() {
        let mut rng = fastrand::Rng::with_seed(1);
        for keys in [5, 50, 3000] {
            let (mut table, mut model) = (Table::default(), HashMap::new());
            for _ in 0..30_000 {
                let first = rng.u64(0..keys) << 12;
                let last = first + rng.u64(0..2);
                if rng.bool() {
                    let fresh = !model.contains_key(&first);
                    assert_eq!(table.insert(first, last), fresh);
                    model.entry(first).or_insert(last);
                } else {
                    let there = model.get(&first) == Some(&last);
                    assert_eq!(table.remove(first, last), there);
                    if there {
                        model.remove(&first);
                    }
                }
                assert_eq!(table.len, model.len());
            }
            assert_eq!(table.slots.iter().filter(|slot| !slot.is_empty()).count(), model.len());
            for (first, last) in model {
                assert!(table.remove(first, last));
            }
        }
    }

    #[test]
    fn the_edges_of_the_space() {
        let mut table = Table::default();
        assert!(!table.remove(0, 0));
        for (first, last) in [(0, u64::MAX), (1, 1), (u64::MAX, u64::MAX)] {
            assert!(table.insert(first, last) && !table.insert(first, last));
            assert!(
                !table.remove(first, last - 1) && table.remove(first, last) && !table.remove(first, last)
            );
        }
    }
}
