//! Trees as text and back.
#![cfg(feature = "serde")]

use std::num::NonZeroU64;

use maple_tree::{Content, Global, IndexRange, MapleTree, NoGaps};
use serde_json::{from_str, to_string};

type Tree = MapleTree<NonZeroU64, NoGaps, Global>;

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("not empty")
}

/// All ranges of a tree and what is there.
fn contents(tree: &Tree) -> Vec<(IndexRange, Content<NonZeroU64>)> {
    let mut cursor = tree.cursor_front();
    std::iter::from_fn(|| cursor.next_range()).collect()
}

#[test]
fn there_and_back() {
    for (bounds, step) in
        [(IndexRange::FULL, u64::MAX / 300), (range(0, 999), 3), (range(u64::MAX - 1000, u64::MAX), 3)]
    {
        let mut tree = Tree::bounded(bounds);
        let mut rng = fastrand::Rng::with_seed(1);
        for i in 0..300 {
            let range = range(bounds.first() + i * step, bounds.first() + i * step + rng.u64(0..step));
            match rng.u8(0..3) {
                0 => tree.insert(range, NonZeroU64::MIN.saturating_add(i)).expect("free"),
                1 => tree.reserve(range).expect("free"),
                _ => {}
            }
        }
        let text = to_string(&tree).expect("there is nothing that cannot be written");
        let again: Tree = from_str(&text).expect("the same");
        assert_eq!(again.bounds(), bounds);
        assert_eq!(contents(&again), contents(&tree));
        assert_eq!(again.validate(), Ok(()));
    }
}

#[test]
fn text_that_is_not_a_tree() {
    for (text, reason) in [
        (r#"{"bounds":[9,1],"entries":[],"reserved":[]}"#, "the range 9..=1 is reversed"),
        (r#"{"bounds":[0,9],"entries":[[[3,12],1]],"reserved":[]}"#, "outside of the tree's bounds"),
        (r#"{"bounds":[0,9],"entries":[[[3,4],1],[[4,5],1]],"reserved":[]}"#, "the entry at 0x4..=0x5"),
        (r#"{"bounds":[0,9],"entries":[[[3,4],1],[[1,1],1]],"reserved":[]}"#, "the entry at 0x1..=0x1"),
        (r#"{"bounds":[0,9],"entries":[[[3,4],1]],"reserved":[[4,4]]}"#, "the reserved range at 0x4..=0x4"),
        (r#"{"bounds":[0,9],"entries":[[[3,4],0]],"reserved":[]}"#, "expected a nonzero u64"),
        (r#"{"entries":[],"reserved":[]}"#, "missing field `bounds`"),
        ("[]", "invalid length 0"),
    ] {
        let error = from_str::<Tree>(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{error}");
    }
}
