//! Who has what: the exact check of frees.

use alloc::boxed::Box;
use alloc::vec::Vec;

use lock_api::RawMutex;
use maple_tree::IndexRange;

use super::table::{SHARD_BITS, Slot, Table, empty_slots, hash};
use crate::cache::{OutOfMemory, try_boxed};
use crate::granule::Granule;
use crate::pad::Padded;
use crate::range::IovaRange;
use crate::sync::Mutex;

const SHARDS: usize = 1 << SHARD_BITS;

/// How many slots of an old table one insertion empties or passes.
const MOVES: usize = 8;

/// The set of all live ranges. A free that is not in it is wrong, wherever the range is.
///
/// The tree below cannot tell: what is cached or queued is allocated there. The set has shards with a lock
/// each, so that it is not one lock for all CPUs, and is made larger only by allocations. It is never made
/// smaller.
pub(super) struct Ledger<R: RawMutex> {
    shards: Box<[Padded<Mutex<R, Shard>>]>,
}

impl<R: RawMutex> Ledger<R> {
    fn new() -> Result<Self, OutOfMemory> {
        Ok(Self { shards: try_boxed(SHARDS, || Padded::new(Mutex::new(Shard::default())))? })
    }

    /// The set of these, which are disjoint.
    pub(super) fn of(ranges: impl Iterator<Item = IovaRange>) -> Result<Self, OutOfMemory> {
        let ledger = Self::new()?;
        ranges.into_iter().try_for_each(|range| ledger.insert(range))?;
        Ok(ledger)
    }

    /// Notes that a range is live.
    pub(super) fn insert(&self, range: IovaRange) -> Result<(), OutOfMemory> {
        let Some(shard) = self.shard(range.first()) else { return Err(OutOfMemory) };
        // A table's memory is had, and given back, without the lock.
        let mut spare = Vec::new();
        let mut result = shard.lock().insert(range.first(), range.last(), &mut spare);
        if let Insert::Wants(count) = result {
            // The memory of a table is had, and given back, without the lock. If there is none, what is left
            // will do.
            spare = empty_slots(count);
            result = shard.lock().insert_anyway(range.first(), range.last(), &mut spare);
        }
        if result == Insert::Done { Ok(()) } else { Err(OutOfMemory) }
    }

    /// Notes that a range is not live any more; `false` if exactly this one was not. Allocates nothing.
    pub(super) fn remove(&self, range: IovaRange) -> bool {
        self.shard(range.first()).is_some_and(|shard| shard.lock().remove(range.first(), range.last()))
    }

    /// Whether exactly this range is live.
    pub(super) fn contains(&self, range: IovaRange) -> bool {
        self.shard(range.first()).is_some_and(|shard| shard.lock().contains(range.first(), range.last()))
    }

    /// All live ranges, in no order.
    pub(super) fn for_each(&self, granule: Granule, mut visit: impl FnMut(IovaRange)) {
        let pfn = |iova| granule.pfn_of(iova).get();
        let pfns = |slot: &Slot| IndexRange::new(pfn(slot.first), pfn(slot.last));
        for shard in &self.shards {
            let shard = shard.lock();
            [&shard.table, &shard.old]
                .into_iter()
                .flat_map(|table| &table.slots)
                .filter(|slot| !slot.is_empty())
                .filter_map(pfns)
                .for_each(|pfns| visit(IovaRange::of_pfns(pfns, granule)));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let slots = |shard: &Shard| shard.table.slots.capacity() + shard.old.slots.capacity();
        let tables = self.shards.iter().map(|shard| slots(&shard.lock()) * size_of::<Slot>());
        size_of_val(&*self.shards) + tables.sum::<usize>()
    }

    fn shard(&self, first: u64) -> Option<&Padded<Mutex<R, Shard>>> {
        self.shards.get((hash(first) >> (64 - SHARD_BITS)) as usize)
    }
}

/// What became of a range that was to be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Insert {
    Done,
    /// There is no memory, or it is there already.
    Refused,
    /// There should be so many slots first.
    Wants(usize),
}

/// A table that grows a little at a time, so that its lock is never held for as long as all of it takes: what
/// is in the old table moves over with later insertions.
#[derive(Default)]
struct Shard {
    table: Table,
    old: Table,
    /// No slot of the old table in front of this one has a range.
    moved: usize,
}

impl Shard {
    fn insert(&mut self, first: u64, last: u64, spare: &mut Vec<Slot>) -> Insert {
        if self.wants_more() {
            Insert::Wants(self.next_count())
        } else {
            self.insert_anyway(first, last, spare)
        }
    }

    /// Uses `spare` if it is larger, and leaves there what is not needed any more.
    fn insert_anyway(&mut self, first: u64, last: u64, spare: &mut Vec<Slot>) -> Insert {
        // Others may have done so meanwhile.
        if self.wants_more() && spare.len() == self.next_count() {
            let slots = core::mem::take(spare);
            self.old = core::mem::replace(&mut self.table, Table { slots, len: 0 });
            self.moved = 0;
        }
        self.move_some(spare);
        // No more than the new table has room for when all have moved.
        let room = self.table.len + self.old.len + 1 < self.table.slots.len();
        let there = self.old.slot_of(first).is_some();
        if room && !there && self.table.insert(first, last) { Insert::Done } else { Insert::Refused }
    }

