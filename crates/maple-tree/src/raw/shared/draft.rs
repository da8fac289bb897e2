//! A part of the tree that is being written anew, apart from its readers.
//!
//! ```text
//!   published            root                            root
//!                       /  |  \                         /  |  \
//!                      a   b   c      ---------->      a   b'  c        b' and e' were made private copies of b and
//!                         /|\           publish           /|\           e, changed, and are published by one store
//!                        d e f         (one store)       d e' f         into the slot of the root
//! ```

use core::mem;

use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::node::{Layout, Link, Memory, Node, NodeInPlace, NodeMut, Shape, Stage};
use crate::range::IndexRange;
use crate::raw::balance::sparse_pair;
use crate::raw::summarize::{Change, refresh, refresh_all};
use crate::raw::write::Plan;
use crate::raw::{InsertFailure, RawTree};

use super::{Replaced, Writer};

/// A part of the tree, one node and all below it, of which a private copy has taken the place in the `RawTree`. The
/// whole tree is set aside in here.
#[derive(Debug)]
pub(crate) struct Draft<L: Layout> {
    /// How many branches lie above the part.
    depth: usize,
    bounds: IndexRange,
    root: Option<Link<L>>,
    height: usize,
    entries: usize,
    reserved: usize,
}

impl<L: Layout> Draft<L> {
    /// Makes a private copy of the node at `depth` that covers `index`, to be the tree until the draft is published or
    /// given up. Without a mode, of nodes that are kept only.
    pub(super) fn begin<A: NodeAlloc>(
        tree: &mut RawTree<L, A>,
        index: u64,
        depth: usize,
        mode: Option<AllocMode>,
    ) -> Result<Self, AllocError> {
        let (copy, bounds) = copy_at(tree.root.as_mut(), tree.bounds, index, depth, &mut tree.memory, mode)?;
        let draft = Self {
            depth,
            bounds: tree.bounds,
            root: tree.root.replace(copy),
            height: tree.height,
            entries: tree.entries,
            reserved: tree.reserved,
        };
        tree.bounds = bounds;
        tree.height -= depth;
        Ok(draft)
    }

    /// Whether the draft is of the whole tree.
    pub(super) fn is_whole(&self) -> bool {
        self.depth == 0
    }

    /// Makes the part larger by one level: a private copy of the branch above, with the part in its slot.
    pub(super) fn rise<A: NodeAlloc>(
        &mut self,
        tree: &mut RawTree<L, A>,
        mode: Option<AllocMode>,
    ) -> Result<(), AllocError> {
        let Some(depth) = self.depth.checked_sub(1) else { return Ok(()) };
        reached!(if tree.root.is_some() { DraftRises } else { DraftRisesEmptied });
        let index = tree.bounds.first();
        let memory = &mut tree.memory;
        let (mut copy, bounds) = copy_at(self.root.as_mut(), self.bounds, index, depth, memory, mode)?;
        let mut live = false;
        if let NodeMut::Branch(branch) = copy.node_mut() {
            let mut slot = branch.find(index);
            let emptied = tree.root.is_none();
            branch.put(slot, tree.root.take());
            live = branch.live() != 0;
            if live {
                if emptied {
                    slot = branch.coalesce(slot);
                }
                refresh::<L>(&mut branch.in_place(), slot, bounds, Change::Rebuilt);
            }
        }
        if live {
            tree.root = Some(copy);
        } else {
            memory.release(copy);
        }
        tree.bounds = bounds;
        tree.height += 1;
        self.depth = depth;
        Ok(())
    }

    /// Makes plans until all that the plan changes is private and the part stays one node of the same height.
    pub(super) fn settle<A: NodeAlloc>(
        &mut self,
        tree: &mut RawTree<L, A>,
        mode: AllocMode,
        make: impl Fn(&RawTree<L, A>) -> Result<Plan, IndexRange>,
    ) -> Result<(), InsertFailure> {
        let mut may_join = true;
        while tree.root.is_some() {
            if may_join {
                may_join = false;
                self.join_sparse_leaf(tree, mode);
            }
            let plan = make(tree).map_err(InsertFailure::Occupied)?;
            let copied = if !self.is_whole() && tree.splits_root(&plan) {
                self.rise(tree, Some(mode)).map(|()| true)
            } else {
                tree.privatize(&plan, mode)
            };
            if !copied.map_err(InsertFailure::NoMemory)? {
                break;
            }
        }
        Ok(())
    }

