//! Shadows: what each node was when readers could first come to it. As long as readers may be in it, its pivots and its
//! bounds are the same, and its slots change by what readers are prepared for (S1, S2).

use core::num::NonZeroU64;
use std_alloc::collections::BTreeMap;
use std_alloc::vec::Vec;

use super::{Retired, Writer};
use crate::alloc::{AllocMode, Global};
use crate::entry::Held;
use crate::map::words::keep;
use crate::node::{Layout, Link, Node, Root, Shape, SlotWord, SmallGaps, SmallNoGaps};
use crate::range::IndexRange;
use crate::raw::{Compaction, RawTree};
use crate::validate::validate;

/// What readers see of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shadow {
    branch: bool,
    pivots: Vec<u64>,
    slots: Vec<usize>,
}

/// A node: what it covers, and whether it is linked, or retired.
#[derive(Clone, Debug)]
struct Tracked {
    shadow: Shadow,
    bounds: IndexRange,
    linked: bool,
}

type Nodes = BTreeMap<usize, Tracked>;

fn seen<S: Shape>(node: &S, branch: bool) -> Shadow {
    let word = |slot| node.load(slot).map_or(0, |held| held.pointer().addr().get());
    Shadow { branch, pivots: node.pivots().to_vec(), slots: (0..S::CAPACITY).map(word).collect() }
}

fn shadow<L: Layout>(link: &Link<L>) -> (usize, Shadow) {
    let shadow = match link.node() {
        Node::Leaf(leaf) => seen(leaf, false),
        Node::Branch(branch) => seen(branch, true),
    };
    (link.pointer().addr().get(), shadow)
}

fn linked_below<L: Layout>(link: &Link<L>, bounds: IndexRange, nodes: &mut Nodes) {
    let (address, shadow) = shadow(link);
    let twice = nodes.insert(address, Tracked { shadow, bounds, linked: true });
    assert!(twice.is_none(), "a node is linked twice");
    if let Node::Branch(branch) = link.node() {
        for slot in 0..branch.len() {
            if let Some(child) = branch.slot(slot) {
                linked_below(child, branch.range_of(slot, bounds), nodes);
            }
        }
    }
}

struct Subject<L: Layout> {
    tree: RawTree<L, Global>,
    retired: Retired<L, ()>,
    root: Root<L>,
    nodes: Nodes,
    number: u64,
}

impl<L: Layout> Subject<L> {
    fn new(bounds: IndexRange) -> Self {
        let mut tree = RawTree::new(bounds, Global);
        tree.share();
        Self { tree, retired: Retired::new(true), root: Root::new(), nodes: Nodes::new(), number: 0 }
    }

