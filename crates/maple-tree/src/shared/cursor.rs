//! A place in a shared tree, while others write.

use core::fmt;

use lock_api::RawMutex;

use super::ReadGuard;
use crate::alloc::NodeAlloc;
use crate::entry::Entry;
use crate::node::Layout;
use crate::range::IndexRange;
use crate::raw::Toward;
use crate::reclaim::Reclaim;

/// A place in a shared tree; made by [`ReadGuard::cursor_at`].
///
/// It stands on a range of indices: a single one at first, then the entry that it went to. Each call looks at the tree as
/// it is then, so each is one walk (and one for each leaf without entries that it passes), and the entry on which the cursor stands may be gone.
pub struct ReadCursor<'g, 't, T: Entry, R: RawMutex, G: Reclaim + 't, L: Layout, A: NodeAlloc> {
    reader: &'g ReadGuard<'t, T, R, G, L, A>,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Before,
    At(IndexRange),
    After,
}

impl<'g, 't, T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> ReadCursor<'g, 't, T, R, G, L, A> {
    pub(super) fn new(reader: &'g ReadGuard<'t, T, R, G, L, A>, index: u64) -> Self {
        Self { reader, place: Place::At(IndexRange::single(index)) }
    }

    pub(super) fn before(reader: &'g ReadGuard<'t, T, R, G, L, A>) -> Self {
        Self { reader, place: Place::Before }
    }

    pub(super) fn after(reader: &'g ReadGuard<'t, T, R, G, L, A>) -> Self {
        Self { reader, place: Place::After }
    }

    /// Goes to `index`.
    pub fn seek(&mut self, index: u64) {
        self.place = Place::At(IndexRange::single(index));
    }

    /// What the cursor stands on: an index, or the range of the entry that it went to. Nothing before the first entry and
    /// after the last.
    #[must_use]
    pub fn place(&self) -> Option<IndexRange> {
        match self.place {
            Place::At(range) => Some(range),
            Place::Before | Place::After => None,
        }
    }

    /// The entry at the first index on which the cursor stands, as it is now. One walk.
    #[must_use]
    pub fn current(&self) -> Option<(IndexRange, T::Borrowed<'g>)> {
        self.reader.get_entry(self.place()?.first())
    }

    /// Goes to the next entry that begins after the place of the cursor, and returns it. One walk.
    pub fn next_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'g>)> {
        let from = match self.place {
            Place::Before => Some(self.reader.bounds()),
            Place::At(place) => place.after(),
            Place::After => None,
        };
        let next = from.and_then(|from| self.reader.entry_from(from, Toward::Higher));
        self.place = next.as_ref().map_or(Place::After, |(range, _)| Place::At(*range));
        next
    }

    /// Goes to the next entry that ends before the place of the cursor, and returns it. One walk.
    pub fn prev_entry(&mut self) -> Option<(IndexRange, T::Borrowed<'g>)> {
        let from = match self.place {
            Place::Before => None,
            Place::At(place) => place.before(),
            Place::After => Some(self.reader.bounds()),
        };
        let prev = from.and_then(|from| self.reader.entry_from(from, Toward::Lower));
        self.place = prev.as_ref().map_or(Place::Before, |(range, _)| Place::At(*range));
        prev
    }
}

impl<T: Entry, R: RawMutex, G: Reclaim, L: Layout, A: NodeAlloc> fmt::Debug
    for ReadCursor<'_, '_, T, R, G, L, A>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadCursor").field("place", &self.place).finish_non_exhaustive()
    }
}
