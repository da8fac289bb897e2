//! What a tree takes: bytes per node and per entry, and what a thread may do with it.
//!
//! `cargo test -p maple-tree --test sizes -- --nocapture` prints the bytes per entry.

// Millions of operations, to count bytes.
#![cfg(not(miri))]

use std::cell::Cell;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::ptr::NonNull;
use std::sync::Arc;

use fastrand::Rng;
use maple_tree::{
    Cursor, CursorMut, Direction, Drain, GapRequest, Gaps, Global, IndexRange, IntoIter, Iter, IterMut,
    Layout, MapleTree, NoGaps, RangeMut,
};

const N: u64 = 100_000;

fn insert<L: Layout>(tree: &mut MapleTree<(), L>, first: u64, count: u64) {
    let range = IndexRange::sized(first, count).expect("not empty");
    tree.insert(range, ()).expect("free");
}

fn shuffled(n: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..n).collect();
    Rng::with_seed(1).shuffle(&mut order);
    order
}

/// A tree of entries in places of 16 indices, the first `count` of each.
fn filled<L: Layout>(order: impl IntoIterator<Item = u64>, count: u64) -> MapleTree<(), L> {
    let mut tree = MapleTree::new();
    for i in order {
        insert(&mut tree, i * 16, count);
    }
    tree
}

/// Half of the entries are erased and inserted again, ten times, never the same half.
fn churned<L: Layout>(count: u64) -> MapleTree<(), L> {
    let mut rng = Rng::with_seed(2);
    let mut order = shuffled(N);
    let mut tree = filled(order.iter().copied(), count);
    for _ in 0..10 {
        rng.shuffle(&mut order);
        let half = &order[..order.len() / 2];
        for i in half {
            tree.erase(i * 16);
        }
        for &i in half {
            insert(&mut tree, i * 16, count);
        }
    }
    tree
}

/// Ranges of 1 to 32 indices, naturally aligned, allocated from the top and freed at random.
fn steady() -> MapleTree<(), Gaps> {
    let mut rng = Rng::with_seed(3);
    let mut tree = MapleTree::new();
    let mut held = Vec::new();
    for _ in 0..5 * N {
        if held.len() as u64 == N {
            let which = rng.usize(0..held.len());
            tree.erase(held.swap_remove(which));
        }
        let size = 1 << rng.u32(0..6);
        let request = GapRequest::new(..1 << 32, size, size, Direction::TopDown).expect("makes sense");
        let range = tree.find_gap(&request).expect("there is room");
        tree.insert(range, ()).expect("free");
        held.push(range.first());
    }
    tree
}

fn check<L: Layout>(what: &str, tree: &MapleTree<(), L>, most: f64) {
    let stats = tree.stats();
    let bytes = stats.node_bytes as f64 / stats.entries as f64;
    println!("{what:<40} {bytes:>6.1} bytes per entry, height {}", stats.height);
    assert!(bytes <= most, "{what}: {bytes} bytes per entry");
}

/// With what was measured, and a little room.
#[test]
fn bytes_per_entry() {
    for (name, count, [in_order, random, churn, no_gaps]) in
        [("adjacent", 16, [20.0, 25.0, 24.0, 24.0]), ("with gaps", 8, [36.5, 50.0, 50.0, 47.0])]
    {
        check(&format!("{name}, ascending"), &filled::<Gaps>(0..N, count), in_order);
        check(&format!("{name}, descending"), &filled::<Gaps>((0..N).rev(), count), in_order);
        check(&format!("{name}, random"), &filled::<Gaps>(shuffled(N), count), random);
        check(&format!("{name}, half erased and inserted"), &churned::<Gaps>(count), churn);
        check(&format!("{name}, random, gaps not tracked"), &filled::<NoGaps>(shuffled(N), count), no_gaps);
    }
    check("natural ranges, steady state", &steady(), 31.0);
}

