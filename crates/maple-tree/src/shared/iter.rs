//! The entries of a shared tree, while others write.

use core::fmt;
use core::iter::FusedIterator;

use lock_api::RawMutex;

use super::ReadGuard;
use crate::alloc::NodeAlloc;
use crate::entry::{Entry, Held};
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Toward;
use crate::raw::shared::SeenPlace;
use crate::reclaim::Reclaim;

/// The entries of a shared tree that overlap a window, in order; made by [`ReadGuard::range`].
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct ReadRange<'g, 't, T: Entry, R: RawMutex, G: Reclaim + 't, L: Layout, A: NodeAlloc> {
    reader: &'g ReadGuard<'t, T, R, G, L, A>,
    /// The part of the window that has not been passed from either end.
    rest: Option<IndexRange>,
    /// An entry may begin before the rest of the window, or end after it, only at the edges of the window itself.
    at_front: bool,
    at_back: bool,
    front: Option<SeenPlace<'g, L>>,
    back: Option<SeenPlace<'g, L>>,
}

impl<'g, 't, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> ReadRange<'g, 't, T, R, G, L, A> {
    pub(super) fn new(reader: &'g ReadGuard<'t, T, R, G, L, A>, window: Option<IndexRange>) -> Self {
        Self { reader, rest: window, at_front: true, at_back: true, front: None, back: None }
    }

    #[inline]
    fn step(&mut self, toward: Toward) -> Option<(IndexRange, Held)> {
        loop {
            let rest = self.rest?;
            let (index, place) = match toward {
                Toward::Higher => (rest.first(), &mut self.front),
                Toward::Lower => (rest.last(), &mut self.back),
            };
            let place = match place {
                Some(place) if place.bounds().contains(index) => place,
                _ => match self.reader.reading().leaf_toward(index, toward) {
                    Some(found) => place.insert(found),
                    None => {
                        self.rest = None;
                        return None;
                    }
                },
            };
            // Up to the rest of the window the leaf has been passed, if it was there already.
            let leaf = place.bounds();
            match place.pass_entry(toward) {
                Some((range, word)) => {
                    let begins = range.first() >= rest.first() || self.at_front;
                    let ends = range.last() <= rest.last() || self.at_back;
                    let overlaps = range.overlaps(rest);
                    self.pass(rest, range, toward);
                    if overlaps && begins && ends {
                        return Some((range, word));
                    }
                }
                None => self.pass(rest, leaf, toward),
            }
        }
    }

    /// Leaves out all up to the end of `passed`.
    #[inline]
    fn pass(&mut self, rest: IndexRange, passed: IndexRange, toward: Toward) {
        match toward {
            Toward::Higher => self.at_front = false,
            Toward::Lower => self.at_back = false,
        }
        self.rest = toward.beyond_range(passed).and_then(|beyond| beyond.intersection(rest));
    }
}

impl<'g, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> Iterator
    for ReadRange<'g, '_, T, R, G, L, A>
{
    type Item = (IndexRange, T::Borrowed<'g>);

    fn next(&mut self) -> Option<Self::Item> {
        let (range, word) = self.step(Toward::Higher)?;
        Some((range, self.reader.lend(word)))
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> DoubleEndedIterator
    for ReadRange<'_, '_, T, R, G, L, A>
{
    fn next_back(&mut self) -> Option<Self::Item> {
        let (range, word) = self.step(Toward::Lower)?;
        Some((range, self.reader.lend(word)))
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> FusedIterator
    for ReadRange<'_, '_, T, R, G, L, A>
{
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for ReadRange<'_, '_, T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadRange").field("rest", &self.rest).finish_non_exhaustive()
    }
}
