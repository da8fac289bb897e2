//! The checker finds each kind of violation.
//!
//! A tree is corrupted by exchanging one thing for another, so doing it again puts the tree in order.

use std::string::ToString;

use super::{Violation, validate};
use crate::alloc::{AllocMode, Global};
use crate::entry::{Entry, Held};
use crate::gap::{NaturalSize, Summary};
use crate::node::tests::{flip_empty, swap_edges, swap_len, swap_pivot, swap_slot, swap_summary};
use crate::node::{Layout, Link, Memory, NodeMut, Shape, SmallGaps, SmallNoGaps, Store};
use crate::range::IndexRange;
use crate::raw::RawTree;

type Tree<L> = RawTree<L, Global>;
type Leaf = <SmallGaps as Layout>::Leaf;
type Branch = <SmallGaps as Layout>::Branch;

fn word() -> Held {
    Held(().into_word())
}

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).unwrap()
}

/// Entries over 10..=14, 20..=24, and so on.
fn tree<L: Layout>(entries: u64) -> Tree<L> {
    let mut tree = RawTree::new(IndexRange::FULL, Global);
    for i in 1..=entries {
        tree.insert(range(i * 10, i * 10 + 4), Some(word()), AllocMode::Normal).unwrap();
    }
    tree
}

/// What the checker says about a tree of so many entries after a corruption, which doing it again undoes.
fn violation_of<L: Layout>(entries: u64, mut corrupt: impl FnMut(&mut Tree<L>)) -> Violation {
    let mut tree = tree(entries);
    assert_eq!(validate(&tree), Ok(()));
    corrupt(&mut tree);
    let violation = validate(&tree).unwrap_err();
    corrupt(&mut tree);
    assert_eq!(validate(&tree), Ok(()));
    tree.clear(|_| ());
    violation
}

fn root<L: Layout>(tree: &mut Tree<L>) -> &mut L::Branch {
    match tree.root_mut().unwrap().node_mut() {
        NodeMut::Branch(branch) => branch,
        NodeMut::Leaf(_) => panic!("the root is a leaf"),
    }
}

fn first_branch<L: Layout>(branch: &mut L::Branch) -> &mut L::Branch {
    match branch.slot_mut(0).unwrap().node_mut() {
        NodeMut::Branch(branch) => branch,
        NodeMut::Leaf(_) => panic!("a leaf below the root"),
    }
}

/// The leaf that is the whole tree, or the first one.
fn first_leaf(link: &mut Link<SmallGaps>) -> &mut Leaf {
    match link.node_mut() {
        NodeMut::Leaf(leaf) => leaf,
        NodeMut::Branch(branch) => first_leaf(branch.slot_mut(0).unwrap()),
    }
}

/// What the checker says about a tree that is one leaf: empty, entry at 10..=14, empty.
fn violation_of_leaf(mut corrupt: impl FnMut(&mut Leaf)) -> Violation {
    violation_of(1, |tree| corrupt(first_leaf(tree.root_mut().unwrap())))
}

/// What the checker says about a tree of two levels.
fn violation_of_root(mut corrupt: impl FnMut(&mut Branch)) -> Violation {
    violation_of::<SmallGaps>(8, |tree| {
        assert_eq!(tree.height(), 2);
        corrupt(root(tree));
    })
}

const FULL: IndexRange = IndexRange::FULL;

#[test]
fn a_pivot_that_is_not_greater() {
    for pivot in [9, 8] {
        let mut pivot = pivot;
        let violation = violation_of_leaf(|leaf| swap_pivot(leaf, 1, &mut pivot));
        assert_eq!(violation, Violation::PivotOrder { node: FULL, slot: 1 });
    }
}

#[test]
fn a_pivot_out_of_bounds() {
    let mut pivot = u64::MAX;
    let violation = violation_of_leaf(|leaf| swap_pivot(leaf, 1, &mut pivot));
    assert_eq!(violation, Violation::PivotOrder { node: FULL, slot: 1 });

    let mut pivot = u64::MAX - 1;
    let violation = violation_of_root(|root| {
        swap_pivot(first_leaf(root.slot_mut(0).unwrap()), 0, &mut pivot);
    });
    assert!(matches!(violation, Violation::PivotOrder { node, slot: 0 } if node != FULL), "{violation}");
}

