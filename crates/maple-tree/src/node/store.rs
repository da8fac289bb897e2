//! What a branch keeps beside its slots: the gap summary of each, or nothing.

use crate::gap::{Known, NaturalSize, Summary};

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

    /// For each slot the largest natural size of the free runs from it on.
    fn natural(&self) -> &[NaturalSize] {
        &[]
    }

    /// The largest numbers that are kept for any slot, of which something is known.
    fn most(&self, _known: Known) -> Summary {
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

/// The gap summary of a branch with `SLOTS` slots.
#[derive(Debug)]
#[repr(C)]
pub struct GapStore<const SLOTS: usize> {
    head: u64,
    tail: u64,
    longest: [u64; SLOTS],
    natural: [NaturalSize; SLOTS],
}

impl<const SLOTS: usize> Default for GapStore<SLOTS> {
    fn default() -> Self {
        Self { head: 0, tail: 0, longest: [0; SLOTS], natural: [NaturalSize::default(); SLOTS] }
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
    fn natural(&self) -> &[NaturalSize] {
        &self.natural
    }

    #[inline]
    fn most(&self, known: Known) -> Summary {
        let Summary { mut longest, mut natural } = known.least;
        if longest < known.most.longest {
            longest = largest(longest, &self.longest);
        }
        if natural < known.most.natural {
            natural = self.natural.iter().fold(natural, |most, &natural| most.max(natural));
        }
        Summary { longest, natural }
    }

    #[inline]
    fn set_edges(&mut self, head: u64, tail: u64) -> (bool, bool) {
        let changed = (self.head != head, self.tail != tail);
        (self.head, self.tail) = (head, tail);
        changed
    }

    #[inline]
    fn get(&self, slot: usize) -> Summary {
        Summary { longest: self.longest[slot], natural: self.natural[slot] }
    }

    #[inline]
    fn set(&mut self, slot: usize, summary: Summary) -> bool {
        let changed = self.get(slot) != summary;
        (self.longest[slot], self.natural[slot]) = (summary.longest, summary.natural);
        changed
    }

    /// Slots that nothing moves into get zeros: so `most` can go over all of them, which is a loop without
    /// branches.
    fn slide(&mut self, from: usize, to: usize, count: usize) {
        let left = if from < to { from..to } else { to + count..from + count };
        self.longest.copy_within(from..from + count, to);
        self.longest[left.clone()].fill(0);
        self.natural.copy_within(from..from + count, to);
        self.natural[left].fill(NaturalSize::default());
    }

    fn copy_from(&mut self, to: usize, other: &Self, from: usize, count: usize) {
        self.longest[to..to + count].copy_from_slice(&other.longest[from..from + count]);
        self.natural[to..to + count].copy_from_slice(&other.natural[from..from + count]);
    }
}

/// The largest of these numbers, which are compared four at a time: one chain of comparisons would be one wait after the
/// other.
#[inline]
fn largest(first: u64, numbers: &[u64]) -> u64 {
    let mut most = [first; 4];
    for four in numbers.chunks(4) {
        for (most, &number) in most.iter_mut().zip(four) {
            *most = number.max(*most);
        }
    }
    most[0].max(most[1]).max(most[2].max(most[3]))
}