    /// Joins a sparse leaf, which is all of the part, with the one beside it: what an erase left undone for lack of
    /// memory. If there is none now either, that is left for another time.
    fn join_sparse_leaf<A: NodeAlloc>(&mut self, tree: &mut RawTree<L, A>, mode: AllocMode) {
        if tree.height == 1 && self.has_sparse_pair(tree.bounds.first()) {
            let index = tree.bounds.first();
            if self.rise(tree, Some(mode)).is_ok() {
                // Whether or not it is joined: the part is a valid tree.
                if tree.join_private(index, Some(mode)) {
                    reached!(InsertJoins);
                }
            }
        }
    }

    /// Whether the branch above the part would join it with a node beside it.
    fn has_sparse_pair(&self, index: u64) -> bool {
        let Some(above) = self.depth.checked_sub(1) else { return false };
        let (mut bounds, mut link) = (self.bounds, self.root.as_ref());
        for depth in 0..=above {
            let Some(Node::Branch(branch)) = link.map(Link::node) else { return false };
            let slot = branch.find(index);
            if depth == above {
                return sparse_pair::<L>(branch, slot).is_some();
            }
            bounds = branch.range_of(slot, bounds);
            link = branch.slot(slot);
        }
        false
    }

    /// Exchanges the part and the whole: the one that was the tree is set aside in here, and the other way round.
    pub(super) fn exchange<A>(&mut self, tree: &mut RawTree<L, A>) {
        mem::swap(&mut self.bounds, &mut tree.bounds);
        mem::swap(&mut self.root, &mut tree.root);
        mem::swap(&mut self.height, &mut tree.height);
        mem::swap(&mut self.entries, &mut tree.entries);
        mem::swap(&mut self.reserved, &mut tree.reserved);
    }

    /// Puts everything back as it was.
    pub(super) fn discard<A: NodeAlloc>(self, tree: &mut RawTree<L, A>) {
        reached!(DraftDiscarded);
        if let Some(part) = tree.root.take() {
            release_private(part, &mut tree.memory);
        }
        tree.root = self.root;
        if let Some(root) = tree.root.as_mut() {
            keep_replaced(root.in_place(), self.depth, tree.bounds.first(), self.bounds);
        }
        tree.bounds = self.bounds;
        tree.height = self.height;
        tree.entries = self.entries;
        tree.reserved = self.reserved;
    }

    /// Shows the part to readers, in the place of what it was copied from. Nothing that lies in `gone` is in the part any
    /// more.
    pub(super) fn publish<A: NodeAlloc, C>(
        self,
        writer: &mut Writer<'_, L, A, C>,
        gone: Option<IndexRange>,
    ) -> Option<Replaced<L>> {
        let tree = &mut *writer.tree;
        let mut part = tree.root.take();
        reached!(match part.as_ref().map(Link::node) {
            Some(Node::Leaf(_)) if !self.is_whole() => LeafPublished,
            Some(Node::Branch(_)) if !self.is_whole() => BranchPublished,
            _ => RootPublished,
        });
        if let Some(part) = part.as_mut() {
            seal(part);
        }
        let (part_bounds, part_height) = (tree.bounds, tree.height);
        tree.bounds = self.bounds;
        let old = if self.depth == 0 {
            tree.height = if part.is_some() { part_height } else { 0 };
            tree.root = part;
            writer.root.publish(tree.root.as_ref());
            self.root
        } else {
            tree.height = self.height;
            tree.root = self.root;
            let old = tree.root.as_mut().map(|root| {
                replace_at(root.in_place(), self.depth, part_bounds.first(), self.bounds, part).0
            });
            old.flatten()
        };
        old.map(|link| Replaced { link, bounds: part_bounds, gone })
    }
}

/// A private copy of the node at `depth` that covers `index`, without needless empty slots, and what it covers. The
/// node is going to be replaced by it.
fn copy_at<L: Layout, A: NodeAlloc>(
    root: Option<&mut Link<L>>,
    bounds: IndexRange,
    index: u64,
    depth: usize,
    memory: &mut Memory<L, A>,
    mode: Option<AllocMode>,
) -> Result<(Link<L>, IndexRange), AllocError> {
    let mut bounds = bounds;
    let mut node = root.map(Link::in_place);
    for _ in 0..depth {
        node = match node {
            Some(NodeInPlace::Branch(branch)) => {
                let slot = branch.find(index);
                bounds = branch.range_of(slot, bounds);
                branch.into_child(slot)
            }
            _ => None,
        };
    }
    debug_assert!(node.is_some(), "no node to copy");
    let mut node = node.ok_or(AllocError)?;
    let copy = copy_tidily(node.as_node(), bounds, memory, mode)?;
    node.set_stage(Stage::Replaced);
    Ok((copy, bounds))
}

