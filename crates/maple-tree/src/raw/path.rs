//! The path from the root down to a leaf, as slot numbers: kept between looking and changing, so that the second
//! walk needs no search.

use super::MAX_HEIGHT;

/// One slot per branch on the path, from the root.
#[derive(Clone, Debug)]
pub(super) struct Path {
    slots: [u8; MAX_HEIGHT],
    depth: usize,
}

impl Path {
    pub(super) const fn root() -> Self {
        Self { slots: [0; MAX_HEIGHT], depth: 0 }
    }

    /// Goes down through `slot` of the branch reached so far.
    #[inline]
    pub(super) fn push(&mut self, slot: usize) {
        self.slots[self.depth] = slot as u8;
        self.depth += 1;
    }

    /// How many branches lie above the node reached.
    #[inline]
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The slot taken in the branch at a depth (the root's is 0).
    #[inline]
    pub(super) fn slot(&self, depth: usize) -> usize {
        usize::from(self.slots[depth])
    }
}

/// What notes the way of a search: a path, or nothing.
pub(super) trait Trail {
    /// The search goes down through `slot` of the branch reached so far.
    fn enter(&mut self, slot: usize);
    /// How many branches lie above the node reached.
    fn depth(&self) -> usize;
    /// The search goes on from the node with so many branches above it.
    fn back_to(&mut self, depth: usize);
}

impl Trail for () {
    #[inline]
    fn enter(&mut self, _slot: usize) {}

    #[inline]
    fn depth(&self) -> usize {
        0
    }

    #[inline]
    fn back_to(&mut self, _depth: usize) {}
}

impl Trail for Path {
    #[inline]
    fn enter(&mut self, slot: usize) {
        self.push(slot);
    }

    #[inline]
    fn depth(&self) -> usize {
        self.depth
    }

    #[inline]
    fn back_to(&mut self, depth: usize) {
        self.depth = depth;
    }
}
