//! What is not in the tree any more while readers may still look at it.
//!
//! Retiring takes no memory: a node is chained through itself, and a value goes into a bag that was there before the
//! value was. Things retire in two generations. Those of the older one wait for the end of a grace period that began
//! when the last of them was taken out; when all of them are given back, the younger generation becomes the older one.

use core::mem;

use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;
use crate::node::visits::{Work, note};
use crate::node::{BAG_WORDS, Bags, Chain, Layout, Link, Memory, Shape, WordStack, unlink};
use crate::range::IndexRange;
use crate::raw::{LeafView, RawTree};

/// A tree this small may have as many retired nodes; a larger one as many as it has nodes.
const NODES: usize = 4096;
/// Likewise for values.
const VALUES: usize = 4096;

/// How many bags may be partly full: one of each generation.
const PARTIAL: usize = 2;

/// How many things are retired before readers are looked for: few, so that the nodes that come back can all be kept for
/// the next writes, and are in the cache still; but looking takes cache lines from readers.
const DUE: usize = 16;
/// How many may wait when they are looked for at each write.
const MANY: usize = 256;

/// Retired nodes and values. `C` is a point in time.
///
/// - **R1** If values are to be dropped, there are bags for all of them: those in the tree and those that are retired.
#[derive(Debug)]
pub(crate) struct Retired<L, C> {
    /// Whether values are to be dropped at all.
    drops: bool,
    young: Generation<L>,
    old: Generation<L>,
    /// When the last of the older generation was taken out of the tree.
    since: Option<C>,
    spare: Bags,
}

#[derive(Debug)]
struct Generation<L> {
    nodes: Chain<L>,
    words: WordStack,
}

/// How many nodes went together.
pub(super) struct Unlinked {
    pub(super) leaves: usize,
    pub(super) branches: usize,
}

/// What a shared tree has beside its linked nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetireStats {
    pub(crate) leaves: usize,
    pub(crate) branches: usize,
    pub(crate) values: usize,
    pub(crate) bags: usize,
}

impl<L: Layout> Generation<L> {
    const fn new() -> Self {
        Self { nodes: Chain::new(), words: WordStack::new() }
    }

    fn len(&self) -> usize {
        self.nodes.len() + self.words.len()
    }
}

impl<L: Layout, C: Copy> Retired<L, C> {
    /// Whether it is worth while to ask whether readers are gone: they notice it when they are looked for.
    pub(crate) fn is_due(&self) -> bool {
        let (young, old) = (self.young.len(), self.old.len());
        young >= DUE || old >= MANY || (self.since.is_none() && young > 0)
    }

    /// Gives back up to `budget` nodes and values that readers have left. `is_over` says whether all readers of a point in
    /// time are gone, `now` which one it is. Values are passed on; should that panic, all others are still there.
    pub(crate) fn collect<A: NodeAlloc>(
        &mut self,
        memory: &mut Memory<L, A>,
        budget: usize,
        is_over: impl FnOnce(C) -> bool,
        now: impl FnOnce() -> C,
        receive: &mut impl FnMut(Held),
    ) {
        if self.since.is_some_and(is_over) {
            self.give_back_old(memory, budget, receive);
        }
        if self.since.is_none() && self.young.len() > 0 {
            mem::swap(&mut self.old, &mut self.young);
            self.since = Some(now());
        }
    }
}

impl<L: Layout, C> Retired<L, C> {
    pub(crate) const fn new(drops: bool) -> Self {
        let (young, old) = (Generation::new(), Generation::new());
        Self { drops, young, old, since: None, spare: Bags::new() }
    }

    fn give_back_old<A: NodeAlloc>(
        &mut self,
        memory: &mut Memory<L, A>,
        budget: usize,
        receive: &mut impl FnMut(Held),
    ) {
        for _ in 0..budget {
            if let Some(link) = self.old.nodes.pop() {
                memory.recycle(link);
            } else if let Some(word) = self.old.words.pop(&mut self.spare) {
                receive(word);
            } else {
                self.since = None;
                break;
            }
        }
    }

    /// Gives back all there is, of a tree that has no readers any more.
    pub(crate) fn give_back_all<A: NodeAlloc>(
        &mut self,
        memory: &mut Memory<L, A>,
        receive: &mut impl FnMut(Held),
    ) {
        for _ in 0..2 {
            self.give_back_old(memory, usize::MAX, receive);
            mem::swap(&mut self.old, &mut self.young);
        }
        while self.spare.deallocate(memory.alloc()) {}
    }

