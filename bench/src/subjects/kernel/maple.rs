//! The kernel's maple tree, used as `mm/` and drivers do.

use super::ffi::Tree;
use crate::subject::{Allocator, GapSearch, RangeMap, Search, Space, Subject};

pub struct KernelMaple {
    tree: Tree,
    space: Space,
}

impl Subject for KernelMaple {
    const NAME: &'static str = "C maple tree";
}

impl RangeMap for KernelMaple {
    fn new() -> Self {
        Self { tree: Tree::new(), space: Space { last: u64::MAX, natural: false, ranges: 0 } }
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        assert!(self.tree.insert(first, last, value), "it is free, and there is memory");
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.tree.load(index)
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        assert!(self.tree.store(first, last, value), "there is memory");
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        self.tree.replace(index, value)
    }

    #[inline]
    fn erase(&mut self, first: u64, _last: u64) {
        assert!(self.tree.erase(first), "it is there");
    }

    fn sum(&self) -> u64 {
        self.tree.sum()
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        self.tree.walk(index, steps, back)
    }
}

impl GapSearch for KernelMaple {
    const ALIGNS: bool = false;

    fn new(last: u64) -> Self {
        Self::within(Space { last, natural: false, ranges: 0 })
    }

    fn insert(&mut self, first: u64, last: u64) {
        assert!(self.tree.insert(first, last, 1), "it is free, and there is memory");
    }

    #[inline]
    fn find(&self, search: &Search) -> Option<u64> {
        // It does not align. Its users ask for as much more as that may take, and align within.
        let more = search.align - 1;
        let run = self.tree.gap(search.first, search.last, search.size + more, search.top_down)?;
        Some(if search.top_down { (run + more) & !more } else { run.next_multiple_of(search.align) })
    }
}

impl Allocator for KernelMaple {
    type Range = u64;

    fn new(space: Space) -> Self {
        Self::within(space)
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<u64> {
        self.tree.allocate(size, self.space.align(size), Space::FIRST, self.space.last)
    }

    #[inline]
    fn free(&mut self, first: u64) {
        assert!(self.tree.erase(first), "it is allocated");
    }
}

impl KernelMaple {
    /// It has no bounds of its own. An entry over what lies beyond spares its searches the way there.
    fn within(space: Space) -> Self {
        let mut tree = Tree::new();
        assert!(tree.store(space.last + 1, u64::MAX, 1), "there is memory");
        Self { tree, space }
    }
}
