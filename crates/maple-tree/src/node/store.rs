//! What a branch keeps beside its slots: the gap summary of each, or nothing.

use crate::gap::Summary;

/// Per-slot data of a branch that moves along when slots move.
///
/// What the numbers mean is defined in `gap::summary`; here they are only kept.
pub trait Store: Default {
    /// Whether there is any.
    const TRACKS_GAPS: bool;

    /// The free run at the left edge of the node.
    fn head(&self) -> u64 {
        0
    }

    /// The free run at the right edge of the node.
    fn tail(&self) -> u64 {
        0
    }

    /// For each slot the longest free run from it on.
    fn longest(&self) -> &[u64] {
        &[]
    }

    /// For each slot the order of the largest aligned block in the runs from it on, plus 1; or 0.
    fn order(&self) -> &[u8] {
        &[]
    }

    /// The slots whose order (plus 1) is `least` or more, a bit for each.
    fn order_at_least(&self, _least: u8) -> u32 {
        0
    }

    /// The largest that is kept for any slot.
    fn most(&self) -> Summary {
        Summary::default()
    }

    /// Sets the runs at the edges; whether that changed the head, and whether it changed the tail.
    fn set_edges(&mut self, _head: u64, _tail: u64) -> (bool, bool) {
        (false, false)
    }

    /// What is kept for a slot.
    fn get(&self, _slot: usize) -> Summary {
        Summary::default()
    }

    /// Sets what is kept for a slot; whether that changed it.
    fn set(&mut self, _slot: usize, _summary: Summary) -> bool {
        false
    }

    /// Moves the data of `count` slots from `from` to `to`.
    fn slide(&mut self, _from: usize, _to: usize, _count: usize) {}

    /// Copies the data of `count` slots of another node.
    fn copy_from(&mut self, _to: usize, _other: &Self, _from: usize, _count: usize) {}
}

/// The store of a tree that does not track gaps.
impl Store for () {
    const TRACKS_GAPS: bool = false;
}

/// The gap summary of a branch with `SLOTS` slots. `WORDS` is the number of 8-byte words with a byte for each.
#[derive(Debug)]
#[repr(C)]
pub struct GapStore<const SLOTS: usize, const WORDS: usize> {
    head: u64,
    tail: u64,
    longest: [u64; SLOTS],
    order: [[u8; 8]; WORDS],
}

impl<const SLOTS: usize, const WORDS: usize> Default for GapStore<SLOTS, WORDS> {
    fn default() -> Self {
        Self { head: 0, tail: 0, longest: [0; SLOTS], order: [[0; 8]; WORDS] }
    }
}

impl<const SLOTS: usize, const WORDS: usize> Store for GapStore<SLOTS, WORDS> {
    const TRACKS_GAPS: bool = true;

    #[inline]
    fn head(&self) -> u64 {
        self.head
    }

    #[inline]
    fn tail(&self) -> u64 {
        self.tail
    }

    #[inline]
    fn longest(&self) -> &[u64] {
        &self.longest
    }

    #[inline]
    fn order(&self) -> &[u8] {
        self.order.as_flattened()
    }

    /// Eight slots at a time: orders are at most 65, so a byte with its highest bit set keeps that bit exactly if
    /// what is subtracted from it is no larger than it was. The product gathers the eight bits.
    #[inline]
    fn order_at_least(&self, least: u8) -> u32 {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHEST: u64 = ONES << 7;
        const GATHER: u64 = 0x0102_0408_1020_4080;
        let subtrahend = ONES * u64::from(least);
        let mask = |word: &[u8; 8]| {
            let reached = ((u64::from_le_bytes(*word) | HIGHEST) - subtrahend) & HIGHEST;
            ((reached >> 7).wrapping_mul(GATHER) >> 56) as u32
        };
        self.order.iter().rev().fold(0, |slots, word| slots << 8 | mask(word))
    }

    #[inline]
    fn most(&self) -> Summary {
        let longest = self.longest.iter().fold(0, |most, &longest| most.max(longest));
        let order = self.order.as_flattened().iter().fold(0, |most, &order| most.max(order));
        Summary { longest, order }
    }

    #[inline]
    fn set_edges(&mut self, head: u64, tail: u64) -> (bool, bool) {
        let changed = (self.head != head, self.tail != tail);
        (self.head, self.tail) = (head, tail);
        changed
    }

    #[inline]
    fn get(&self, slot: usize) -> Summary {
        Summary { longest: self.longest[slot], order: self.order.as_flattened()[slot] }
    }

    #[inline]
    fn set(&mut self, slot: usize, summary: Summary) -> bool {
        let changed = self.get(slot) != summary;
        (self.longest[slot], self.order.as_flattened_mut()[slot]) = (summary.longest, summary.order);
        changed
    }

    /// Slots that nothing moves into get zeros: so `most` can go over all of them, which is a loop without
    /// branches.
    fn slide(&mut self, from: usize, to: usize, count: usize) {
        let left = if from < to { from..to } else { to + count..from + count };
        let order = self.order.as_flattened_mut();
        self.longest.copy_within(from..from + count, to);
        self.longest[left.clone()].fill(0);
        order.copy_within(from..from + count, to);
        order[left].fill(0);
    }

    fn copy_from(&mut self, to: usize, other: &Self, from: usize, count: usize) {
        self.longest[to..to + count].copy_from_slice(&other.longest[from..from + count]);
        self.order.as_flattened_mut()[to..to + count].copy_from_slice(&other.order()[from..from + count]);
    }
}
