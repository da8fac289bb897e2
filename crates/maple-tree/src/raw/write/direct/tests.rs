//! Insertions along a path, beside a tree in which they are made by index.

use core::num::NonZeroU64;

use fastrand::Rng;

use crate::map::words::keep;
use crate::node::{Node, Shape};
use crate::raw::path::Path;
use crate::{IndexRange, MapleTree, SmallGaps};

/// The way to the slot in which `index` lies, if that is an empty one of a leaf.
fn way_to(tree: &MapleTree<NonZeroU64, SmallGaps>, index: u64) -> Option<(Path, usize, IndexRange)> {
    let (mut path, mut bounds) = (Path::root(), tree.bounds());
    let mut link = tree.raw().root()?;
    loop {
        match link.node() {
            Node::Branch(branch) => {
                let slot = branch.find(index);
                path.push(slot);
                bounds = branch.range_of(slot, bounds);
                link = branch.slot(slot)?;
            }
            Node::Leaf(leaf) => {
                let slot = leaf.find(index);
                return leaf.is_empty(slot).then(|| (path, slot, leaf.range_of(slot, bounds)));
            }
        }
    }
}

#[test]
fn along_a_path_and_by_index() {
    let mut rng = Rng::with_seed(1);
    let bounds = IndexRange::new(100, 100 + 1000).unwrap();
    let mut tree: MapleTree<NonZeroU64, SmallGaps> = MapleTree::bounded(bounds);
    let mut other: MapleTree<NonZeroU64, SmallGaps> = MapleTree::bounded(bounds);
    let (mut along, mut refused) = (0, 0);
    for round in 0..if cfg!(miri) { 100 } else { 3000 } {
        let index = rng.u64(bounds.first()..=bounds.last());
        let value = NonZeroU64::MIN.saturating_add(round);
        if rng.u8(0..5) < 2 {
            assert_eq!(tree.erase(index), other.erase(index));
        } else if let Some((path, slot, free)) = way_to(&tree, index) {
            let range = IndexRange::new(index, rng.u64(index..=free.last().min(index + 9))).unwrap();
            match tree.raw_mut().insert_along(&path, slot, range, Some(keep(value))) {
                Some(()) => along += 1,
                None => {
                    refused += 1;
                    assert_eq!(tree.validate(), Ok(()));
                    assert_eq!(tree.insert(range, value), Ok(()));
                }
            }
            assert_eq!(other.insert(range, value), Ok(()));
        } else {
            assert_eq!(tree.insert(index..=index, value).is_ok(), other.insert(index..=index, value).is_ok());
        }
        assert_eq!(tree.validate(), Ok(()));
        assert!(tree.iter().eq(other.iter()) && tree.len() == other.len());
    }
    assert!(along > 20 && refused > 20, "{along} along a path, {refused} where that needs more");
}