/// Most of the tree is erased: it gives nodes back.
#[test]
fn bytes_per_entry_after_erasing() {
    for (name, keep, in_order, random) in
        [("every 2nd", 2, 40.0, 74.0), ("every 16th", 16, 60.0, 75.0), ("every 100th", 100, 70.0, 77.0)]
    {
        let mut tree = filled::<Gaps>(0..N, 16);
        for i in (0..N).filter(|i| i % keep != 0) {
            tree.erase(i * 16);
        }
        check(&format!("{name} is left, erased in order"), &tree, in_order);
        let mut tree = filled::<Gaps>(shuffled(N), 8);
        for i in shuffled(N).into_iter().rev().filter(|i| i % keep != 0) {
            tree.erase(i * 16);
        }
        check(&format!("{name} is left, erased at random"), &tree, random);
    }
}

#[test]
fn nodes_are_256_and_512_bytes() {
    fn sizes<L: Layout>() -> (usize, usize) {
        let mut tree = MapleTree::<(), L>::new();
        insert(&mut tree, 0, 1);
        let leaf = tree.stats().node_bytes;
        for i in 1..100 {
            insert(&mut tree, i * 2, 1);
        }
        let stats = tree.stats();
        assert_eq!((stats.height, stats.branches), (2, 1));
        (leaf, stats.node_bytes - stats.leaves * leaf)
    }
    assert_eq!(sizes::<Gaps>(), (256, 512));
    assert_eq!(sizes::<NoGaps>(), (256, 512));
}

/// An empty tree is a few words and has no nodes.
#[test]
fn an_empty_tree_takes_nothing() {
    let tree: MapleTree<()> = MapleTree::new();
    assert_eq!(tree.stats().node_bytes, 0);
    assert!(size_of_val(&tree) <= 128);
}

/// Tells whether `T` is `Send` and whether it is `Sync`: an inherent constant comes before that of a trait.
struct Is<T>(PhantomData<T>);

trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T> Otherwise for Is<T> {}

impl<T: Send> Is<T> {
    const SEND: bool = true;
}

impl<T: Sync> Is<T> {
    const SYNC: bool = true;
}

macro_rules! threads {
    ($type:ty) => {
        (Is::<$type>::SEND, Is::<$type>::SYNC)
    };
}

#[test]
fn a_tree_crosses_threads_if_its_values_do() {
    assert_eq!(threads!(MapleTree<()>), (true, true));
    assert_eq!(threads!(MapleTree<NonZeroU64, NoGaps>), (true, true));
    assert_eq!(threads!(MapleTree<Box<u64>>), (true, true));
    assert_eq!(threads!(MapleTree<&'static u64>), (true, true));
    // A cell may be sent and not shared.
    assert_eq!(threads!(MapleTree<Box<Cell<u64>>>), (true, false));
    assert_eq!(threads!(MapleTree<Arc<Cell<u64>>>), (false, false));
    assert_eq!(threads!(MapleTree<&'static Cell<u64>>), (false, false));
    // What a pointer points to is nobody's.
    assert_eq!(threads!(MapleTree<NonNull<u64>>), (false, false));
}

/// What shares a tree crosses threads like a shared reference, what borrows it exclusively or has it like a tree.
#[test]
fn views_cross_threads_if_their_values_do() {
    macro_rules! views {
        ($value:ty) => {
            [
                threads!(Iter<'static, $value, Gaps, Global>),
                threads!(Cursor<'static, $value, Gaps, Global>),
                threads!(CursorMut<'static, $value, Gaps, Global>),
                threads!(IterMut<'static, $value, Gaps, Global>),
                threads!(RangeMut<'static, $value, Gaps, Global>),
                threads!(Drain<'static, $value, Gaps, Global>),
                threads!(IntoIter<$value, Gaps, Global>),
            ]
        };
    }
    let (all, none, sent) = ((true, true), (false, false), (true, false));
    assert_eq!(views!(Box<u64>), [all; 7]);
    assert_eq!(views!(NonNull<u64>), [none; 7]);
    assert_eq!(views!(&'static Cell<u64>), [none; 7]);
    assert_eq!(views!(Box<Cell<u64>>), [none, none, sent, sent, sent, sent, sent]);
}
