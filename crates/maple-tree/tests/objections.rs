//! The seven objections that were raised when it was asked whether an erased entry of a maple tree could be
//! treated like a gap, each with the case that it is about and what this tree does.
//!
//! All tests begin with entries of 5 indices without gaps between them, in small nodes: a leaf takes 4 entries
//! (20 indices), a branch 4 leaves or branches (80 indices, 320, ...).

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{Direction, GapRequest, IndexRange, MapleTree, NodeAlloc, SmallGaps};

type Tree<A> = MapleTree<(), SmallGaps, A>;

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("not empty")
}

/// The range of an entry.
fn entry(i: u64) -> IndexRange {
    range(i * 5, i * 5 + 4)
}

/// A tree in which nothing is free.
fn full_tree_in<A: NodeAlloc>(entries: u64, alloc: A) -> Tree<A> {
    let mut tree = Tree::bounded_in(range(0, entries * 5 - 1), alloc);
    for i in 0..entries {
        tree.insert(entry(i), ()).expect("free, and there is memory");
    }
    assert_eq!(tree.gaps().next(), None);
    tree
}

fn full_tree(entries: u64) -> Tree<maple_tree::Global> {
    full_tree_in(entries, maple_tree::Global)
}

fn erase<A: NodeAlloc>(tree: &mut Tree<A>, entries: impl IntoIterator<Item = u64>) {
    for i in entries {
        assert_eq!(tree.erase(i * 5), Some((entry(i), ())));
        assert_eq!(tree.validate(), Ok(()));
    }
}

/// Compares a node with what `dump` says about it: its heading and its own slots, without what is below.
#[track_caller]
fn assert_node<A: NodeAlloc>(tree: &Tree<A>, expected: &[&str]) {
    let text = tree.dump().to_string();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let heading = expected[0].split(": ").next().unwrap_or_default();
    let mut lines = text.lines().skip_while(|line| !line.trim_start().starts_with(heading));
    let first = lines.next().unwrap_or_else(|| unreachable!("no {heading} in\n{text}"));
    let below = lines.take_while(|line| indent(line) > indent(first));
    let slots = below.filter(|line| indent(line) == indent(first) + 2);
    let found: Vec<_> = [first].into_iter().chain(slots).map(str::trim_start).collect();
    assert_eq!(found, expected);
}

fn find<A: NodeAlloc>(tree: &Tree<A>, size: u64, align: u64, direction: Direction) -> Option<IndexRange> {
    tree.find_gap(&GapRequest::new(.., size, align, direction).expect("makes sense"))
}

fn highest<A: NodeAlloc>(tree: &Tree<A>, size: u64) -> Option<IndexRange> {
    find(tree, size, 1, Direction::TopDown)
}

fn lowest<A: NodeAlloc>(tree: &Tree<A>, size: u64) -> Option<IndexRange> {
    find(tree, size, 1, Direction::BottomUp)
}

/// *Gaps are propagated up the tree, so an entry that is there but does not count changes the gap calculation.*
///
/// There is no such entry. An erased entry is an empty slot, which is what a gap always was, and the same call
/// propagates it to the root.
#[test]
fn objection_1_gaps_are_propagated_up_the_tree() {
    let mut tree = full_tree(64);
    assert_node(
        &tree,
        &[
            "branch 0x0..=0x13f: 4 slots, 4 live, head 0x0, tail 0x0",
            "0x0..=0x4f: full",
            "0x50..=0x9f: full",
            "0xa0..=0xef: full",
            "0xf0..=0x13f: full",
        ],
    );
    erase(&mut tree, [21]);
    assert_node(
        &tree,
        &[
            "leaf 0x64..=0x77: 4 slots, 3 live",
            "0x64..=0x68: entry",
            "0x69..=0x6d: empty",
            "0x6e..=0x72: entry",
            "0x73..=0x77: entry",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0x50..=0x9f: 4 slots, 4 live, head 0x0, tail 0x0",
            "0x50..=0x63: full",
            "0x64..=0x77: longest 0x5, natural 0x2",
            "0x78..=0x8b: full",
            "0x8c..=0x9f: full",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0x0..=0x13f: 4 slots, 4 live, head 0x0, tail 0x0",
            "0x0..=0x4f: full",
            "0x50..=0x9f: longest 0x5, natural 0x2",
            "0xa0..=0xef: full",
            "0xf0..=0x13f: full",
        ],
    );
    assert_eq!((tree.len(), tree.get(21 * 5)), (63, None));
    assert_eq!((highest(&tree, 5), highest(&tree, 6)), (Some(entry(21)), None));
    // And back.
    tree.insert(entry(21), ()).expect("free");
    assert_eq!(tree.dump().to_string(), full_tree(64).dump().to_string());
}