#[test]
fn a_pivot_that_is_not_in_use() {
    let mut pivot = 100;
    let violation = violation_of_leaf(|leaf| swap_pivot(leaf, 2, &mut pivot));
    assert_eq!(violation, Violation::UnusedPivot { node: FULL, slot: 2 });
}

#[test]
fn a_slot_that_is_not_in_use() {
    let mut held = Some(word());
    let violation = violation_of_leaf(|leaf| swap_slot(leaf, 3, &mut held));
    assert_eq!(violation, Violation::UnusedSlot { node: FULL, slot: 3 });
}

#[test]
fn a_bitmap_that_is_wrong() {
    // A live slot, one that is not in use.
    for slot in [1, 4] {
        let violation = violation_of_leaf(|leaf| flip_empty(leaf, slot));
        assert_eq!(violation, Violation::EmptyBitmap { node: FULL, slot });
    }
    let mut taken = None;
    let violation = violation_of_root(|root| swap_slot(root, 0, &mut taken));
    assert!(matches!(violation, Violation::EmptyBitmap { slot: 0, .. }), "{violation}");
}

/// A leaf's slot that is neither empty nor holds anything is reserved.
#[test]
fn a_reserved_slot_too_many() {
    let violation = violation_of_leaf(|leaf| flip_empty(leaf, 0));
    assert_eq!(violation, Violation::EntryCount { stored: (1, 0), counted: (1, 1) });
    let mut held = None;
    let violation = violation_of_leaf(|leaf| swap_slot(leaf, 1, &mut held));
    assert_eq!(violation, Violation::EntryCount { stored: (1, 0), counted: (0, 1) });
}

#[test]
fn too_few_slots_and_too_many() {
    for wrong in [0, 6, u8::MAX] {
        let mut len = wrong;
        let violation = violation_of_leaf(|leaf| swap_len(leaf, &mut len));
        assert_eq!(violation, Violation::SlotCount { node: FULL, len: usize::from(wrong) });
    }
}

#[test]
fn a_leaf_that_is_not_deep_enough() {
    let mut taken = None;
    let violation = violation_of::<SmallGaps>(20, |tree| {
        assert_eq!(tree.height(), 3);
        let root = root(tree);
        // The first branch for its own first leaf, and back.
        match taken.take() {
            None => {
                let leaf = first_branch::<SmallGaps>(root).put(0, None);
                taken = root.put(0, leaf);
            }
            Some(branch) => {
                let leaf = root.put(0, Some(branch));
                first_branch::<SmallGaps>(root).put(0, leaf);
            }
        }
    });
    assert!(matches!(violation, Violation::Depth { depth: 1, .. }), "{violation}");
}

#[test]
fn a_leaf_that_is_too_deep() {
    let mut memory: Memory<SmallGaps, Global> = Memory::new(Global);
    let mut between = Some(memory.new_branch(AllocMode::Normal).unwrap());
    if let Some(NodeMut::Branch(branch)) = between.as_mut().map(Link::node_mut) {
        branch.splice(0, 0, 1);
    }
    let violation = violation_of_root(|root| {
        // A branch between the root and the first leaf, and out again.
        if let Some(mut link) = between.take() {
            let leaf = root.put(0, None);
            if let NodeMut::Branch(branch) = link.node_mut() {
                branch.put(0, leaf);
            }
            root.put(0, Some(link));
        } else {
            let leaf = first_branch::<SmallGaps>(root).put(0, None);
            between = root.put(0, leaf);
        }
    });
    assert!(matches!(violation, Violation::Depth { depth: 1, .. }), "{violation}");
    memory.release(between.unwrap());
}

#[test]
fn a_node_in_which_nothing_is_live() {
    let mut held = None;
    let violation = violation_of_leaf(|leaf| held = leaf.put(1, held.take()));
    assert_eq!(violation, Violation::NothingLive { node: FULL });
}