/// A private copy of a node in which empty slots that stood side by side are one.
fn copy_tidily<L: Layout, A: NodeAlloc>(
    node: Node<'_, L>,
    bounds: IndexRange,
    memory: &mut Memory<L, A>,
    mode: Option<AllocMode>,
) -> Result<Link<L>, AllocError> {
    let mut copy = memory.copy(node, mode)?;
    match copy.node_mut() {
        NodeMut::Leaf(leaf) => coalesce_all(leaf, |_, _| ()),
        NodeMut::Branch(branch) => coalesce_all(branch, |branch, slot| {
            refresh_all::<L>(&mut branch.in_place(), slot, slot + 1, bounds);
        }),
    }
    Ok(copy)
}

/// Joins all empty slots that stand side by side; each that is larger then is shown to `joined`.
pub(in crate::raw) fn coalesce_all<S: Shape>(node: &mut S, mut joined: impl FnMut(&mut S, usize)) {
    loop {
        // Empty, and so is the one before.
        let second = node.empty() & node.empty() << 1;
        if second == 0 {
            return;
        }
        reached!(CopyIsTidier);
        let slot = node.coalesce(second.trailing_zeros() as usize);
        joined(node, slot);
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Makes the child in a slot of a private branch private. Whether it was not.
    pub(in crate::raw) fn own_child(
        branch: &mut L::Branch,
        slot: usize,
        bounds: IndexRange,
        memory: &mut Memory<L, A>,
        mode: Option<AllocMode>,
    ) -> Result<bool, AllocError> {
        let range = branch.range_of(slot, bounds);
        let Some(child) = branch.slot_mut(slot).filter(|child| !child.is_private()) else { return Ok(false) };
        let copy = copy_tidily(child.node(), range, memory, mode)?;
        child.set_stage(Stage::Replaced);
        // The link of the old branch is left to own the child.
        branch.put(slot, Some(copy));
        Ok(true)
    }
}

/// Gives the private nodes of a subtree back.
fn release_private<L: Layout, A: NodeAlloc>(mut link: Link<L>, memory: &mut Memory<L, A>) {
    if let NodeMut::Branch(branch) = link.node_mut() {
        for slot in 0..branch.len() {
            if let Some(child) = branch.put(slot, None).filter(Link::is_private) {
                release_private(child, memory);
            }
        }
    }
    memory.release(link);
}

/// Nodes that were to be replaced are not, in the subtree at `depth`.
fn keep_replaced<L: Layout>(node: NodeInPlace<'_, L>, depth: usize, index: u64, bounds: IndexRange) {
    let mut node = node;
    if let Some(depth) = depth.checked_sub(1) {
        if let NodeInPlace::Branch(mut branch) = node {
            let slot = branch.find(index);
            let range = branch.range_of(slot, bounds);
            if let Some(child) = branch.child(slot) {
                keep_replaced(child, depth, index, range);
            }
        }
        return;
    }
    if node.stage() != Stage::Replaced {
        return;
    }
    node.set_stage(Stage::Published);
    if let NodeInPlace::Branch(mut branch) = node {
        for slot in 0..branch.len() {
            let range = branch.range_of(slot, bounds);
            if let Some(child) = branch.child(slot) {
                keep_replaced(child, 0, index, range);
            }
        }
    }
}

/// Says of the private nodes of a subtree that readers may be in them from now on.
pub(super) fn seal<L: Layout>(link: &mut Link<L>) {
    if !link.is_private() {
        return;
    }
    if let NodeMut::Branch(branch) = link.node_mut() {
        for slot in 0..branch.len() {
            if let Some(child) = branch.slot_mut(slot) {
                seal(child);
            }
        }
    }
    link.set_stage(Stage::Published);
}

/// Puts a subtree in the place of the one at `depth`, by one store, and brings the summaries above up to date. Returns
/// the old one.
fn replace_at<L: Layout>(
    node: NodeInPlace<'_, L>,
    depth: usize,
    index: u64,
    bounds: IndexRange,
    part: Option<Link<L>>,
) -> (Option<Link<L>>, Change) {
    let NodeInPlace::Branch(mut branch) = node else {
        debug_assert!(false, "a part below a leaf");
        return (None, Change::None);
    };
    let slot = branch.find(index);
    if depth == 1 {
        let old = branch.occupy_slot(slot, part);
        return (old, refresh::<L>(&mut branch, slot, bounds, Change::Rebuilt));
    }
    let range = branch.range_of(slot, bounds);
    let Some(child) = branch.child(slot) else { return (None, Change::None) };
    let (old, change) = replace_at(child, depth - 1, index, range, part);
    (old, refresh::<L>(&mut branch, slot, bounds, change))
}
