//! Going over what leaves hold in order to change it: values come and go, ranges stay.
//!
//! A slot that is live stays live, whatever it holds then, so no gap changes and no summary has to.

use super::RawTree;
use super::Toward;
use crate::alloc::NodeAlloc;
use crate::entry::Held;
use crate::node::{Layout, Link, NodeMut, Shape};
use crate::range::IndexRange;

impl<L: Layout, A> RawTree<L, A> {
    /// Takes the word out of the first entry that ends at or after `index`, or of the last one that begins at
    /// or before it. Its range is reserved from then on.
    pub(crate) fn vacate(&mut self, index: u64, toward: Toward) -> Option<(IndexRange, Held)> {
        let vacated = self.sweep(index, toward, |range, held| Some((range, held.take()?)))?;
        self.entries -= 1;
        self.reserved += 1;
        Some(vacated)
    }

    /// Shows what is taken to `visit`, entries and reserved ranges, from `index` on, which lies within the
    /// bounds, until something is returned. All of it together is one walk.
    fn sweep<R>(
        &mut self,
        index: u64,
        toward: Toward,
        mut visit: impl FnMut(IndexRange, &mut Option<Held>) -> Option<R>,
    ) -> Option<R> {
        let bounds = self.bounds;
        sweep_below(self.root_mut()?, bounds, index, toward, &mut visit)
    }
}

impl<L: Layout, A: NodeAlloc> RawTree<L, A> {
    /// Takes out the entries that are not `wanted`, and passes them on. One walk, and another after each of
    /// these.
    pub(crate) fn retain(
        &mut self,
        mut wanted: impl FnMut(IndexRange, &mut Held) -> bool,
        mut receive: impl FnMut(Held),
    ) {
        let mut next = Some(self.bounds.first());
        while let Some(from) = next {
            let unwanted = self.sweep(from, Toward::Higher, |range, held| {
                let word = held.as_mut()?;
                (!wanted(range, word)).then_some(range)
            });
            let erased = unwanted.and_then(|range| self.erase_if(range.first(), |_| true));
            next = erased.and_then(|erased| Some(erased.range.after()?.intersection(self.bounds)?.first()));
            if let Some(word) = erased.and_then(|erased| erased.word) {
                receive(word);
            }
        }
    }
}

/// Goes over the subtree under a link. The part of it that lies on the other side of `index` is left out.
fn sweep_below<L: Layout, R>(
    link: &mut Link<L>,
    bounds: IndexRange,
    index: u64,
    toward: Toward,
    visit: &mut impl FnMut(IndexRange, &mut Option<Held>) -> Option<R>,
) -> Option<R> {
    let near = index.clamp(bounds.first(), bounds.last());
    match link.node_mut() {
        NodeMut::Leaf(leaf) => {
            let mut ahead = leaf.live() & toward.ahead(leaf.find(near));
            while let Some(slot) = toward.nearest(ahead) {
                ahead &= !(1 << slot);
                let range = leaf.range_of(slot, bounds);
                let result = visit(range, leaf.held_mut(slot));
                if result.is_some() {
                    return result;
                }
            }
        }
        NodeMut::Branch(branch) => {
            let mut ahead = branch.live() & toward.ahead(branch.find(near));
            while let Some(slot) = toward.nearest(ahead) {
                ahead &= !(1 << slot);
                let range = branch.range_of(slot, bounds);
                let child = branch.slot_mut(slot)?;
                let result = sweep_below(child, range, index, toward, visit);
                if result.is_some() {
                    return result;
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