    /// Sees to R1 for a tree that is going to be shared. If there is no memory for it, nothing is kept.
    pub(crate) fn make_room_for_all<A: NodeAlloc>(
        &mut self,
        tree: &RawTree<L, A>,
        mode: AllocMode,
    ) -> Result<(), AllocError> {
        let alloc = tree.memory().alloc();
        let made = if tree.entries() > 0 { self.make_room(tree.entries(), alloc, mode) } else { Ok(()) };
        if made.is_err() {
            while self.spare.deallocate(alloc) {}
        }
        made
    }

    /// Sees to R1 for a tree that will have `values` values.
    pub(super) fn make_room<A: NodeAlloc>(
        &mut self,
        values: usize,
        alloc: &A,
        mode: AllocMode,
    ) -> Result<(), AllocError> {
        if !self.drops {
            return Ok(());
        }
        let retired = self.young.words.len() + self.old.words.len();
        let bags =
            |retired: &Self| retired.young.words.bags() + retired.old.words.bags() + retired.spare.count();
        let needed = (values + retired).div_ceil(BAG_WORDS) + PARTIAL;
        while bags(self) < needed {
            if retired >= values.max(VALUES) {
                return Err(AllocError);
            }
            self.spare.allocate(alloc, mode)?;
        }
        // Some more may stay, lest the next one be asked for at once.
        while bags(self) > needed + PARTIAL && self.spare.deallocate(alloc) {}
        Ok(())
    }

    /// Refuses to retire more, as copying nodes does, if there is much to be given back already.
    pub(super) fn check_limit(&self, nodes: usize) -> Result<(), AllocError> {
        let retired = self.young.nodes.len() + self.old.nodes.len();
        if retired >= nodes.max(NODES) { Err(AllocError) } else { Ok(()) }
    }

    /// Whether a write may be refused, in a tree of so many nodes and values, for what is retired.
    pub(crate) fn is_full(&self, nodes: usize, values: usize) -> bool {
        let retired = self.young.words.len() + self.old.words.len();
        self.check_limit(nodes).is_err() || retired >= values.max(VALUES)
    }

    /// Retires a node that is not linked any more and has no live slot.
    pub(super) fn push_node(&mut self, link: Link<L>) {
        note(Work::Retire, 1);
        self.young.nodes.push(link);
    }

    pub(super) fn push_word(&mut self, word: Held) {
        if self.drops {
            let pushed = self.young.words.push(word, &mut self.spare);
            debug_assert!(pushed, "no room for a retired value");
        }
    }

    /// Retires a node that is not linked any more, those that went with it, and the values in `gone`.
    pub(super) fn unlink(&mut self, link: Link<L>, bounds: IndexRange, gone: Option<IndexRange>) -> Unlinked {
        let Self { drops, young, spare, .. } = self;
        let before = (young.nodes.leaves(), young.nodes.branches());
        let words = &mut young.words;
        unlink(link, bounds, gone, &mut young.nodes, &mut |leaf: &L::Leaf, bounds| {
            let Some(gone) = gone.filter(|gone| gone.overlaps(bounds)) else { return };
            let view = LeafView::<L> { leaf, bounds };
            for slot in (0..leaf.len()).filter(|&slot| !leaf.is_empty(slot)) {
                let found = view.found(slot);
                if let Some(word) = found.word.filter(|_| *drops && gone.contains_range(found.range)) {
                    let pushed = words.push(word, spare);
                    debug_assert!(pushed, "no room for a retired value");
                }
            }
        });
        let unlinked =
            Unlinked { leaves: young.nodes.leaves() - before.0, branches: young.nodes.branches() - before.1 };
        note(Work::Retire, unlinked.leaves + unlinked.branches);
        unlinked
    }

    /// For tests: all retired nodes.
    #[cfg(test)]
    pub(super) fn for_each_node(&self, mut visit: impl FnMut(&Link<L>)) {
        self.young.nodes.for_each(&mut visit);
        self.old.nodes.for_each(&mut visit);
    }

    pub(crate) fn stats(&self) -> RetireStats {
        let (young, old) = (&self.young, &self.old);
        RetireStats {
            leaves: young.nodes.leaves() + old.nodes.leaves(),
            branches: young.nodes.branches() + old.nodes.branches(),
            values: young.words.len() + old.words.len(),
            bags: young.words.bags() + old.words.bags() + self.spare.count(),
        }
    }
}