/// *An erased entry at the edge of a node: the gap is not all in that node. One node ends with a gap of 5, the
/// next one begins with a gap of 5. What does the parent record?*
///
/// 10, for the slot in which the gap begins; that is exactly what `longest` means. Each leaf knows its own 5 and
/// nothing of the other.
#[test]
fn objection_2_gap_at_the_edge_of_a_node() {
    let mut tree = full_tree(64);
    erase(&mut tree, [3, 4]);
    assert_node(
        &tree,
        &[
            "leaf 0x0..=0x13: 4 slots, 3 live",
            "0x0..=0x4: entry",
            "0x5..=0x9: entry",
            "0xa..=0xe: entry",
            "0xf..=0x13: empty",
        ],
    );
    assert_node(
        &tree,
        &[
            "leaf 0x14..=0x27: 4 slots, 3 live",
            "0x14..=0x18: empty",
            "0x19..=0x1d: entry",
            "0x1e..=0x22: entry",
            "0x23..=0x27: entry",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0x0..=0x4f: 4 slots, 4 live, head 0x0, tail 0x0",
            "0x0..=0x13: longest 0xa, natural 0x9",
            "0x14..=0x27: longest 0x5, natural 0x4",
            "0x28..=0x3b: full",
            "0x3c..=0x4f: full",
        ],
    );
    assert_eq!((highest(&tree, 10), highest(&tree, 11)), (Some(range(15, 24)), None));
    // It can be used as a whole, and then it is in one slot.
    tree.insert(15..=24, ()).expect("free");
    assert_eq!(tree.get_entry(20), Some((range(15, 24), ())));
    assert_eq!((tree.validate(), highest(&tree, 1)), (Ok(()), None));
}

/// *What if that happens several levels up?*
///
/// The same. The lowest branch that spans the gap records it; those below know their part by `head` and `tail`,
/// however many there are.
#[test]
fn objection_3_gap_across_nodes_several_levels_up() {
    let mut tree = full_tree(64);
    erase(&mut tree, [31, 32]);
    assert_node(
        &tree,
        &[
            "branch 0x50..=0x9f: 4 slots, 4 live, head 0x0, tail 0x5",
            "0x50..=0x63: full",
            "0x64..=0x77: full",
            "0x78..=0x8b: full",
            "0x8c..=0x9f: longest 0x5, natural 0x4",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0xa0..=0xef: 4 slots, 4 live, head 0x5, tail 0x0",
            "0xa0..=0xb3: longest 0x5, natural 0x5",
            "0xb4..=0xc7: full",
            "0xc8..=0xdb: full",
            "0xdc..=0xef: full",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0x0..=0x13f: 4 slots, 4 live, head 0x0, tail 0x0",
            "0x0..=0x4f: full",
            "0x50..=0x9f: longest 0xa, natural 0x5",
            "0xa0..=0xef: longest 0x5, natural 0x5",
            "0xf0..=0x13f: full",
        ],
    );
    assert_eq!((highest(&tree, 10), lowest(&tree, 10)), (Some(range(155, 164)), Some(range(155, 164))));

    // At each boundary of a tree of five levels.
    let entries = if cfg!(miri) { 272 } else { 1024 };
    let mut tree = full_tree(entries);
    assert_eq!(tree.stats().height, 5);
    for boundary in [4, 16, 64, 256, 512, 768, 960, 1008].into_iter().filter(|&boundary| boundary < entries) {
        erase(&mut tree, [boundary - 1, boundary]);
        let gap = range((boundary - 1) * 5, boundary * 5 + 4);
        assert_eq!((highest(&tree, 10), lowest(&tree, 10), highest(&tree, 11)), (Some(gap), Some(gap), None));
        tree.insert(gap, ()).expect("free");
        assert_eq!(tree.validate(), Ok(()));
    }
}

