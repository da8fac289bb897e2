//! Our tree.

use std::num::NonZeroUsize;

use maple_tree::{
    Cursor, Direction, GapRequest, Gaps, Global, IndexRange, Layout, MapleTree, NoGaps, NodeAlloc,
};

use crate::memory::Nodes;
use crate::subject::{Allocator, GapSearch, RangeMap, Search, Space, Subject};

/// With gaps tracked, nodes from slabs.
pub struct Maple<A: NodeAlloc = Nodes> {
    tree: MapleTree<NonZeroUsize, Gaps, A>,
    space: Space,
}

impl Subject for Maple {
    const NAME: &'static str = "maple-tree";
    const OURS: bool = true;
}

/// The same with nodes from the global allocator.
pub type MapleOnMalloc = Maple<Global>;

impl Subject for MapleOnMalloc {
    const NAME: &'static str = "maple-tree, nodes from malloc";
}

impl<A: NodeAlloc + Default> RangeMap for Maple<A>
where
    Self: Subject,
{
    fn new() -> Self {
        Self {
            tree: MapleTree::new_in(A::default()),
            space: Space { last: u64::MAX, natural: false, ranges: 0 },
        }
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        insert(&mut self.tree, first, last, value);
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.tree.get(index).map(NonZeroUsize::get)
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.tree.store(first..=last, word(value)).expect("there is memory");
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        self.tree.replace(index, word(value)).is_ok()
    }

    #[inline]
    fn erase(&mut self, first: u64, _last: u64) {
        self.tree.erase(first).expect("it is there");
    }

    fn sum(&self) -> u64 {
        self.tree
            .iter()
            .map(|(range, value)| range.first() ^ range.last() ^ value.get() as u64)
            .fold(0, u64::wrapping_add)
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        walk(self.tree.cursor_at(index), steps, back)
    }
}

impl GapSearch for Maple {
    fn new(last: u64) -> Self {
        let space = Space { last, natural: false, ranges: 0 };
        let bounds = IndexRange::new(0, last).expect("not reversed");
        Self { tree: MapleTree::bounded_in(bounds, Nodes::default()), space }
    }

    fn insert(&mut self, first: u64, last: u64) {
        insert(&mut self.tree, first, last, 1);
    }

    #[inline]
    fn find(&self, search: &Search) -> Option<u64> {
        let direction = if search.top_down { Direction::TopDown } else { Direction::BottomUp };
        let window = search.first..=search.last;
        let request = GapRequest::new(window, search.size, search.align, direction).ok()?;
        self.tree.find_gap(&request).map(IndexRange::first)
    }
}

impl Allocator for Maple {
    type Range = u64;

    fn new(space: Space) -> Self {
        let bounds = IndexRange::new(Space::FIRST, space.last).expect("not reversed");
        Self { tree: MapleTree::bounded_in(bounds, Nodes::default()), space }
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<u64> {
        let window = Space::FIRST..=self.space.last;
        let request = GapRequest::new(window, size, self.space.align(size), Direction::TopDown).ok()?;
        self.tree.allocate(&request, word(1)).ok().map(IndexRange::first)
    }

    #[inline]
    fn free(&mut self, first: u64) {
        self.tree.erase(first).expect("it is there");
    }
}

/// Without gaps: for maps that never look for a free range.
pub struct MapleNoGaps(MapleTree<NonZeroUsize, NoGaps, Nodes>);

impl Subject for MapleNoGaps {
    const NAME: &'static str = "maple-tree, gaps not tracked";
}

impl RangeMap for MapleNoGaps {
    fn new() -> Self {
        Self(MapleTree::new_in(Nodes::default()))
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first..=last, word(value)).expect("it is free, and there is memory");
    }

    #[inline]
    fn get(&self, index: u64) -> Option<usize> {
        self.0.get(index).map(NonZeroUsize::get)
    }

    #[inline]
    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.0.store(first..=last, word(value)).expect("there is memory");
    }

    #[inline]
    fn replace(&mut self, index: u64, value: usize) -> bool {
        self.0.replace(index, word(value)).is_ok()
    }

    #[inline]
    fn erase(&mut self, first: u64, _last: u64) {
        self.0.erase(first).expect("it is there");
    }

    fn sum(&self) -> u64 {
        self.0
            .iter()
            .map(|(range, value)| range.first() ^ range.last() ^ value.get() as u64)
            .fold(0, u64::wrapping_add)
    }

    #[inline]
    fn walk(&self, index: u64, steps: usize, back: bool) -> u64 {
        walk(self.0.cursor_at(index), steps, back)
    }
}

#[inline]
fn walk<L: Layout, A: NodeAlloc>(
    mut cursor: Cursor<'_, NonZeroUsize, L, A>,
    steps: usize,
    back: bool,
) -> u64 {
    let mut sum = 0_u64;
    for _ in 0..steps {
        let Some((range, value)) = (if back { cursor.prev_entry() } else { cursor.next_entry() }) else {
            break;
        };
        sum = sum.wrapping_add(range.first() ^ range.last() ^ value.get() as u64);
    }
    sum
}

#[inline]
fn insert<A: NodeAlloc>(tree: &mut MapleTree<NonZeroUsize, Gaps, A>, first: u64, last: u64, value: usize) {
    tree.insert(first..=last, word(value)).expect("it is free, and there is memory");
}

#[inline]
fn word(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("values are odd")
}
