//! Erasing inside a leaf: most erasures, and the cheapest ones.
//!
//! The leaf keeps something live and is not joined with another, so no node goes. What becomes free, with what was free
//! beside it, may reach into the leaves on either side, but not beyond, since these have something live, too. If they hang below
//! the same branch, no edge of that changes, nor of those above. All that is new is a free run, to whose numbers those
//! on the way rise, each for itself. So they are raised on the way down, and nothing is left to do on a way up.

use crate::gap::Summary;
use crate::node::{Layout, Link, Node, NodeMut, Shape, Store};
use crate::range::IndexRange;
use crate::raw::balance::may_join;
use crate::raw::path::Path;
use crate::raw::summarize::edges;
use crate::raw::{Found, RawTree};

/// An erasure inside a leaf.
struct Inside {
    path: Path,
    found: Found,
    slot: usize,
    /// The slots that become one empty one.
    from: usize,
    to: usize,
    run: NewRun,
}

/// The free run that there is then.
struct NewRun {
    whole: IndexRange,
    /// What of it is in the leaf or to the right of that.
    here: IndexRange,
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
        let mut parent = None;
        let mut next = self.root().filter(|_| self.bounds().contains(index));
        while let Some(link) = next {
            match link.node() {
                Node::Branch(branch) => {
                    let slot = branch.find(index);
                    path.push(slot);
                    parent = Some(Parent { branch, slot });
                    next = branch.slot(slot);
                }
                Node::Leaf(leaf) => return self.site_in(leaf, parent, path, index),
            }
        }
        Site::Free
    }

    #[inline]
    fn site_in(&self, leaf: &L::Leaf, parent: Option<Parent<'_, L>>, path: Path, index: u64) -> Site {
        let slot = leaf.find(index);
        if leaf.is_empty(slot) {
            return Site::Free;
        }
        // In a tree of one owner no two empty slots are neighbours.
        let from = slot - usize::from(slot > 0 && leaf.is_empty(slot - 1));
        let to = slot + usize::from(leaf.is_empty(slot + 1));
        let bounds = parent.as_ref().map_or(self.bounds(), Parent::leaf_bounds);
        let free = leaf.range_of(from, bounds).ending_at(leaf.last_of(to, bounds));
        let run = match parent {
            _ if leaf.live().is_power_of_two() => None,
            // Such a root may not be needed any more.
            Some(parent) if parent.branch.live().is_power_of_two() => None,
            None => Some(NewRun { whole: free, here: free }),
            Some(parent) => {
                let len = leaf.len() - (to - from);
                let is_sparse = len * 2 < L::Leaf::CAPACITY;
                if is_sparse && may_join::<L>(parent.branch, parent.slot, len) {
                    None
                } else {
                    parent.run_around(free, from == 0, to + 1 == leaf.len())
                }
            }
        };
        let Some(run) = run else { return Site::Elsewhere };
        let found = Found { range: leaf.range_of(slot, bounds), word: leaf.slot(slot).copied() };
        Site::Inside(Inside { path, found, slot, from, to, run })
    }
}

/// The slot of a branch that a leaf hangs below.
struct Parent<'a, L: Layout> {
    branch: &'a L::Branch,
    slot: usize,
}

impl<L: Layout> Parent<'_, L> {
    /// What the leaf covers, but for the edges that it has in common with the branch, which are not known.
    #[inline]
    fn leaf_bounds(&self) -> IndexRange {
        self.branch.range_of(self.slot, IndexRange::FULL)
    }

    /// The run of which `free`, a part of the leaf, will be the middle; `front` and `back` say at which edges of the leaf
    /// that lies. `None` if such an edge is one of the branch, too, or there is no leaf beyond it.
    #[inline]
    fn run_around(&self, free: IndexRange, front: bool, back: bool) -> Option<NewRun> {
        let Self { branch, slot } = *self;
        if front && slot == 0 || back && slot + 1 == branch.len() {
            return None;
        }
        if !L::TRACKS_GAPS {
            return Some(NewRun { whole: free, here: free });
        }
        // How long the runs are does not depend on where the branch begins and ends: the leaves have something live.
        let beside = |slot: usize| Some(edges(branch.slot(slot)?, branch.range_of(slot, IndexRange::FULL)));
        let tail = if front { beside(slot - 1)?.tail } else { 0 };
        let head = if back { beside(slot + 1)?.head } else { 0 };
        if tail > 0 {
            reached!(ErasedReachesLeft);
        }
        if head > 0 {
            reached!(ErasedReachesRight);
        }
        let here = free.ending_at(free.last() + head);
        Some(NewRun { whole: here.starting_at(here.first() - tail), here })
    }
}

impl Inside {
    #[inline]
    fn erase<L: Layout>(&self, root: &mut Link<L>) {
        let whole = Summary::of(self.run.whole);
        let reaches_left = self.run.whole != self.run.here;
        let (mut link, mut depth) = (root, 0);
        loop {
            match link.node_mut() {
                NodeMut::Branch(branch) => {
                    let slot = self.path.slot(depth);
                    depth += 1;
                    let store = branch.store_mut();
                    if reaches_left && depth == self.path.depth() {
                        store.set(slot, store.get(slot).max(Summary::of(self.run.here)));
                        store.set(slot - 1, store.get(slot - 1).max(whole));
                    } else {
                        store.set(slot, store.get(slot).max(whole));
                    }
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
