//! Erasing inside a leaf: most erasures, and the cheapest ones.
//!
//! What becomes free, with what was free beside it, lies between two live slots of a leaf that stays half full. Then no
//! node goes, and no edge of any node changes. All that is new is a free run, to whose numbers those on the way rise, each
//! for itself. So they are raised on the way down, and nothing is left to do on a way up.

use crate::gap::Summary;
use crate::node::{Layout, Link, Node, NodeMut, Shape, Store};
use crate::range::IndexRange;
use crate::raw::path::Path;
use crate::raw::{Found, RawTree};

/// An erasure inside a leaf.
struct Inside {
    path: Path,
    found: Found,
    slot: usize,
    /// The slots that become one empty one.
    from: usize,
    to: usize,
    /// What they cover.
    run: IndexRange,
}

/// What is at an index.
enum Site {
    Free,
    Inside(Inside),
    /// Something is taken there, but not inside a leaf.
    Elsewhere,
}

impl<L: Layout, A> RawTree<L, A> {
    /// Takes out what covers `index`, if it is `wanted`, inside a leaf. Gives `wanted` back if it is elsewhere.
    #[inline]
    pub(super) fn erase_inside<W: FnOnce(Found) -> bool>(
        &mut self,
        index: u64,
        wanted: W,
    ) -> Result<Option<Found>, W> {
        let inside = match self.site_of(index) {
            Site::Free => return Ok(None),
            Site::Elsewhere => return Err(wanted),
            Site::Inside(inside) => inside,
        };
        if !wanted(inside.found) {
            return Ok(None);
        }
        *self.counter(inside.found.word) -= 1;
        if let Some(root) = self.root.as_mut() {
            inside.erase(root);
        }
        Ok(Some(inside.found))
    }

    #[inline]
    fn site_of(&self, index: u64) -> Site {
        let mut path = Path::root();
        let mut next = self.root().filter(|_| self.bounds().contains(index));
        while let Some(link) = next {
            match link.node() {
                Node::Branch(branch) => {
                    let slot = branch.find(index);
                    path.push(slot);
                    next = branch.slot(slot);
                }
                Node::Leaf(leaf) => {
                    let slot = leaf.find(index);
                    if leaf.is_empty(slot) {
                        return Site::Free;
                    }
                    // In a tree of one owner no two empty slots are neighbours.
                    let from = slot - usize::from(slot > 0 && leaf.is_empty(slot - 1));
                    let to = slot + usize::from(leaf.is_empty(slot + 1));
                    let len = leaf.len();
                    if from == 0 || to + 1 >= len || (len - (to - from)) * 2 < L::Leaf::CAPACITY {
                        return Site::Elsewhere;
                    }
                    // These slots lie between others, so the leaf's own bounds do not matter.
                    let anywhere = IndexRange::FULL;
                    let run = leaf.range_of(from, anywhere).ending_at(leaf.last_of(to, anywhere));
                    let found =
                        Found { range: leaf.range_of(slot, anywhere), word: leaf.slot(slot).copied() };
                    return Site::Inside(Inside { path, found, slot, from, to, run });
                }
            }
        }
        Site::Free
    }
}

impl Inside {
    #[inline]
    fn erase<L: Layout>(&self, root: &mut Link<L>) {
        let run = Summary::of(self.run);
        let (mut link, mut depth) = (root, 0);
        loop {
            match link.node_mut() {
                NodeMut::Branch(branch) => {
                    let slot = self.path.slot(depth);
                    let store = branch.store_mut();
                    store.set(slot, store.get(slot).max(run));
                    depth += 1;
                    match branch.slot_mut(slot) {
                        Some(child) => link = child,
                        None => return,
                    }
                }
                NodeMut::Leaf(leaf) => {
                    reached!(ErasedInside);
                    reached!([EmptyAlone, EmptyBesideOne, EmptyBetweenTwo][self.to - self.from]);
                    leaf.put(self.slot, None);
                    if self.from < self.to {
                        leaf.splice(self.from, self.to - self.from, 0);
                    }
                    return;
                }
            }
        }
    }
}
