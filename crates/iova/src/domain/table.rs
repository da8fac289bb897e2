//! A hash table of ranges, by their first iova.

use alloc::vec::Vec;

/// How many of the highest bits of a hash choose the shard. Tables look at those below.
pub(super) const SHARD_BITS: u32 = 4;

/// Folding brings the high bits of multiples of a large power of two to the low ones; multiplication by an odd
/// number near 2^64 / golden ratio spreads regular distances over the high bits. The highest ones choose the
/// shard, those below them the home in its table.
pub(super) fn hash(first: u64) -> u64 {
    (first ^ (first >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// So many empty slots, or none if there is no memory.
pub(super) fn empty_slots(count: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    if slots.try_reserve_exact(count).is_ok() {
        slots.resize(count, Slot::EMPTY);
    }
    slots
}

/// A place for a range; empty if it ends before it begins.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Slot {
    const EMPTY: Self = Self { first: 1, last: 0 };

    pub(super) const fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// A hash table with linear probing. What is removed leaves no trace: those behind it move up.
#[derive(Default)]
pub(super) struct Table {
    /// A power of two of them, or none.
    pub(super) slots: Vec<Slot>,
    pub(super) len: usize,
}

impl Table {
    /// `false` if there is no room, or it is there already.
    pub(super) fn insert(&mut self, first: u64, last: u64) -> bool {
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

    /// The range that begins here.
    pub(super) fn slot_of(&self, first: u64) -> Option<&Slot> {
        self.slots.get(self.place_of(first)).filter(|slot| !slot.is_empty())
    }

    pub(super) fn contains(&self, first: u64, last: u64) -> bool {
        self.slot_of(first).is_some_and(|slot| slot.last == last)
    }

    pub(super) fn remove(&mut self, first: u64, last: u64) -> bool {
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

    pub(super) fn home_of(&self, first: u64) -> usize {
        // Of no slots any will do.
        let shift = 64_u32.saturating_sub(self.slots.len().trailing_zeros());
        (hash(first) << SHARD_BITS).checked_shr(shift).unwrap_or(0) as usize
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & self.mask()
    }

    pub(super) fn distance(&self, from: usize, to: usize) -> usize {
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
}
