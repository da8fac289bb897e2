//! Appending in order: dense nodes in O(1) per entry.
//!
//! The nodes at the right edge of the tree, one per level, are taken out of it and stand open, without what is
//! free at their ends:
//!
//! ```text
//!   open[2]   | A | B |                 a branch; B ends where open[1] begins
//!   open[1]           | C | D | E |
//!   open[0]                       | entry | empty | entry |  <- here it goes on
//! ```
//!
//! An entry goes to the end of the open leaf. If that is full it is closed: it becomes the last child of the
//! open branch above it, and a new one is opened. A branch is closed when it has no place left for the open
//! node below it. Only then are its summaries computed, once and from its children.
//!
//! In the end each open node becomes the last child of the one above. What is free behind the last entry goes
//! to the lowest open node that has a slot for it. So that this cannot fail, a new root is opened at once when
//! a push leaves no such slot. Thus each node that is asked for is one of the tree that comes of it.

use super::summarize::refresh_whole;
use super::{MAX_HEIGHT, RawTree, len_of, trim};
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::error::ExtendErrorKind;
use crate::node::{Layout, Link, NodeMut, Shape, Spare};
use crate::range::IndexRange;

/// A node at the right edge, and the lowest index that it covers.
struct Open<L: Layout> {
    link: Link<L>,
    first: u64,
}

/// A tree to which something is appended. The tree is whole again when this is dropped.
pub(crate) struct Build<'a, L: Layout, A: NodeAlloc> {
    tree: &'a mut RawTree<L, A>,
    /// The open nodes, from the leaf up: one for each level of the tree.
    open: [Option<Open<L>>; MAX_HEIGHT],
    /// The last range that is taken.
    last: Option<IndexRange>,
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Opens the tree at its right edge.
    pub(crate) fn build(&mut self) -> Build<'_, L, A> {
        let mut build = Build { open: [const { None }; MAX_HEIGHT], last: None, tree: self };
        build.take_apart();
        build
    }
}