#[test]
fn two_empty_slots_side_by_side() {
    let mut held = None;
    let violation = violation_of::<SmallGaps>(2, |tree| {
        let leaf = first_leaf(tree.root_mut().unwrap());
        held = leaf.put(1, held.take());
    });
    assert_eq!(violation, Violation::Fragments { node: FULL, slot: 1 });
}

#[test]
fn a_slot_whose_longest_run_is_wrong() {
    for (longer, more) in [(1, 0), (u64::MAX, 0), (0, 1), (0, u64::MAX)] {
        let mut wrong = None;
        let violation = violation_of_root(|root| {
            let right = root.store().get(1);
            let wrong = wrong.get_or_insert(Summary {
                longest: right.longest.wrapping_add(longer),
                natural: NaturalSize::at_most(right.natural.size().wrapping_add(more)),
            });
            swap_summary(root, 1, wrong);
        });
        let Violation::SlotSummary { node: FULL, slot: 1, stored, expected } = violation else {
            panic!("{violation}");
        };
        assert_eq!(stored, (expected.0.wrapping_add(longer), expected.1.wrapping_add(more)));
    }
}

#[test]
fn a_wrong_head_and_a_wrong_tail() {
    let edges = (10, u64::MAX - 84);
    for wrong in [(9, edges.1), (edges.0, edges.1 - 1), (0, edges.1), (edges.1, edges.0)] {
        let mut stored = wrong;
        let violation = violation_of_root(|root| swap_edges(root, &mut stored));
        assert_eq!(violation, Violation::EdgeSummary { node: FULL, stored: wrong, expected: edges });
    }
}

#[test]
fn an_entry_too_many_and_one_too_few() {
    for wrong in [0, 2] {
        let mut stored = wrong;
        let violation = violation_of::<SmallGaps>(1, |tree| core::mem::swap(tree.entries_mut(), &mut stored));
        assert_eq!(violation, Violation::EntryCount { stored: (wrong, 0), counted: (1, 0) });
    }
}

/// In a tree without summaries, where nothing else gives it away.
#[test]
fn a_node_that_was_lost() {
    let mut taken = None;
    let violation = violation_of::<SmallNoGaps>(8, |tree| {
        let root = root(tree);
        taken = root.put(1, taken.take());
    });
    let Violation::NodeCount { stored: (leaves, 1), counted } = violation else { panic!("{violation}") };
    assert_eq!(counted, (leaves - 1, 1));
}

/// In the same way: the roots of two trees of different sizes change places.
#[test]
fn nodes_that_are_not_the_trees_own() {
    let mut other = tree::<SmallNoGaps>(8);
    let violation = violation_of::<SmallNoGaps>(4, |tree| {
        assert_eq!(tree.height(), other.height());
        core::mem::swap(tree.root_mut().unwrap(), other.root_mut().unwrap());
    });
    let Violation::NodeCount { stored: (leaves, 1), counted } = violation else { panic!("{violation}") };
    assert!(leaves < counted.0 && counted == (other.memory().leaves(), 1));
    other.clear(|_| ());
}

#[test]
fn violations_name_the_invariant() {
    let node = IndexRange::FULL;
    for (violation, name) in [
        (Violation::PivotOrder { node, slot: 0 }, "N1: "),
        (Violation::UnusedPivot { node, slot: 0 }, "N1: "),
        (Violation::UnusedSlot { node, slot: 0 }, "N2: "),
        (Violation::EmptyBitmap { node, slot: 0 }, "N3: "),
        (Violation::Fragments { node, slot: 1 }, "N4: "),
        (Violation::SlotCount { node, len: 0 }, "T1: "),
        (Violation::Depth { node, depth: 0 }, "T2: "),
        (Violation::NothingLive { node }, "T3: "),
        (Violation::SlotSummary { node, slot: 0, stored: (0, 0), expected: (0, 0) }, "T4: "),
        (Violation::EdgeSummary { node, stored: (0, 0), expected: (0, 0) }, "T4: "),
        (Violation::EntryCount { stored: (0, 0), counted: (0, 0) }, "T5: "),
        (Violation::NodeCount { stored: (0, 0), counted: (0, 0) }, "T5: "),
    ] {
        assert!(violation.to_string().starts_with(name));
    }
}
