//! What one CPU has: two magazines for each class.

use alloc::boxed::Box;
use core::mem;

use super::magazine::Magazine;
use super::try_boxed;
use crate::backing::BATCH;

/// The magazines of one CPU and class: one that is used, and one that was used before. As long as they are
/// neither both full nor both empty, nobody else is asked. That is so for at least a magazine's worth of
/// operations after each time that somebody was.
#[repr(align(64))]
#[derive(Default)]
pub(super) struct Pair {
    loaded: Option<Magazine>,
    previous: Option<Magazine>,
    /// Ranges that were taken from here.
    pub(super) hits: u64,
    /// Whether it was used since the last trim.
    used: bool,
}

impl Pair {
    /// Takes the range that was put in last, if it is `wanted`.
    #[inline]
    pub(super) fn pop_if(&mut self, wanted: impl FnOnce(u64) -> bool) -> Option<u64> {
        let first = self.loaded.as_mut()?.pop_if(wanted)?;
        self.hits += 1;
        self.used = true;
        Some(first)
    }

    /// Puts a range in; `false` if there is no room in the loaded magazine, or it is the one that was put in last.
    #[inline(always)]
    pub(super) fn push_another(&mut self, first: u64) -> bool {
        let Some(loaded) = &mut self.loaded else { return false };
        self.used = true;
        !loaded.ends_with(first) && loaded.push(first)
    }

    /// Takes a range that begins at or below `highest`.
    pub(super) fn take(&mut self, highest: u64) -> Option<u64> {
        let loaded = self.loaded.as_mut().and_then(|magazine| magazine.take(highest));
        let first = loaded.or_else(|| self.take_previous(highest))?;
        self.hits += 1;
        self.used = true;
        Some(first)
    }

    fn take_previous(&mut self, highest: u64) -> Option<u64> {
        let first = self.previous.as_mut()?.take(highest)?;
        mem::swap(&mut self.loaded, &mut self.previous);
        Some(first)
    }

    /// Puts a range in; `false` if there is no room.
    pub(super) fn put(&mut self, first: u64) -> bool {
        self.used = true;
        push(&mut self.loaded, first) || self.put_previous(first)
    }

    fn put_previous(&mut self, first: u64) -> bool {
        let done = push(&mut self.previous, first);
        if done {
            mem::swap(&mut self.loaded, &mut self.previous);
        }
        done
    }

    /// Whether this range was put in just now: then it is being freed twice.
    pub(super) fn ends_with(&self, first: u64) -> bool {
        self.loaded.as_ref().is_some_and(|magazine| magazine.ends_with(first))
    }

    /// Whether a magazine is missing.
    pub(super) fn lacks_magazine(&self) -> bool {
        self.loaded.is_none() || self.previous.is_none()
    }

    /// Takes an empty magazine as the loaded one. If there were two already, the one that was previous comes
    /// back.
    pub(super) fn add_empty(&mut self, empty: Magazine) -> Option<Magazine> {
        let loaded = self.loaded.replace(empty);
        if loaded.is_none() { None } else { mem::replace(&mut self.previous, loaded) }
    }

    /// Whether a full magazine can be taken in exchange for an empty one or for none.
    pub(super) fn has_room_for_magazine(&self) -> bool {
        is_empty(&self.loaded) || is_empty(&self.previous)
    }

    /// Takes a full magazine as the loaded one. An empty one that is not needed any more comes back.
    pub(super) fn add_full(&mut self, full: Magazine) -> Option<Magazine> {
        debug_assert!(self.has_room_for_magazine());
        if !is_empty(&self.loaded) {
            mem::swap(&mut self.loaded, &mut self.previous);
        }
        let empty = self.loaded.replace(full);
        if self.previous.is_none() { mem::replace(&mut self.previous, empty) } else { empty }
    }

    /// Any range, for an exchange.
    pub(super) fn take_any(&mut self) -> Option<u64> {
        pop(&mut self.loaded).or_else(|| pop(&mut self.previous))
    }

    /// Makes room for ranges by handing the oldest ones to `out`.
    pub(super) fn evict(&mut self, out: impl FnMut(u64)) {
        let older = if self.previous.is_some() { &mut self.previous } else { &mut self.loaded };
        if let Some(magazine) = older {
            magazine.take_oldest(BATCH, out);
        }
    }

    /// One of the magazines, if there is any.
    pub(super) fn detach(&mut self) -> Option<Magazine> {
        self.previous.take().or_else(|| self.loaded.take())
    }

    /// Whether nothing was put in or taken out since this was asked last.
    pub(super) fn was_idle(&mut self) -> bool {
        !mem::replace(&mut self.used, false)
    }

    /// How many ranges there are.
    pub(super) fn count(&self) -> usize {
        self.firsts().count()
    }