/// *How is such a gap found, and what is returned that makes sense to the caller?*
///
/// By the same descent as any other, trying the run across the edge of a child beside what is inside. What is
/// returned is the range of indices, not a slot. The cut does not show.
#[test]
fn objection_4_what_the_search_finds() {
    let mut tree = full_tree(64);
    // Two gaps of 15, one cut between leaves, one cut between branches.
    erase(&mut tree, [3, 4, 5, 47, 48, 49]);
    let (low, high) = (range(15, 29), range(235, 249));
    assert_eq!((lowest(&tree, 15), highest(&tree, 15)), (Some(low), Some(high)));
    assert_eq!(tree.gaps().collect::<Vec<_>>(), [low, high]);
    assert_eq!((tree.longest_gap(..), tree.longest_gap(..200)), (Some(high), Some(low)));
    // Aligned, over the cut at 20 and over the one at 240.
    assert_eq!(find(&tree, 8, 8, Direction::BottomUp), Some(range(16, 23)));
    assert_eq!(find(&tree, 12, 4, Direction::BottomUp), Some(range(16, 27)));
    assert_eq!(find(&tree, 14, 2, Direction::TopDown), Some(range(236, 249)));
    // In a window that ends on either side of the cut, or at it.
    let in_window = |first: u64, last: u64, size| {
        tree.find_gap(&GapRequest::new(first..=last, size, 1, Direction::TopDown).expect("makes sense"))
    };
    assert_eq!(in_window(0, 21, 7), Some(range(15, 21)));
    assert_eq!(in_window(0, 21, 8), None);
    assert_eq!(in_window(18, 100, 12), Some(range(18, 29)));
    assert_eq!(in_window(20, 239, 10), Some(range(20, 29)));
    assert_eq!(in_window(30, 239, 5), Some(range(235, 239)));
}

/// *What if the gap covers a whole node, or more?*
///
/// A node in which nothing is live does not stay: it is given back, its slot in the branch above is empty, and
/// so on upwards. So a gap of any length is a few empty slots, at different levels.
#[test]
fn objection_5_gap_over_whole_nodes() {
    let mut tree = full_tree(64);
    let nodes = (tree.stats().leaves, tree.stats().branches);
    // From the last entry of a leaf, over 6 leaves and a branch, to the first entry of a leaf.
    erase(&mut tree, 27..=52);
    let gap = range(27 * 5, 52 * 5 + 4);
    assert_node(
        &tree,
        &[
            "branch 0x50..=0x9f: 4 slots, 3 live, head 0x0, tail 0x19",
            "0x50..=0x63: full",
            "0x64..=0x77: full",
            "0x78..=0x8b: longest 0x19, natural 0x10",
            "0x8c..=0x9f: longest 0x14, natural 0x10 empty",
        ],
    );
    assert_node(
        &tree,
        &[
            "branch 0x0..=0x13f: 4 slots, 3 live, head 0x0, tail 0x0",
            "0x0..=0x4f: full",
            "0x50..=0x9f: longest 0x82, natural 0x40",
            "0xa0..=0xef: longest 0x69, natural 0x40 empty",
            "0xf0..=0x13f: longest 0x19, natural 0x10",
        ],
    );
    assert_eq!((highest(&tree, 130), highest(&tree, 131)), (Some(gap), None));
    assert_eq!((tree.stats().leaves, tree.stats().branches), (nodes.0 - 6, nodes.1 - 1));
    // One entry over all of it needs no memory: it goes into a leaf at the edge, which grows.
    tree.insert(gap, ()).expect("free");
    assert_eq!((tree.len(), tree.validate()), (39, Ok(())));
    assert_eq!((tree.stats().leaves, tree.stats().branches), (nodes.0 - 6, nodes.1 - 1));
}