impl<L: Layout, A: NodeAlloc> Build<'_, L, A> {
    /// Appends an entry. If that fails, nothing has changed.
    pub(crate) fn push(
        &mut self,
        range: IndexRange,
        word: Held,
        mode: AllocMode,
    ) -> Result<(), ExtendErrorKind> {
        let bounds = self.tree.bounds;
        if !bounds.contains_range(range) {
            return Err(ExtendErrorKind::OutOfBounds { bounds });
        }
        if let Some(after) = self.last.filter(|last| range.first() <= last.last()) {
            return Err(ExtendErrorKind::OutOfOrder { after });
        }
        let free = self.rest().filter(|rest| rest.first() < range.first()).map(IndexRange::first);
        let free = self.make_room(range, free, mode)?;
        if let Some(leaf) = self.leaf() {
            if let Some(first) = free {
                add_slot(leaf, first);
            }
            let slot = add_slot(leaf, range.first());
            leaf.occupy(slot, Some(word));
            self.last = Some(range);
            self.tree.entries += 1;
        }
        Ok(())
    }

    /// Makes room in the open leaf for an entry over `range` and the gap before it, which begins at `free` if
    /// there is one. Returns the same for what is still to go into the leaf.
    fn make_room(
        &mut self,
        range: IndexRange,
        free: Option<u64>,
        mode: AllocMode,
    ) -> Result<Option<u64>, AllocError> {
        let slots = 1 + usize::from(free.is_some());
        let room = self.open[0].as_ref().map_or(0, |leaf| L::Leaf::CAPACITY - len_of(&leaf.link));
        if slots < room || slots == room && range.last() == self.tree.bounds.last() {
            return Ok(free);
        }
        let closes = slots > room;
        let splits = self.full_branches();
        let new_root = self.tree.height > 0 && splits + 1 == self.tree.height;
        if new_root && self.tree.height == MAX_HEIGHT {
            return Err(AllocError);
        }
        let (leaves, branches) = if closes { (1, splits) } else { (0, 0) };
        let branches = branches + usize::from(new_root);
        let mut spare = Spare::allocate(&mut self.tree.memory, leaves, branches, mode)?;
        if !closes {
            // The leaf will be full. If all branches are, what is free behind the range has its slot above them.
            if new_root {
                self.open_root(&mut spare);
            }
            return Ok(free);
        }
        let mut free = free;
        if room > 0 {
            // One slot is left, and it takes the two of them: the old leaf ends with the gap.
            if let (Some(leaf), Some(first)) = (self.leaf(), free.take()) {
                add_slot(leaf, first);
            }
        }
        self.close_leaf(free.unwrap_or(range.first()), &mut spare);
        Ok(free)
    }

    /// Takes the nodes at the right edge out of the tree, and cuts off what is free at their ends.
    fn take_apart(&mut self) {
        let mut below = self.tree.root.take();
        let mut bounds = self.tree.bounds;
        for level in (0..self.tree.height).rev() {
            let Some(mut link) = below.take() else { break };
            let first = bounds.first();
            match link.node_mut() {
                NodeMut::Leaf(leaf) => {
                    let slot = leaf.live_at_or_before(leaf.len() - 1).unwrap_or(0);
                    self.last = Some(leaf.range_of(slot, bounds));
                    trim::keep_until(leaf, slot);
                }
                NodeMut::Branch(branch) => {
                    let slot = branch.live_at_or_before(branch.len() - 1).unwrap_or(0);
                    bounds = branch.range_of(slot, bounds);
                    below = branch.put(slot, None);
                    branch.splice(slot, branch.len() - slot, 0);
                }
            }
            self.open[level] = Some(Open { link, first });
        }
    }

    /// Puts the tree together. The opposite of [`take_apart`](Self::take_apart).
    fn finish(&mut self) {
        let bounds = self.tree.bounds;
        let mut rest = self.rest().filter(|_| self.tree.height > 0);
        let mut child: Option<Open<L>> = None;
        for level in 0..self.tree.height {
            let Some(mut open) = self.open[level].take() else { break };
            match open.link.node_mut() {
                NodeMut::Leaf(leaf) => add_rest(leaf, &mut rest),
                NodeMut::Branch(branch) => {
                    if let Some(child) = child {
                        add_child::<L>(branch, child);
                    }
                    add_rest(branch, &mut rest);
                    let end = rest.map_or(bounds.last(), |rest| rest.first() - 1);
                    let covered = bounds.starting_at(open.first).ending_at(end);
                    refresh_whole::<L>(branch, covered);
                }
            }
            child = Some(open);
        }
        debug_assert!(rest.is_none(), "no slot for what is free at the end");
        self.tree.root = child.map(|open| open.link);
    }

    /// What is free behind the last range, up to the end of the bounds.
    fn rest(&self) -> Option<IndexRange> {
        let bounds = self.tree.bounds;
        self.last.map_or(Some(bounds), |last| last.after()?.intersection(bounds))
    }

    /// The open leaf, if there is one.
    fn leaf(&mut self) -> Option<&mut L::Leaf> {
        match self.open[0].as_mut()?.link.node_mut() {
            NodeMut::Leaf(leaf) => Some(leaf),
            NodeMut::Branch(_) => None,
        }
    }

    /// How many of the open branches, from the lowest on, are full with the open node below them.
    fn full_branches(&self) -> usize {
        let branches = self.open.iter().skip(1).flatten();
        branches.take_while(|open| len_of(&open.link) + 1 >= L::Branch::CAPACITY).count()
    }

    /// Closes the open leaf, and each branch that is full then. New ones are opened at `first`.
    fn close_leaf(&mut self, first: u64, spare: &mut Spare<L>) {
        if self.tree.height == 0 {
            self.open[0] = spare.take_leaf().map(|link| Open { link, first: self.tree.bounds.first() });
            self.tree.height = 1;
            return;
        }
        let mut new = spare.take_leaf();
        for level in 0.. {
            let Some(link) = new.take() else { break };
            let Some(closed) = self.open[level].replace(Open { link, first }) else { break };
            if level + 1 == self.tree.height {
                self.open_root(spare);
            }
            let Some(above) = self.open[level + 1].as_mut() else { break };
            let NodeMut::Branch(branch) = above.link.node_mut() else { break };
            add_child::<L>(branch, closed);
            if branch.len() == L::Branch::CAPACITY {
                let covered = self.tree.bounds.starting_at(above.first).ending_at(first - 1);
                refresh_whole::<L>(branch, covered);
                new = spare.take_branch();
            }
        }
    }

    /// Opens a branch above all others.
    fn open_root(&mut self, spare: &mut Spare<L>) {
        let first = self.tree.bounds.first();
        self.open[self.tree.height] = spare.take_branch().map(|link| Open { link, first });
        self.tree.height += 1;
    }
}

impl<L: Layout, A: NodeAlloc> Drop for Build<'_, L, A> {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Adds an empty slot that begins at `first`, where the last one ends from now on; its number.
fn add_slot<S: Shape>(node: &mut S, first: u64) -> usize {
    let len = node.len();
    node.splice(len, 0, 1);
    if let Some(before) = len.checked_sub(1) {
        node.set_last(before, first - 1);
    }
    len
}

fn add_child<L: Layout>(branch: &mut L::Branch, child: Open<L>) {
    let slot = add_slot(branch, child.first);
    branch.put(slot, Some(child.link));
}

/// Adds what is free at the end, if it is not yet somewhere and the node has a slot for it.
fn add_rest<S: Shape>(node: &mut S, rest: &mut Option<IndexRange>) {
    if node.len() < S::CAPACITY {
        if let Some(free) = rest.take() {
            add_slot(node, free.first());
        }
    }
}
