//! Taking nodes out of reach without changing them, since readers may be in them.
#![expect(unsafe_code, reason = "nodes are retired while their old parent still points to them")]

use super::block::{SlotWord, Stage};
use super::layout::Layout;
use super::link::{Chain, Link, Node};
use super::shape::Shape;
use crate::range::IndexRange;

/// Retires a node that is not linked any more, and those below it that went with it: the ones that were replaced by
/// private copies, and those that lie wholly in `gone`. Each leaf among them is shown to `visit`.
///
/// The nodes stay as they are but for their headers.
pub(crate) fn unlink<L: Layout>(
    link: Link<L>,
    bounds: IndexRange,
    gone: Option<IndexRange>,
    chain: &mut Chain<L>,
    visit: &mut impl FnMut(&L::Leaf, IndexRange),
) {
    match link.node() {
        Node::Leaf(leaf) => visit(leaf, bounds),
        Node::Branch(branch) => {
            for slot in 0..branch.len() {
                let Some(child) = branch.slot(slot) else { continue };
                let range = branch.range_of(slot, bounds);
                if child.stage() == Stage::Replaced || gone.is_some_and(|gone| gone.contains_range(range)) {
                    // SAFETY: the branch is not linked any more, and its links own nothing from now on. The new tree
                    // has no link to this child.
                    let child = unsafe { Link::with_pointer(child.pointer()) };
                    unlink(child, range, gone, chain, visit);
                }
            }
        }
    }
    chain.push(link);
}
