//! The traits of the standard library that a tree has. `Clone` is in `copy.rs`, owned iteration in `removal.rs`.

use core::fmt;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::content::Content;
use crate::entry::Entry;
use crate::iter::Iter;
use crate::node::Layout;
use crate::range::IndexRange;

impl<T: Entry, L: Layout, A: NodeAlloc> Drop for MapleTree<T, L, A> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc + Default> Default for MapleTree<T, L, A> {
    fn default() -> Self {
        Self::new_in(A::default())
    }
}

impl<'a, T: Entry, L: Layout, A: NodeAlloc> IntoIterator for &'a MapleTree<T, L, A> {
    type Item = (IndexRange, T::Borrowed<'a>);
    type IntoIter = Iter<'a, T, L, A>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The ranges of the entries and, marked so, those that are reserved. Values are not printed: to ask that of all of
/// `T::Borrowed<'_>` would exclude types with lifetimes.
impl<T: Entry, L: Layout, A: NodeAlloc> fmt::Debug for MapleTree<T, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        let mut cursor = self.cursor_front();
        while let Some((range, content)) = cursor.next_range() {
            match content {
                Content::Entry(_) => set.entry(&range),
                Content::Reserved => set.entry(&format_args!("{range:?} reserved")),
                Content::Gap => &mut set,
            };
        }
        set.finish()
    }
}

/// Trees are equal if they have the same bounds, the same entries, and the same reserved ranges. How they hold these does
/// not matter. O(n + m), reserved ranges counted.
impl<T, L: Layout, A: NodeAlloc, M: Layout, B: NodeAlloc> PartialEq<MapleTree<T, M, B>> for MapleTree<T, L, A>
where
    T: Entry + 'static,
    for<'a> T::Borrowed<'a>: PartialEq,
{
    fn eq(&self, other: &MapleTree<T, M, B>) -> bool {
        let (mut ours, mut theirs) = (self.cursor_front(), other.cursor_front());
        self.bounds() == other.bounds()
            && loop {
                match (ours.next_range(), theirs.next_range()) {
                    (None, None) => break true,
                    (Some(ours), Some(theirs)) if ours == theirs => {}
                    _ => break false,
                }
            }
    }
}

impl<T, L: Layout, A: NodeAlloc> Eq for MapleTree<T, L, A>
where
    T: Entry + 'static,
    for<'a> T::Borrowed<'a>: Eq,
{
}
