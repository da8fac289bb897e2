//! A magazine: a fixed number of ranges of one class.

use alloc::boxed::Box;

use super::try_boxed;

/// How many ranges a magazine holds: with the link, 1 KiB. loom and shuttle, which are to see magazines come
/// and go in short programs, can do with fewer.
pub(super) const CAPACITY: usize = if cfg!(any(all(test, loom), shuttle)) { 2 } else { 127 };

/// The memory of a magazine. On cache lines of its own, since only one CPU at a time uses it.
#[repr(align(64))]
pub(super) struct Body {
    /// First pfns, in no order.
    pub(super) firsts: [u64; CAPACITY],
    /// For a stack of magazines.
    pub(super) next: Link,
}

/// One body. A boxed array of one, since that can be had without a call that aborts when memory is short.
pub(super) type BodyBox = Box<[Body; 1]>;
pub(super) type Link = Option<BodyBox>;

/// A bounded bag of ranges of one class: last in, first out, but for limits. Only making one allocates.
pub(super) struct Magazine {
    pub(super) body: BodyBox,
    len: usize,
}

impl Magazine {
    /// How many bytes of memory one takes.
    pub(super) const BYTES: usize = size_of::<Body>();

    /// An empty magazine, or `None` if there is no memory.
    pub(super) fn try_new() -> Option<Self> {
        let bodies = try_boxed(1, || Body { firsts: [0; CAPACITY], next: None }).ok()?;
        Some(Self { body: bodies.try_into().ok()?, len: 0 })
    }

    /// A magazine that consists of this body, which holds so many ranges.
    pub(super) fn of(body: BodyBox, len: usize) -> Self {
        debug_assert!(len <= CAPACITY);
        Self { body, len }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[cfg(test)]
    pub(super) fn is_full(&self) -> bool {
        self.len == CAPACITY
    }

    #[inline]
    pub(super) fn firsts(&self) -> &[u64] {
        let [body] = &*self.body;
        body.firsts.get(..self.len).unwrap_or_default()
    }

    fn firsts_mut(&mut self) -> &mut [u64] {
        let [body] = &mut *self.body;
        body.firsts.get_mut(..self.len).unwrap_or_default()
    }

    /// Puts a range in; `false` if there is no room.
    #[inline]
    pub(super) fn push(&mut self, first: u64) -> bool {
        let [body] = &mut *self.body;
        let Some(slot) = body.firsts.get_mut(self.len) else { return false };
        *slot = first;
        self.len += 1;
        true
    }

    /// Takes out the range that was put in last.
    pub(super) fn pop(&mut self) -> Option<u64> {
        self.pop_if(|_| true)
    }

    /// Takes out the range that was put in last, if it is `wanted`.
    #[inline]
    pub(super) fn pop_if(&mut self, wanted: impl FnOnce(u64) -> bool) -> Option<u64> {
        let [body] = &*self.body;
        let last = self.len.checked_sub(1)?;
        let first = *body.firsts.get(last)?;
        if !wanted(first) {
            return None;
        }
        self.len = last;
        Some(first)
    }

    /// Whether this range was put in last.
    #[inline]
    pub(super) fn ends_with(&self, first: u64) -> bool {
        let [body] = &*self.body;
        body.firsts.get(self.len.wrapping_sub(1)) == Some(&first)
    }

    /// Takes out a range that begins at or below `highest`: the last one of these.
    #[inline]
    pub(super) fn take(&mut self, highest: u64) -> Option<u64> {
        let firsts = self.firsts_mut();
        let place = firsts.iter().rposition(|first| *first <= highest)?;
        let last = firsts.len() - 1;
        firsts.swap(place, last);
        let first = firsts.last().copied();
        self.len = last;
        first
    }

    /// Takes out the ranges that have been in for longest, at most so many, and hands them to `out`.
    pub(super) fn take_oldest(&mut self, most: usize, out: impl FnMut(u64)) {
        let firsts = self.firsts_mut();
        let (len, taken) = (firsts.len(), most.min(firsts.len()));
        firsts.iter().copied().take(taken).for_each(out);
        firsts.copy_within(taken.., 0);
        self.len = len - taken;
    }

    pub(super) fn sort(&mut self) {
        self.firsts_mut().sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn magazine(firsts: impl IntoIterator<Item = u64>) -> Magazine {
        let mut magazine = Magazine::try_new().unwrap();
        for first in firsts {
            assert!(magazine.push(first));
        }
        magazine
    }

    #[test]
    fn a_magazine_takes_one_kibibyte() {
        assert_eq!(Magazine::BYTES, 1024);
    }

    #[test]
    fn the_last_is_taken_first() {
        let mut magazine = magazine([3, 1, 2]);
        assert_eq!([magazine.pop(), magazine.pop(), magazine.pop()], [Some(2), Some(1), Some(3)]);
        assert_eq!((magazine.pop(), magazine.is_empty()), (None, true));
    }

    #[test]
    fn the_last_is_taken_if_it_is_wanted() {
        let mut magazine = magazine([3, 1]);
        assert!(magazine.ends_with(1) && !magazine.ends_with(3));
        assert_eq!(
            (magazine.pop_if(|first| first > 1), magazine.pop_if(|first| first == 1)),
            (None, Some(1))
        );
        assert_eq!((magazine.pop_if(|_| true), magazine.pop_if(|_| true)), (Some(3), None));
        assert!(!magazine.ends_with(3));
    }

    #[test]
    fn it_has_room_for_so_many() {
        let mut magazine = magazine(0..CAPACITY as u64);
        assert!(magazine.is_full() && !magazine.push(7));
        magazine.pop();
        assert!(!magazine.is_full() && magazine.push(u64::MAX));
        assert_eq!(magazine.firsts().len(), CAPACITY);
    }

    #[test]
    fn nothing_above_the_limit_is_taken() {
        let mut magazine = magazine([5, 9, 4, u64::MAX]);
        assert_eq!(magazine.take(3), None);
        assert_eq!((magazine.take(5), magazine.take(5), magazine.take(5)), (Some(4), Some(5), None));
        assert_eq!((magazine.take(u64::MAX - 1), magazine.take(u64::MAX)), (Some(9), Some(u64::MAX)));
    }

    #[test]
    fn the_oldest_go_first() {
        let mut full = magazine(0..CAPACITY as u64);
        let mut old = vec![];
        full.take_oldest(16, |first| old.push(first));
        assert!(old.into_iter().eq(0..16));
        assert!(full.firsts().iter().copied().eq(16..CAPACITY as u64));
        full.take_oldest(usize::MAX, |_| ());
        full.take_oldest(1, |first| unreachable!("{first} is left"));
        assert!(full.is_empty());
    }
}
