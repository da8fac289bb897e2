//! Magazines that wait: linked through their own memory, so that keeping one more allocates nothing.

use super::magazine::{Body, Link, Magazine};

/// A stack of magazines that all hold the same number of ranges.
pub(super) struct Stack {
    head: Link,
    count: usize,
    /// How many ranges each of them holds.
    filled: usize,
}

impl Stack {
    pub(super) const fn new(filled: usize) -> Self {
        Self { head: None, count: 0, filled }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, magazine: Magazine) {
        debug_assert_eq!(magazine.firsts().len(), self.filled);
        let mut boxed = magazine.body;
        let [body] = &mut *boxed;
        body.next = self.head.take();
        self.head = Some(boxed);
        self.count += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Magazine> {
        let mut boxed = self.head.take()?;
        let [body] = &mut *boxed;
        self.head = body.next.take();
        self.count -= 1;
        Some(Magazine::of(boxed, self.filled))
    }

    /// Takes out the uppermost of which `which` says so.
    pub(super) fn take_if(&mut self, which: impl Fn(&[u64]) -> bool) -> Option<Magazine> {
        let filled = self.filled;
        let is_it = |[body]: &[Body; 1]| which(body.firsts.get(..filled).unwrap_or_default());
        let mut link = &mut self.head;
        while link.as_ref().is_some_and(|boxed| !is_it(boxed)) {
            let [body] = &mut **link.as_mut()?;
            link = &mut body.next;
        }
        let mut boxed = link.take()?;
        let [body] = &mut *boxed;
        *link = body.next.take();
        self.count -= 1;
        Some(Magazine::of(boxed, filled))
    }

    /// The top one, then the one below, and so on, `most` of them, until `find` has found what it looks for.
    pub(super) fn find<T>(
        &mut self,
        most: usize,
        mut find: impl FnMut(&mut [u64]) -> Option<T>,
    ) -> Option<T> {
        let mut link = &mut self.head;
        for _ in 0..most {
            let Some(boxed) = link else { break };
            let [Body { firsts, next }] = &mut **boxed;
            let found = find(firsts.get_mut(..self.filled).unwrap_or_default());
            if found.is_some() {
                return found;
            }
            link = next;
        }
        None
    }
}

impl Drop for Stack {
    /// One by one: dropping the first would drop the others from within, as deep as the stack is high.
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_last_is_popped_first() {
        let mut stack = Stack::new(1);
        for first in 0..3 {
            let mut magazine = Magazine::try_new().unwrap();
            magazine.push(first);
            stack.push(magazine);
        }
        let mut seen = Vec::new();
        let found = stack.find(usize::MAX, |firsts| {
            seen.extend_from_slice(firsts);
            (firsts == [1]).then_some(firsts.len())
        });
        assert_eq!((found, seen), (Some(1), [2, 1].into()));
        assert_eq!(stack.find(usize::MAX, |_| None::<()>), None);
        for first in [2, 1, 0] {
            assert_eq!(stack.pop().unwrap().firsts(), [first]);
        }
        assert_eq!((stack.count(), stack.pop().is_none()), (0, true));
    }

    #[test]
    fn a_high_stack_is_dropped() {
        let mut stack = Stack::new(0);
        for _ in 0..50_000 {
            stack.push(Magazine::try_new().unwrap());
        }
    }
}