    fn contains(&self, first: u64, last: u64) -> bool {
        self.table.contains(first, last) || self.old.contains(first, last)
    }

    fn remove(&mut self, first: u64, last: u64) -> bool {
        self.table.remove(first, last) || self.old.remove(first, last)
    }

    /// Whether three quarters are full. While ranges still move, that is not so: they are done before.
    fn wants_more(&self) -> bool {
        self.old.slots.is_empty() && self.table.len >= self.table.slots.len() / 4 * 3
    }

    fn next_count(&self) -> usize {
        (self.table.slots.len() * 2).max(16)
    }

    /// Moves a few ranges out of the old table, or passes a few empty slots there. What moves up there into a
    /// hole was behind it, so nothing gets in front of what was passed.
    fn move_some(&mut self, spare: &mut Vec<Slot>) {
        for _ in 0..MOVES {
            match self.old.slots.get(self.moved).copied() {
                None => break,
                Some(slot) if slot.is_empty() => self.moved += 1,
                Some(slot) => {
                    self.old.remove(slot.first, slot.last);
                    self.table.insert(slot.first, slot.last);
                }
            }
        }
        if self.old.len == 0 && !self.old.slots.is_empty() {
            *spare = core::mem::take(&mut self.old.slots);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn insert(shard: &mut Shard, first: u64, last: u64) -> bool {
        let mut spare = Vec::new();
        let mut result = shard.insert(first, last, &mut spare);
        if let Insert::Wants(count) = result {
            spare = empty_slots(count);
            result = shard.insert_anyway(first, last, &mut spare);
        }
        result == Insert::Done
    }

    #[test]
    fn regular_distances_are_spread() {
        const COUNT: u64 = 1 << 14;
        for step in 0..=47 {
            let ledger = Ledger::<spin::Mutex<()>>::new().unwrap();
            let ranges = (0..COUNT).map(|number| number << step);
            for first in ranges {
                let shard = ledger.shard(first).unwrap();
                assert!(insert(&mut shard.lock(), first, first));
            }
            for shard in &ledger.shards {
                let shard = shard.lock();
                let share = (shard.table.len + shard.old.len) as u64 * SHARDS as u64;
                assert!((COUNT / 2..COUNT * 2).contains(&share), "2^{step}: {share} of {COUNT}");
                let table = &shard.table;
                let far = |(place, slot): (usize, &Slot)| table.distance(table.home_of(slot.first), place);
                let live = table.slots.iter().enumerate().filter(|(_, slot)| !slot.is_empty());
                let farthest = live.map(far).max();
                assert!(farthest <= Some(64), "2^{step}: {farthest:?} from its home");
            }
        }
    }

    #[test]
    fn no_insertion_moves_many() {
        let mut shard = Shard::default();
        for first in 0..100_000 {
            let before = shard.old.len;
            assert!(insert(&mut shard, first, first));
            assert!(before.saturating_sub(shard.old.len) <= MOVES);
            // All have moved before it has to grow again.
            assert!(shard.old.slots.is_empty() || shard.table.len < shard.table.slots.len() / 4 * 3);
        }
        assert!((0..100_000).all(|first| shard.contains(first, first)));
    }

    #[test]
    fn without_memory_the_last_room_is_used() {
        let mut shard = Shard::default();
        assert_eq!(shard.insert_anyway(0, 0, &mut Vec::new()), Insert::Refused);
        let fits = |shard: &mut Shard, firsts: core::ops::Range<u64>| {
            let mut insert = |first| shard.insert_anyway(first, first, &mut Vec::new()) == Insert::Done;
            firsts.map(&mut insert).filter(|done| *done).count()
        };
        assert!(insert(&mut shard, 0, 0));
        assert_eq!(fits(&mut shard, 1..100), 14);
        // It grows when there is memory again.
        assert!(insert(&mut shard, 100, 100) && shard.contains(100, 100) && shard.contains(0, 0));
        assert_eq!(fits(&mut shard, 200..300), 15);
    }

    #[test]
    fn a_table_is_a_map() {
        let mut rng = fastrand::Rng::with_seed(1);
        for keys in [5, 50, 3000] {
            let (mut table, mut model) = (Shard::default(), HashMap::new());
            for _ in 0..30_000 {
                let first = rng.u64(0..keys) << 12;
                let last = first + rng.u64(0..2);
                if rng.bool() {
                    let fresh = !model.contains_key(&first);
                    assert_eq!(insert(&mut table, first, last), fresh);
                    model.entry(first).or_insert(last);
                } else {
                    let there = model.get(&first) == Some(&last);
                    assert_eq!(table.remove(first, last), there);
                    if there {
                        model.remove(&first);
                    }
                }
                assert_eq!(table.table.len + table.old.len, model.len());
            }
            let slots = || table.table.slots.iter().chain(&table.old.slots);
            assert_eq!(slots().filter(|slot| !slot.is_empty()).count(), model.len());
            for (first, last) in model {
                assert!(table.remove(first, last));
            }
        }
    }

    #[test]
    fn the_edges_of_the_space() {
        let mut table = Shard::default();
        assert!(!table.remove(0, 0));
        for (first, last) in [(0, u64::MAX), (1, 1), (u64::MAX, u64::MAX)] {
            assert!(insert(&mut table, first, last) && !insert(&mut table, first, last));
            assert!(
                !table.remove(first, last - 1) && table.remove(first, last) && !table.remove(first, last)
            );
        }
    }
}
