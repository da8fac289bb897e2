//! The way that a search notes, against walking it; what is found is compared with a model in `tests/model`.

use fastrand::Rng;

use crate::node::{Layout, Node, Shape};
use crate::raw::path::Path;
use crate::{Direction, GapRequest, Gaps, IndexRange, MapleTree, SmallGaps};

/// The range of a slot of the leaf at the end of a path, if the slot is empty.
fn empty_slot<L: Layout>(tree: &MapleTree<(), L>, path: &Path, slot: usize) -> Option<IndexRange> {
    let (mut link, mut bounds) = (tree.raw().root()?, tree.bounds());
    for depth in 0..path.depth() {
        let Node::Branch(branch) = link.node() else { return None };
        bounds = branch.range_of(path.slot(depth), bounds);
        link = branch.slot(path.slot(depth))?;
    }
    let Node::Leaf(leaf) = link.node() else { return None };
    leaf.is_empty(slot).then(|| leaf.range_of(slot, bounds))
}

fn ways<L: crate::node::TracksGaps>(seed: u64) {
    const END: u64 = 2000;
    let mut rng = Rng::with_seed(seed);
    let mut tree = MapleTree::<(), L>::bounded(IndexRange::new(0, END - 1).unwrap());
    let (mut in_a_slot, mut across) = (0, 0);
    for _ in 0..if cfg!(miri) { 100 } else { 20_000 } {
        if rng.u8(0..3) == 0 {
            tree.erase(rng.u64(0..END));
        } else {
            let first = rng.u64(0..END);
            let _ = tree.insert(first..=(first + rng.u64(0..6)).min(END - 1), ());
        }
        let window = if rng.bool() { 0..END } else { rng.u64(0..END / 2)..rng.u64(END / 2 + 1..END) };
        let direction = if rng.bool() { Direction::TopDown } else { Direction::BottomUp };
        let request = GapRequest::new(window, rng.u64(1..30), 1 << rng.u32(0..6), direction).unwrap();
        let mut path = Path::root();
        let fit = tree.raw().find_gap_noting(&request, &mut path);
        assert_eq!(fit.map(|fit| fit.range), tree.find_gap(&request), "{request:?}");
        let Some(fit) = fit else { continue };
        if let Some(slot) = fit.slot {
            let range = empty_slot(&tree, &path, slot);
            assert!(
                range.is_some_and(|range| range.contains_range(fit.range)),
                "{request:?}: {fit:?}, {path:?}"
            );
            in_a_slot += 1;
        } else {
            across += 1;
        }
    }
    assert!(cfg!(miri) || across > 100 && in_a_slot > 100, "{across} across slots, {in_a_slot} in one");
}

#[test]
fn the_way_leads_to_the_slot() {
    for seed in 0..4 {
        ways::<Gaps>(seed);
        ways::<SmallGaps>(seed);
    }
}
