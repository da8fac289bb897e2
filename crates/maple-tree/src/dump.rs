//! The tree as text, for people.

use core::fmt;

use crate::node::{Layout, Link, Node, Shape, Store};
use crate::range::IndexRange;
use crate::raw::RawTree;

/// A tree to be printed with `{}`, node by node; made by [`MapleTree::dump`](crate::MapleTree::dump).
pub struct Dump<'a, L: Layout, A> {
    tree: &'a RawTree<L, A>,
}

impl<'a, L: Layout, A> Dump<'a, L, A> {
    pub(crate) fn new(tree: &'a RawTree<L, A>) -> Self {
        Self { tree }
    }
}

impl<L: Layout, A> fmt::Debug for Dump<'_, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<L: Layout, A> fmt::Display for Dump<'_, L, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tree.root() {
            Some(root) => node(f, root, self.tree.bounds(), 0),
            None => writeln!(f, "empty"),
        }
    }
}

fn node<L: Layout>(
    f: &mut fmt::Formatter<'_>,
    link: &Link<L>,
    bounds: IndexRange,
    depth: usize,
) -> fmt::Result {
    let indent = depth * 2;
    match link.node() {
        Node::Leaf(leaf) => {
            heading(f, "leaf", leaf, bounds, indent)?;
            writeln!(f)?;
            for slot in 0..leaf.len() {
                let held = match leaf.slot(slot) {
                    Some(_) => "entry",
                    None if leaf.is_empty(slot) => "empty",
                    None => "reserved",
                };
                writeln!(f, "{:indent$}  {}: {held}", "", leaf.range_of(slot, bounds))?;
            }
        }
        Node::Branch(branch) => {
            heading(f, "branch", branch, bounds, indent)?;
            let store = branch.store();
            if L::TRACKS_GAPS {
                write!(f, ", head {:#x}, tail {:#x}", store.head(), store.tail())?;
            }
            writeln!(f)?;
            for slot in 0..branch.len() {
                let range = branch.range_of(slot, bounds);
                write!(f, "{:indent$}  {range}:", "")?;
                match store.longest().get(slot).zip(store.natural().get(slot)) {
                    Some((0, _)) => write!(f, " full")?,
                    Some((longest, natural)) => {
                        write!(f, " longest {longest:#x}, natural {:#x}", natural.size())?;
                    }
                    None => {}
                }
                match branch.slot(slot) {
                    None => writeln!(f, " empty")?,
                    Some(child) => {
                        writeln!(f)?;
                        node(f, child, range, depth + 2)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn heading<S: Shape>(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    node: &S,
    bounds: IndexRange,
    indent: usize,
) -> fmt::Result {
    let live = node.live().count_ones();
    write!(f, "{:indent$}{kind} {bounds}: {} slots, {live} live", "", node.len())
}