    fn writer(&mut self) -> Writer<'_, L, Global, ()> {
        Writer { tree: &mut self.tree, retired: &mut self.retired, root: &self.root }
    }

    fn word(&mut self) -> Option<Held> {
        self.number += 1;
        Some(keep(NonZeroU64::MIN.saturating_add(self.number)))
    }

    /// Compares the nodes with their shadows, which become what they are now.
    fn check(&mut self) {
        let mut now = Nodes::new();
        if let Some(root) = self.tree.root() {
            linked_below(root, self.tree.bounds(), &mut now);
        }
        let linked = now.len();
        assert_eq!(linked, self.tree.memory().nodes());
        self.retired.for_each_node(|link| {
            let (address, shadow) = shadow(link);
            // Where it was is known from when it was linked, if that was not within this write.
            let bounds = self.nodes.get(&address).map_or(IndexRange::FULL, |before| before.bounds);
            let twice = now.insert(address, Tracked { shadow, bounds, linked: false });
            assert!(twice.is_none(), "a node is retired twice, or linked as well");
        });
        let stats = self.retired.stats();
        assert_eq!(now.len() - linked, stats.leaves + stats.branches);
        for (address, before) in &self.nodes {
            let after = now.get(address).expect("a node that readers may be in was given back");
            assert_eq!(after.shadow.pivots, before.shadow.pivots, "pivots changed");
            assert_eq!((after.bounds, after.shadow.branch), (before.bounds, before.shadow.branch));
            assert!(before.linked || !after.linked, "a retired node is linked again");
            let slots = || before.shadow.slots.iter().zip(&after.shadow.slots);
            if !before.linked {
                assert!(slots().all(|(before, after)| before == after), "a retired node changed");
            } else if before.shadow.branch {
                let filled = slots().any(|(&before, &after)| before == 0 && after != 0);
                assert!(!filled, "a child came where there was none, and there may be readers");
            }
        }
        self.nodes = now;
    }

    /// Gives back some of what is retired. Other nodes may come to the same places from now on.
    fn collect(&mut self, budget: usize) {
        self.retired.collect(self.tree.memory_mut(), budget, |()| true, || (), &mut |_| {});
        let mut left = Nodes::new();
        self.retired.for_each_node(|link| {
            let (address, _) = shadow(link);
            left.extend(self.nodes.get(&address).map(|tracked| (address, tracked.clone())));
        });
        left.extend(self.nodes.iter().filter(|(_, node)| node.linked).map(|(&at, node)| (at, node.clone())));
        self.nodes = left;
    }

    fn write(&mut self, rng: &mut fastrand::Rng, range: IndexRange) {
        let mode = AllocMode::Normal;
        let word = self.word();
        let mut writer = self.writer();
        match rng.u8(..32) {
            0..=11 => {
                let free = writer.tree.first_in(range).is_none();
                assert_eq!(writer.insert(range, word, mode).is_ok(), free);
            }
            12 => drop(writer.insert(range, None, mode).is_ok()),
            13..=22 => drop(writer.erase_if(range.first(), |_| true)),
            23 => {
                assert!(writer.make_room_for_replacement(mode).is_ok());
                writer.replace(range.first(), word);
            }
            24..=27 => {
                if let Ok(mut prepared) = writer.prepare_store(range, mode) {
                    if let Some(duplicate) = prepared.duplicate() {
                        *duplicate = duplicate.and(word);
                    }
                    match rng.u8(..4) {
                        0 => prepared.release(writer.tree),
                        1 => writer.commit_clear(prepared, &mut |_| {}),
                        _ => writer.commit_store(prepared, word, &mut |_| {}),
                    }
                }
            }
            28 => {
                if let Ok(mut prepared) = writer.prepare_clear(range, mode) {
                    if let Some(duplicate) = prepared.duplicate() {
                        *duplicate = duplicate.and(word);
                    }
                    writer.commit_clear(prepared, &mut |_| {});
                }
            }
            29 => {
                let left = writer.tree.first_in(range);
                let right = left.and_then(|left| writer.tree.find(left.range.last().checked_add(1)?));
                if let Some((left, right)) = left.zip(right) {
                    if left.word.is_some() == right.word.is_some() {
                        let _ = writer.join(left.range, right.range, mode);
                    }
                }
            }
            30 => {
                let mut pass = Compaction::new();
                writer.compact_step(&mut pass, rng.usize(..8), mode);
            }
            _ if rng.u8(..16) == 0 => writer.clear(),
            _ => {}
        }
    }
}

fn program<L: Layout>(seed: u64, bounds: IndexRange) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut subject = Subject::<L>::new(bounds);
    let span = (bounds.count() - 1).min(300) as u64;
    let steps = if cfg!(miri) { 100 } else { 3000 };
    for step in 0..steps {
        let first = bounds.first() + rng.u64(..=span);
        let length = if rng.u8(..16) == 0 { rng.u64(..=span) } else { rng.u64(..4) };
        let range = IndexRange::new(first, first.saturating_add(length).min(bounds.last()));
        if rng.u8(..4) == 0 {
            subject.collect(rng.usize(..40));
        }
        subject.write(&mut rng, range.unwrap_or(bounds));
        subject.check();
        assert!(step % 64 != 0 || validate(&subject.tree).is_ok(), "seed {seed}, step {step}");
    }
    subject.retired.give_back_all(subject.tree.memory_mut(), &mut |_| {});
    subject.tree.unshare();
    subject.tree.clear(|_| ());
    assert_eq!(subject.tree.memory().nodes(), 0);
}

fn programs<L: Layout>() {
    let top = IndexRange::FULL.starting_at(u64::MAX - 255);
    for seed in 0..if cfg!(miri) { 1 } else { 20 } {
        program::<L>(seed, IndexRange::FULL);
        program::<L>(seed, top);
    }
}

#[test]
fn nodes_keep_their_pivots_and_bounds() {
    programs::<SmallGaps>();
}

#[test]
fn nodes_keep_their_pivots_and_bounds_without_gaps() {
    programs::<SmallNoGaps>();
}

/// The comparison notices what it is for. (It leaks what it has, like all that panics here.)
#[test]
#[should_panic(expected = "pivots changed")]
fn a_pivot_that_changed_is_noticed() {
    let mut subject = Subject::<SmallGaps>::new(IndexRange::FULL);
    let range = IndexRange::single(5);
    let word = subject.word();
    assert!(subject.writer().insert(range, word, AllocMode::Normal).is_ok());
    subject.check();
    for tracked in subject.nodes.values_mut() {
        tracked.shadow.pivots[0] += 1;
    }
    subject.check();
}
