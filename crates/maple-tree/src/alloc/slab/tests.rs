//! Slabs against a list of what is in use: nodes never overlap, none is lost, and the lists are what C2 and C3 say.

use std::collections::BTreeSet;
use std::vec::Vec;

use super::*;

const BYTES: usize = 4096;
type Slabs = SlabAlloc<Global, BYTES>;

/// A node in use, filled with a number that is its own.
struct InUse {
    node: NonNull<u8>,
    layout: Layout,
    number: u8,
}

impl InUse {
    fn take(slabs: &Slabs, layout: Layout, number: u8) -> Self {
        let node = slabs.allocate(layout, AllocMode::Normal).unwrap();
        assert_eq!(node.addr().get() % layout.align(), 0);
        // SAFETY: it has so many bytes.
        unsafe { node.write_bytes(number, layout.size()) };
        Self { node, layout, number }
    }

    /// Gives it back, unless somebody else wrote to it.
    fn put(self, slabs: &Slabs) {
        // SAFETY: it has so many bytes, and they were written.
        let bytes = unsafe { core::slice::from_raw_parts(self.node.as_ptr(), self.layout.size()) };
        assert!(bytes.iter().all(|&byte| byte == self.number), "{self:?}", self = self.node);
        // SAFETY: it came from here and is not used any more.
        unsafe { slabs.deallocate(self.node, self.layout) };
    }

    fn slab(&self) -> usize {
        self.node.addr().get() & !(BYTES - 1)
    }
}

/// C2 and C3, and that the counter of slabs is right.
fn check(slabs: &Slabs, in_use: &[InUse]) {
    let mut found = 0;
    for cache in &slabs.caches {
        let grid = cache.grid.get();
        let own = || in_use.iter().filter(|node| node.layout == grid.node);
        let with_nodes: BTreeSet<usize> = own().map(InUse::slab).collect();
        let mut partial = BTreeSet::new();
        let (mut next, mut previous) = (cache.partial.get(), None);
        while let Some(slab) = next {
            assert_eq!(slab.previous.get(), previous);
            assert!(0 < slab.used.get() && slab.used.get() < grid.count);
            partial.insert(slab.0.addr().get());
            (next, previous) = (slab.next.get(), Some(slab));
            assert_eq!(free_nodes(slab) + grid.count - slab.fresh.get(), grid.count - slab.used.get());
        }
        for &slab in &with_nodes {
            let used = own().filter(|node| node.slab() == slab).count();
            assert_eq!(partial.contains(&slab), used < grid.count as usize);
        }
        assert!(partial.is_subset(&with_nodes));
        let spare = cache.spare.get();
        assert!(spare.is_none_or(|spare| spare.used.get() == 0));
        found += with_nodes.len() + usize::from(spare.is_some());
    }
    assert_eq!(slabs.slabs(), found);
}

fn free_nodes(slab: SlabRef) -> u32 {
    let (mut count, mut next) = (0, slab.free.get());
    while let Some(free) = next {
        count += 1;
        // SAFETY: C3: a node that is not in use and was.
        next = unsafe { free.read() }.next;
    }
    count
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

#[test]
fn any_order() {
    let layouts = [layout(256, 64), layout(512, 64)];
    for seed in 0..if cfg!(miri) { 2 } else { 20 } {
        let (slabs, mut in_use) = (Slabs::new(), Vec::new());
        let mut random = fastrand::Rng::with_seed(seed);
        // Grows, shrinks, and grows again, so that slabs become full, partial and empty in turn.
        for wave in 0..if cfg!(miri) { 2 } else { 6 } {
            for step in 0..120_u8 {
                let grows = random.u32(0..8) < if wave % 2 == 0 { 6 } else { 2 };
                if grows {
                    in_use.push(InUse::take(&slabs, layouts[random.usize(0..2)], step));
                } else if !in_use.is_empty() {
                    in_use.swap_remove(random.usize(0..in_use.len())).put(&slabs);
                }
                check(&slabs, &in_use);
            }
        }
        in_use.drain(..).for_each(|node| node.put(&slabs));
        check(&slabs, &[]);
        assert!(slabs.slabs() <= 2);
    }
}

#[test]
fn a_slab_holds_as_many_as_fit() {
    let slabs = Slabs::new();
    let mut leaves: Vec<_> = (0..15).map(|number| InUse::take(&slabs, layout(256, 64), number)).collect();
    check(&slabs, &leaves);
    assert_eq!(slabs.slabs(), 1);
    leaves.push(InUse::take(&slabs, layout(256, 64), 15));
    assert_eq!(slabs.slabs(), 2);
    // What was freed last is used first, of the slab that had a place last.
    let freed = leaves.swap_remove(3);
    let address = freed.node;
    freed.put(&slabs);
    leaves.push(InUse::take(&slabs, layout(256, 64), 16));
    assert_eq!(leaves.last().map(|leaf| leaf.node), Some(address));
    check(&slabs, &leaves);
    leaves.drain(..).for_each(|leaf| leaf.put(&slabs));
}

#[test]
fn what_does_not_fit_is_the_sources() {
    let (slabs, mut in_use) = (Slabs::new(), Vec::new());
    let others =
        [layout(BYTES / 2, 64), layout(BYTES * 2, 64), layout(4, 4), layout(64, BYTES), layout(96, 64)];
    for (number, layout) in (0..).zip(others) {
        in_use.push(InUse::take(&slabs, layout, number));
    }
    assert_eq!(slabs.slabs(), 0, "a layout took a cache");
    in_use.push(InUse::take(&slabs, layout(64, 64), 9));
    in_use.push(InUse::take(&slabs, layout(128, 64), 10));
    assert_eq!(slabs.slabs(), 2);
    // A third layout finds no cache, whether others are in use or not.
    in_use.push(InUse::take(&slabs, layout(192, 64), 11));
    in_use.drain(..7).for_each(|node| node.put(&slabs));
    in_use.push(InUse::take(&slabs, layout(192, 64), 12));
    assert_eq!(slabs.slabs(), 2);
    in_use.drain(..).for_each(|node| node.put(&slabs));
}