/// *How much data is in a node? Is an erased entry kept when we rebalance?*
///
/// Occupancy counts live slots only, and erasing joins empty slots, so erased entries are not kept: a node that
/// gets sparse is joined with the one beside it, fragments of one gap become one slot, and a node is given back.
#[test]
fn objection_6_occupancy_counts_live_slots_only() {
    let mut tree = full_tree(64);
    erase(&mut tree, [2, 3, 5, 4]);
    // 4 of 8 slots are live. The gap is in two fragments, and takes two slots and not four.
    assert_node(
        &tree,
        &["leaf 0x0..=0x13: 3 slots, 2 live", "0x0..=0x4: entry", "0x5..=0x9: entry", "0xa..=0x13: empty"],
    );
    assert_node(
        &tree,
        &[
            "leaf 0x14..=0x27: 3 slots, 2 live",
            "0x14..=0x1d: empty",
            "0x1e..=0x22: entry",
            "0x23..=0x27: entry",
        ],
    );
    let leaves = tree.stats().leaves;
    // One more, and 3 live slots and one gap fit into one leaf.
    erase(&mut tree, [6]);
    assert_node(
        &tree,
        &[
            "leaf 0x0..=0x27: 4 slots, 3 live",
            "0x0..=0x4: entry",
            "0x5..=0x9: entry",
            "0xa..=0x22: empty",
            "0x23..=0x27: entry",
        ],
    );
    assert_eq!(tree.stats().leaves, leaves - 1);
    assert_eq!(highest(&tree, 25), Some(range(10, 34)));
    // At the end no more is left than in a tree that never had more.
    erase(&mut tree, (8..64).chain([0, 7]));
    assert_node(
        &tree,
        &["leaf 0x0..=0x13f: 3 slots, 1 live", "0x0..=0x4: empty", "0x5..=0x9: entry", "0xa..=0x13f: empty"],
    );
    assert_eq!((tree.stats().height, tree.slots().leaves.empty), (1, 2));
}

/// *Must the tree be marked as being in an odd state, to keep other stores out until it is cleaned? How?*
///
/// There is no odd state and nothing to clean: after each erase, even with no memory at all, the tree is valid and
/// every other operation works at once, also on the very range that was erased.
#[test]
fn objection_7_no_odd_state() {
    let alloc = FaultyAlloc::new(Plan::Never);
    // A gap across branches. It is filled with one entry, as two, and with one that leaves gaps on both sides.
    for parts in [&[range(155, 164)][..], &[range(155, 157), range(158, 164)], &[range(158, 161)]] {
        alloc.set_plan(Plan::Never);
        let mut tree = full_tree_in(64, &alloc);
        alloc.set_plan(Plan::After(0));
        let calls = alloc.counts().calls;
        erase(&mut tree, [31, 32]);
        for &part in parts {
            tree.insert(part, ()).expect("free, and needs no memory");
            assert_eq!(tree.validate(), Ok(()));
        }
        for &part in parts {
            assert_eq!(tree.erase(part.last()), Some((part, ())));
            assert_eq!((tree.longest_gap(part), tree.validate()), (Some(part), Ok(())));
        }
        for i in [32, 31] {
            tree.insert(entry(i), ()).expect("free, and needs no memory");
        }
        assert_eq!((alloc.counts().calls, tree.gaps().next()), (calls, None));
    }

    // The tree is emptied in an order that leaves gaps everywhere; each range is found and used again at once.
    // (That may take a node, if the erase gave one back.)
    alloc.set_plan(Plan::Never);
    let mut tree = full_tree_in(64, &alloc);
    for i in (0..64).map(|i| i * 37 % 64) {
        alloc.set_plan(Plan::After(0));
        erase(&mut tree, [i]);
        assert_eq!(tree.longest_gap(entry(i)), Some(entry(i)));
        alloc.set_plan(Plan::Never);
        tree.insert(entry(i), ()).expect("free, and there is memory");
        alloc.set_plan(Plan::After(0));
        erase(&mut tree, [i]);
    }
    assert_eq!((tree.is_empty(), alloc.counts().live), (true, 0));
}
