//! The depot: full magazines of one class on their way from CPUs that free to CPUs that allocate.

use super::magazine::{CAPACITY, Magazine};
use super::stack::Stack;

/// How many magazines a request with a limit looks at, at most, since it does so with locks held. What lies below them is
/// found by flushing, if there is no other space.
const LOOKED_AT: usize = 16;

/// The full magazines of one class, at most so many.
///
/// The lowest range of each comes first, so that one look tells whether a request with a limit finds something
/// in it.
pub(super) struct Depot {
    full: Stack,
    most: usize,
    /// The fewest that there were since the last trim: so many were not needed.
    idle: usize,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

impl Depot {
    pub(super) const fn new(most: usize) -> Self {
        Self { full: Stack::new(CAPACITY), most, idle: 0, hits: 0, misses: 0 }
    }

    pub(super) const fn has_room(&self) -> bool {
        self.full.count() < self.most
    }

    pub(super) const fn count(&self) -> usize {
        self.full.count()
    }

    /// Adds a full magazine; gives it back if there is no room.
    pub(super) fn put(&mut self, mut magazine: Magazine) -> Option<Magazine> {
        if !self.has_room() {
            return Some(magazine);
        }
        let [body] = &mut *magazine.body;
        lowest_first(&mut body.firsts);
        self.full.push(magazine);
        None
    }

    /// Takes a full magazine: the one that was added last.
    pub(super) fn take(&mut self) -> Option<Magazine> {
        let magazine = self.full.pop();
        self.idle = self.idle.min(self.full.count());
        magazine
    }

    /// Takes a magazine that has a range that begins at or below `highest`.
    pub(super) fn take_below(&mut self, highest: u64) -> Option<Magazine> {
        let has = |firsts: &[u64]| firsts.first().is_some_and(|lowest| *lowest <= highest);
        let magazine = self.full.take_if(has);
        self.idle = self.idle.min(self.full.count());
        magazine
    }

    /// Takes a range that begins at or below `highest`, and leaves `replacement` instead, so that all magazines
    /// stay full.
    pub(super) fn exchange(&mut self, highest: u64, replacement: u64) -> Option<u64> {
        self.full.find(LOOKED_AT, |firsts| {
            let lowest = firsts.first_mut().filter(|lowest| **lowest <= highest)?;
            let taken = core::mem::replace(lowest, replacement);
            lowest_first(firsts);
            Some(taken)
        })
    }

    /// Begins a new interval; returns how many magazines were not needed during the one before.
    pub(super) fn begin_interval(&mut self) -> usize {
        core::mem::replace(&mut self.idle, self.full.count())
    }

    /// All first pfns in it, in no order.
    pub(super) fn for_each(&mut self, mut visit: impl FnMut(u64)) {
        self.full.find(usize::MAX, |firsts| {
            firsts.iter().copied().for_each(&mut visit);
            None::<()>
        });
    }
}

fn lowest_first(firsts: &mut [u64]) {
    let lowest = firsts.iter().enumerate().min_by_key(|(_, first)| **first);
    if let Some((place, _)) = lowest {
        firsts.swap(0, place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(firsts: impl Iterator<Item = u64>) -> Magazine {
        let mut magazine = Magazine::try_new().unwrap();
        firsts.for_each(|first| assert!(magazine.push(first)));
        assert!(magazine.is_full());
        magazine
    }

    #[test]
    fn it_is_bounded() {
        let mut depot = Depot::new(2);
        assert!(depot.put(full(0..127)).is_none());
        assert!(depot.put(full(127..254)).is_none());
        assert!(!depot.has_room());
        assert_eq!(depot.put(full(254..381)).unwrap().pop(), Some(380));
        assert_eq!(depot.take().unwrap().firsts().first(), Some(&127));
        assert!(depot.has_room());
        assert!(Depot::new(0).put(full(0..127)).is_some());
    }

    #[test]
    fn a_low_range_is_found_in_any_magazine() {
        let mut depot = Depot::new(3);
        depot.put(full((1000..1127).rev()));
        depot.put(full(2000..2127));
        depot.put(full(3000..3127));
        assert_eq!(depot.exchange(999, 5000), None);
        assert_eq!(depot.exchange(1001, 5000), Some(1000));
        assert_eq!(depot.exchange(1001, 5001), Some(1001));
        assert_eq!(depot.exchange(1001, 5002), None);
        let mut held = std::vec::Vec::new();
        depot.for_each(|first| held.push(first));
        held.sort_unstable();
        let expected = (1002..1127).chain(2000..2127).chain(3000..3127).chain([5000, 5001]);
        assert!(held.into_iter().eq(expected));
        assert_eq!(depot.count(), 3);
    }

    #[test]
    fn only_so_many_magazines_are_looked_at() {
        let mut depot = Depot::new(LOOKED_AT + 1);
        (0..=LOOKED_AT as u64).for_each(|n| drop(depot.put(full(n * 127..(n + 1) * 127))));
        assert_eq!(depot.exchange(126, 5000), None);
        assert_eq!(depot.exchange(127, 5000), Some(127));
        // The one below is taken out as a whole, and all others stay.
        assert_eq!(depot.take_below(126).unwrap().firsts().first(), Some(&0));
        assert!(depot.take_below(126).is_none());
        assert_eq!(depot.count(), LOOKED_AT);
        assert_eq!(depot.take().unwrap().firsts().first(), Some(&(LOOKED_AT as u64 * 127)));
    }

    #[test]
    fn what_was_not_needed_is_idle() {
        let mut depot = Depot::new(4);
        (0..3).for_each(|n| drop(depot.put(full(n * 127..(n + 1) * 127))));
        assert_eq!(depot.begin_interval(), 0);
        let taken = depot.take().unwrap();
        depot.put(taken);
        assert_eq!(depot.begin_interval(), 2);
        assert_eq!(depot.begin_interval(), 3);
    }
}
