//! What waits on one CPU.

use alloc::collections::VecDeque;
use core::num::NonZeroUsize;

use super::generation::{Generation, Generations};
use crate::backing::BATCH;
use crate::range::IovaRange;

/// A freed range that waits.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) range: IovaRange,
    pub(super) attachment: Option<NonZeroUsize>,
    pub(super) generation: Generation,
}

/// A bounded queue of them. The oldest generation is at the front: they are read under the lock of the ring.
/// Only making one allocates.
pub(super) struct Ring {
    entries: VecDeque<Entry>,
    most: usize,
    granules: u128,
}

impl Ring {
    /// Without entries, or `None` if there is no memory.
    pub(super) fn try_new(most: usize) -> Option<Self> {
        let mut entries = VecDeque::new();
        entries.try_reserve_exact(most).ok()?;
        Some(Self { entries, most, granules: 0 })
    }

    /// Adds an entry; `false` if there is no room.
    pub(super) fn push(&mut self, entry: Entry) -> bool {
        let room = self.entries.len() < self.most;
        if room {
            self.granules += entry.range.granules();
            self.entries.push_back(entry);
        }
        room
    }

    /// Whether the oldest entry was flushed.
    pub(super) fn has_flushed(&self, generations: &Generations) -> bool {
        self.entries.front().is_some_and(|entry| generations.covers(entry.generation))
    }

    fn pop_flushed(&mut self, generations: &Generations) -> Option<Entry> {
        let entry = if self.has_flushed(generations) { self.entries.pop_front() } else { None }?;
        self.granules = self.granules.saturating_sub(entry.range.granules());
        Some(entry)
    }

    /// Takes out the oldest entries that were flushed, at most [`BATCH`].
    pub(super) fn pop_some(&mut self, generations: &Generations) -> [Option<Entry>; BATCH] {
        core::array::from_fn(|_| self.pop_flushed(generations))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many granules its ranges have.
    pub(super) fn granules(&self) -> u128 {
        self.granules
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::granule::Granule;
    use maple_tree::IndexRange;

    fn entry(pfn: u64, generations: &Generations) -> Entry {
        let range = IovaRange::of_pfns(IndexRange::single(pfn), Granule::FOUR_KIB);
        Entry { range, attachment: NonZeroUsize::new(7), generation: generations.now() }
    }

    #[test]
    fn an_entry_takes_40_bytes() {
        assert!(size_of::<Entry>() <= 40);
    }

    #[test]
    fn only_what_was_flushed_comes_out() {
        let generations = Generations::new();
        let mut ring = Ring::try_new(40).unwrap();
        for pfn in 0..30 {
            assert!(ring.push(entry(pfn, &generations)));
        }
        assert!(ring.pop_flushed(&generations).is_none());
        generations.flush(|| ());
        ring.push(entry(30, &generations));
        let pfns = |ring: &mut Ring| {
            let some = ring.pop_some(&generations).into_iter().flatten();
            some.map(|entry| entry.range.first_pfn().get()).collect::<std::vec::Vec<_>>()
        };
        assert!(pfns(&mut ring).into_iter().eq(0..16));
        assert!(pfns(&mut ring).into_iter().eq(16..30));
        assert!(pfns(&mut ring).is_empty());
        assert_eq!((ring.len(), ring.granules()), (1, 1));
    }

    #[test]
    fn it_is_bounded() {
        let generations = Generations::new();
        for most in [0, 1, 5] {
            let mut ring = Ring::try_new(most).unwrap();
            let bytes = ring.bytes();
            assert_eq!((0..).take_while(|pfn| ring.push(entry(*pfn, &generations))).count(), most);
            assert_eq!((ring.len(), ring.bytes()), (most, bytes));
        }
        assert!(Ring::try_new(usize::MAX).is_none());
    }
}
