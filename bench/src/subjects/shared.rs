//! Our tree in its shared mode.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use maple_tree::reclaim::{Epochs, GlobalEpochs, Reclaim};
use maple_tree::shared::{ReadGuard, SharedMapleTree};
use maple_tree::{Direction, GapRequest, Gaps, Global, IndexRange, InsertErrorKind};
use parking_lot::RawMutex;

use crate::subject::{Allocator, SharedMap, Space, Subject};

type Tree<G> = SharedMapleTree<NonZeroUsize, RawMutex, G>;

/// With a writer's lock of `parking_lot`, and `G` to tell when readers are gone.
pub struct Shared<G: Reclaim> {
    tree: Tree<G>,
    space: Space,
    refused: AtomicU64,
}

/// The one epochs of the program: each thread has a record.
pub type SharedGlobal = Shared<GlobalEpochs>;

/// Epochs of the tree: each reader looks for a record.
pub type SharedEpochs = Shared<Epochs>;

impl Subject for SharedGlobal {
    const NAME: &'static str = "maple-tree shared";
    const OURS: bool = true;
}

impl Subject for SharedEpochs {
    const NAME: &'static str = "maple-tree shared, own epochs";
}

impl<G: Reclaim + Default + Send + Sync + 'static> SharedMap for Shared<G>
where
    Self: Subject,
    Tree<G>: Send + Sync,
{
    type Reader<'a> = ReadGuard<'a, NonZeroUsize, RawMutex, G, Gaps, Global>;

    fn new() -> Self {
        let space = Space { last: u64::MAX, natural: false, ranges: 0 };
        Self { tree: Tree::new(), space, refused: AtomicU64::new(0) }
    }

    #[inline]
    fn read(&self, _several: bool) -> Self::Reader<'_> {
        self.tree.read()
    }

    #[inline]
    fn get(reader: &Self::Reader<'_>, index: u64) -> Option<usize> {
        reader.get(index).map(NonZeroUsize::get)
    }

    #[inline]
    fn insert(&self, first: u64, last: u64, value: usize) {
        // Too much waits for a reader that was interrupted while it was there.
        loop {
            let mut writer = self.tree.write();
            let Err(error) = writer.insert(first..=last, word(value)) else { return };
            drop(writer);
            assert!(matches!(error.kind, InsertErrorKind::NodeMemory(_)), "it is free");
            self.refused.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
            self.tree.write().collect();
        }
    }

    #[inline]
    fn erase(&self, first: u64, _last: u64) {
        self.tree.write().erase(first).expect("it is there");
    }

    fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn sum(&self) -> u64 {
        let reader = self.tree.read();
        reader
            .iter()
            .map(|(range, value)| range.first() ^ range.last() ^ value.get() as u64)
            .fold(0, u64::wrapping_add)
    }
}

impl Allocator for SharedGlobal {
    type Range = u64;

    fn new(space: Space) -> Self {
        let bounds = IndexRange::new(Space::FIRST, space.last).expect("not reversed");
        Self { tree: Tree::bounded_in(bounds, Global, GlobalEpochs), space, refused: AtomicU64::new(0) }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<u64> {
        let window = Space::FIRST..=self.space.last;
        let request = GapRequest::new(window, size, self.space.align(size), Direction::TopDown).ok()?;
        self.tree.write().allocate(&request, word(1)).ok().map(IndexRange::first)
    }

    #[inline]
    fn free(&mut self, first: u64) {
        self.tree.write().erase(first).expect("it is there");
    }
}

impl SharedGlobal {
    /// How many nodes wait for readers to leave.
    pub fn retired_nodes(&self) -> usize {
        let stats = self.tree.write().shared_stats();
        stats.retired_leaves + stats.retired_branches
    }

    /// Gives back what was retired.
    pub fn collect(&self) {
        self.tree.write().collect();
    }
}

#[inline]
fn word(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("values are odd")
}