    /// All first pfns in it, in no order.
    pub(super) fn firsts(&self) -> impl Iterator<Item = u64> {
        [&self.loaded, &self.previous].into_iter().flatten().flat_map(Magazine::firsts).copied()
    }
}

fn push(magazine: &mut Option<Magazine>, first: u64) -> bool {
    magazine.as_mut().is_some_and(|magazine| magazine.push(first))
}

fn pop(magazine: &mut Option<Magazine>) -> Option<u64> {
    magazine.as_mut().and_then(Magazine::pop)
}

fn is_empty(magazine: &Option<Magazine>) -> bool {
    magazine.as_ref().is_none_or(Magazine::is_empty)
}

/// The pairs of one CPU, by class.
pub(super) struct Shelf(Box<[Pair]>);

impl Shelf {
    /// How many bytes of memory one takes.
    pub(super) const fn bytes(classes: usize) -> usize {
        classes * size_of::<Pair>()
    }

    /// Pairs without magazines, or `None` if there is no memory.
    pub(super) fn try_new(classes: usize) -> Option<Self> {
        try_boxed(classes, Pair::default).ok().map(Self)
    }

    #[inline]
    pub(super) fn pair(&mut self, class: usize) -> Option<&mut Pair> {
        self.0.get_mut(class)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.0.iter()
    }
}

/// What is there for each CPU from the beginning: a place for a shelf.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) shelf: Option<Shelf>,
}

impl Slot {
    #[inline]
    pub(super) fn pair(&mut self, class: usize) -> Option<&mut Pair> {
        self.shelf.as_mut()?.pair(class)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::magazine::CAPACITY;
    use super::*;

    fn empty() -> Magazine {
        Magazine::try_new().unwrap()
    }

    fn full(from: u64) -> Magazine {
        let mut magazine = empty();
        while magazine.push(from + magazine.firsts().len() as u64) {}
        magazine
    }

    #[test]
    fn a_pair_takes_one_cache_line() {
        assert_eq!(size_of::<Pair>(), 64);
    }

    #[test]
    fn without_magazines_there_is_no_room() {
        let mut pair = Pair::default();
        assert!(!pair.put(1) && pair.lacks_magazine() && pair.has_room_for_magazine());
        assert_eq!((pair.take(u64::MAX), pair.take_any(), pair.hits), (None, None, 0));
        assert!(pair.add_empty(empty()).is_none());
        assert!(pair.put(1) && pair.ends_with(1) && !pair.ends_with(2));
        assert_eq!((pair.take(u64::MAX), pair.hits), (Some(1), 1));
    }

    #[test]
    fn the_previous_magazine_is_not_hidden() {
        let mut pair = Pair::default();
        pair.add_empty(empty());
        pair.put(10);
        pair.add_empty(empty());
        pair.put(1000);
        assert_eq!(pair.take(10), Some(10));
        assert_eq!((pair.take(999), pair.take(1000)), (None, Some(1000)));
    }

    #[test]
    fn two_magazines_are_filled_before_a_third_is_needed() {
        let mut pair = Pair::default();
        pair.add_empty(empty());
        pair.add_empty(empty());
        let put = (0..).take_while(|first| pair.put(*first)).count();
        assert_eq!((put, pair.count()), (2 * CAPACITY, 2 * CAPACITY));
        let displaced = pair.add_empty(empty()).unwrap();
        assert!(displaced.is_full());
        assert_eq!(pair.count(), CAPACITY);
    }

    #[test]
    fn a_full_magazine_displaces_an_empty_one() {
        let mut pair = Pair::default();
        assert!(pair.add_full(full(0)).is_none());
        assert!(pair.has_room_for_magazine());
        assert!(pair.add_full(full(1000)).is_none());
        assert!(!pair.has_room_for_magazine());
        while pair.take(u64::MAX).is_some() {}
        assert_eq!(pair.hits, 2 * CAPACITY as u64);
        assert!(pair.add_full(full(2000)).unwrap().is_empty());
        assert_eq!(pair.take(u64::MAX), Some(2126));
    }

    #[test]
    fn the_oldest_are_evicted() {
        let mut pair = Pair::default();
        pair.add_empty(empty());
        pair.add_empty(empty());
        let mut evicted = Vec::new();
        pair.evict(|first| evicted.push(first));
        (0..2 * CAPACITY as u64).for_each(|first| assert!(pair.put(first)));
        pair.evict(|first| evicted.push(first));
        assert!(evicted.into_iter().eq(0..16));
        assert!(pair.put(500));
        assert_eq!(pair.take(499), Some(CAPACITY as u64 - 1));
    }

    #[test]
    fn idle_is_what_was_not_used_since() {
        let mut pair = Pair::default();
        pair.add_empty(empty());
        assert!(pair.was_idle());
        pair.put(1);
        assert!(!pair.was_idle() && pair.was_idle());
        pair.take(1);
        assert!(!pair.was_idle());
        assert!(pair.detach().is_some() && pair.detach().is_none());
    }
}
