//! What a branch keeps beside its slots: the gap summary of each, or nothing.

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

    /// For each slot the longest free run that starts in it.
    fn longest(&self) -> &[u64] {
        &[]
    }

    /// For each slot the order of the largest aligned block in the runs that start in it, plus 1; or 0.
    fn order(&self) -> &[u8] {
        &[]
    }

    /// Sets the runs at the edges; whether that changed the head, and whether it changed the tail.
    fn set_edges(&mut self, _head: u64, _tail: u64) -> (bool, bool) {
        (false, false)
    }

    /// Sets what is kept for a slot; whether that changed it.
    fn set(&mut self, _slot: usize, _longest: u64, _order: u8) -> bool {
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

/// The gap summary of a branch with `SLOTS` slots.
#[derive(Debug)]
#[repr(C)]
pub struct GapStore<const SLOTS: usize> {
    head: u64,
    tail: u64,
    longest: [u64; SLOTS],
    order: [u8; SLOTS],
}

impl<const SLOTS: usize> Default for GapStore<SLOTS> {
    fn default() -> Self {
        Self { head: 0, tail: 0, longest: [0; SLOTS], order: [0; SLOTS] }
    }
}

impl<const SLOTS: usize> Store for GapStore<SLOTS> {
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
        &self.order
    }

    #[inline]
    fn set_edges(&mut self, head: u64, tail: u64) -> (bool, bool) {
        let changed = (self.head != head, self.tail != tail);
        (self.head, self.tail) = (head, tail);
        changed
    }

    #[inline]
    fn set(&mut self, slot: usize, longest: u64, order: u8) -> bool {
        let changed = self.longest[slot] != longest || self.order[slot] != order;
        (self.longest[slot], self.order[slot]) = (longest, order);
        changed
    }

    fn slide(&mut self, from: usize, to: usize, count: usize) {
        self.longest.copy_within(from..from + count, to);
        self.order.copy_within(from..from + count, to);
    }

    fn copy_from(&mut self, to: usize, other: &Self, from: usize, count: usize) {
        self.longest[to..to + count].copy_from_slice(&other.longest[from..from + count]);
        self.order[to..to + count].copy_from_slice(&other.order[from..from + count]);
    }
}
