//! Writing while others read.
//!
//! Readers hold no lock, so they see every store in the order in which it was made. These rules make all that they can
//! see a valid tree (`docs/shared-mode.md` in the repository has the reasons):
//!
//! - **S1** Pivots of a published node never change, nor do its bounds, which its parent's pivots imply.
//! - **S2** A slot of a published node changes by one store: an entry becomes another one of just that range or
//!   nothing, a child becomes its replacement, of just those bounds, or nothing.
//! - **S3** All else is done on private copies ([`draft`]), which one store publishes. Then what they replace is
//!   retired.
//! - **S4** What is retired is given back when a grace period has passed ([`retire`]).
//! - **S5** At the end of each write all linked nodes are published.
//!
//! The copies are an exclusive tree: while there is a draft, the tree's root is the private copy and its bounds are
//! those of the copy, so that the code for the tree of one owner changes it. What it must not do is change a node that
//! was not copied: so the copies are made first, of all nodes that the plan names (`privatize`).
//!
//! Two rules of a tree of one owner do not hold here, since they take more than a store: empty slots may stand side by
//! side (N4), and nodes are joined only where there is memory for it.

mod compact;
mod convert;
mod draft;
mod erase;
mod merge;
mod read;
mod retire;
mod store;
#[cfg(test)]
mod tests;
mod write;

pub(super) use draft::coalesce_all;
pub(crate) use read::{Reading, SeenPlace};
pub(crate) use retire::{RetireStats, Retired};
pub(crate) use store::PreparedShared;

use super::RawTree;
use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::{Layout, Link, Node, Root, Shape};
use crate::range::IndexRange;
use crate::raw::{Found, LeafView};

/// The writer of a shared tree: the tree, and what it takes to change it under readers.
pub(crate) struct Writer<'a, L: Layout, A, C> {
    pub(crate) tree: &'a mut RawTree<L, A>,
    pub(crate) retired: &'a mut Retired<L, C>,
    pub(crate) root: &'a Root<L>,
}

impl<L: Layout, A: NodeAlloc, C> Writer<'_, L, A, C> {
    /// Sees to it that `values` more values can be retired later, without memory.
    fn make_room(&mut self, values: usize, mode: AllocMode) -> Result<(), AllocError> {
        self.retired.make_room(self.tree.entries() + values, self.tree.memory().alloc(), mode)
    }

    /// Sees to it that a value can be replaced by another one.
    pub(crate) fn make_room_for_replacement(&mut self, mode: AllocMode) -> Result<(), AllocError> {
        self.make_room(1, mode)
    }

    /// Retires a value that is not in the tree any more.
    fn retire_word(&mut self, word: Option<Held>) {
        if let Some(word) = word {
            self.retired.push_word(word);
        }
    }

    /// Retires nodes that readers do not find any more.
    fn retire(&mut self, replaced: Option<Replaced<L>>) {
        if let Some(Replaced { link, bounds, gone }) = replaced {
            let unlinked = self.retired.unlink(link, bounds, gone);
            self.tree.memory.uncount(unlinked.leaves, unlinked.branches);
        }
    }

    /// The same; before, what is gone with them is passed on. Should that panic, they are retired all the same.
    fn retire_shown(&mut self, replaced: Option<Replaced<L>>, displaced: &mut impl FnMut(Found)) {
        self.retire_shown_and_erase(replaced, None, displaced);
    }

    /// The same; then what covers an index is erased.
    fn retire_shown_and_erase(
        &mut self,
        replaced: Option<Replaced<L>>,
        erase: Option<u64>,
        displaced: &mut impl FnMut(Found),
    ) {
        let retiring = Retiring { writer: self, replaced, erase };
        if let Some(Replaced { link, bounds, gone: Some(gone) }) = &retiring.replaced {
            show_below(link, *bounds, *gone, displaced);
        }
    }
}

/// A part of the tree that readers do not find any more: a node, and what is below it and was replaced with it, or lies
/// wholly in the range that is gone. It is retired before the next draft begins: what it shares with the tree must be
/// there when it is looked through.
#[derive(Debug)]
#[must_use = "it is to be retired"]
struct Replaced<L> {
    link: Link<L>,
    bounds: IndexRange,
    gone: Option<IndexRange>,
}

/// Retires what was replaced when it is dropped, and erases what covers an index.
struct Retiring<'a, 'w, L: Layout, A: NodeAlloc, C> {
    writer: &'a mut Writer<'w, L, A, C>,
    replaced: Option<Replaced<L>>,
    erase: Option<u64>,
}

impl<L: Layout, A: NodeAlloc, C> Drop for Retiring<'_, '_, L, A, C> {
    fn drop(&mut self) {
        self.writer.retire(self.replaced.take());
        // Not before: erasing may join nodes, and retire some that are still marked as replaced by what is above.
        if let Some(index) = self.erase {
            self.writer.erase_if(index, |_| true);
        }
    }
}

/// Passes on what lies wholly in a range, in order.
fn show_below<L: Layout>(
    link: &Link<L>,
    bounds: IndexRange,
    range: IndexRange,
    receive: &mut impl FnMut(Found),
) {
    match link.node() {
        Node::Leaf(leaf) => {
            let view = LeafView::<L> { leaf, bounds };
            let found = (0..leaf.len()).filter(|&slot| !leaf.is_empty(slot)).map(|slot| view.found(slot));
            found.filter(|found| range.contains_range(found.range)).for_each(receive);
        }
        Node::Branch(branch) => {
            for slot in 0..branch.len() {
                let below = branch.range_of(slot, bounds);
                if let Some(child) = branch.slot(slot).filter(|_| below.overlaps(range)) {
                    show_below(child, below, range, receive);
                }
            }
        }
    }
}
