//! From a tree of one owner to a shared one and back: O(n), in place.

use super::draft::{coalesce_all, seal};
use crate::alloc::NodeAlloc;
use crate::node::{Layout, Link, NodeMut, Shape, Stage};
use crate::range::IndexRange;
use crate::raw::RawTree;
use crate::raw::summarize::refresh_whole;

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Makes the nodes ready for readers.
    pub(crate) fn share(&mut self) {
        self.memory.keep_released(true);
        if let Some(root) = self.root.as_mut() {
            seal(root);
        }
    }

    /// Takes the nodes back, of which all readers are gone, and joins empty slots that stand side by side.
    pub(crate) fn unshare(&mut self) {
        self.memory.keep_released(false);
        let bounds = self.bounds;
        if let Some(root) = self.root.as_mut() {
            own_below(root, bounds);
        }
    }
}

fn own_below<L: Layout>(link: &mut Link<L>, bounds: IndexRange) {
    link.set_stage(Stage::Private);
    match link.node_mut() {
        NodeMut::Leaf(leaf) => coalesce_all(leaf, |_, _| ()),
        NodeMut::Branch(branch) => {
            for slot in 0..branch.len() {
                let range = branch.range_of(slot, bounds);
                if let Some(child) = branch.slot_mut(slot) {
                    own_below(child, range);
                }
            }
            coalesce_all(branch, |_, _| ());
            refresh_whole::<L>(branch, bounds);
        }
    }
}
