//! The shape that leaves and branches share: pivots and slots, and how slots are replaced.

use super::block::{Cells, SlotWord, Stage};
use super::in_place::InPlace;
use super::store::Store;
use crate::range::IndexRange;

/// The parts of a node, borrowed one by one.
#[derive(Debug)]
pub struct Parts<'a, W, X> {
    pub(super) pivots: &'a mut [u64],
    pub(super) slots: &'a mut [Option<W>],
    pub(super) empty: &'a mut u32,
    pub(super) len: &'a mut u8,
    pub(super) store: &'a mut X,
}

/// A bit mask of the slots below `len`, which is 32 at most.
#[inline]
pub(super) fn below(len: usize) -> u32 {
    ((1_u64 << len) - 1) as u32
}

/// A node as pivots and slots, whatever its size and whatever the slots hold.
pub trait Shape: Sized {
    /// What a live slot holds.
    type Live: SlotWord;
    /// What the node keeps for each slot beside it (branches: the gap summary).
    type Store: Store;
    /// How many slots there are.
    const CAPACITY: usize;
    /// Whether the last group of slots, of those that a search looks at together, has five, not four: so a branch of 17 has no
    /// group of one.
    const LAST_OF_FIVE: bool = Self::CAPACITY % 4 == 1;

    /// A node without slots.
    fn vacant() -> Self;
    /// The pivots, used or not.
    fn pivots(&self) -> &[u64];
    /// The slots, used or not.
    fn slots(&self) -> &[Option<Self::Live>];
    /// How many slots are in use.
    fn len(&self) -> usize;
    /// Which slots are in use and empty, a bit for each.
    fn empty(&self) -> u32;
    /// What is kept beside the slots.
    fn store(&self) -> &Self::Store;
    /// What is kept beside the slots, to change.
    #[inline]
    fn store_mut(&mut self) -> &mut Self::Store {
        self.parts().store
    }
    /// All of it, to change.
    fn parts(&mut self) -> Parts<'_, Self::Live, Self::Store>;
    /// Who may be in the node.
    fn stage(&self) -> Stage;
    /// The same as a byte, which is no stage if the node is retired: for assertions.
    fn stage_byte(&self) -> u8;
    /// The parts that a writer may change while readers are in the node.
    fn cells(&self) -> Cells<Self::Live, Self::Store>;
    /// Has the slots on their way from memory while pivots are compared: they lie on other cache lines.
    fn prefetch_slots(&self);
    /// What a slot holds, for a reader. Whatever was written before it was put there is seen, too.
    fn load(&self, slot: usize) -> Option<Self::Live>;
    /// What a slot holds, as a second pointer, which does not own; for a node that nobody changes meanwhile.
    fn peek(&self, slot: usize) -> Option<Self::Live>;

    /// Tells loom that somebody looks at the node.
    #[cfg(loom)]
    fn visit(&self);

    /// Tells loom that the node is for its writer alone: when it is complete, and when it is given back.
    #[cfg(loom)]
    fn mark(&self, alive: bool);

    /// The node in the hands of its writer, as if there were readers in it.
    #[inline]
    fn in_place(&mut self) -> InPlace<'_, Self> {
        InPlace::of(self)
    }

    /// The first of the group of slots one of which covers `index` (which lies within the node's bounds). Groups have four
    /// slots, but for the last one, which may have five.
    #[inline]
    fn group(&self, index: u64) -> usize {
        let pivots = self.pivots();
        // A group ends with a pivot, but for the last one.
        let ends = pivots[..pivots.len().saturating_sub(1)].chunks_exact(4);
        let groups: usize = ends.map(|four| usize::from(four[3] < index)).sum();
        // What is left at the end may be less than a group: it is looked at together with what lies before it.
        (4 * groups).min(pivots.len().saturating_sub(3))
    }

    /// Whether a slot ends below `index`.
    #[inline]
    fn ends_below(&self, slot: usize, index: u64) -> bool {
        // Nodes for tests may have less than three pivots.
        (Self::CAPACITY > 3 || slot < self.pivots().len()) && self.pivots()[slot] < index
    }

    /// The slot that covers `index` (which lies within the node's bounds): how many pivots are below it.
    ///
    /// Two steps, to one of the groups and within it, neither with a branch: where a search that stops early
    /// would stop cannot be predicted, and a wrong guess costs as much as all of this.
    #[inline]
    fn find(&self, index: u64) -> usize {
        let from = self.group(index);
        let below = |slot: usize| usize::from(self.ends_below(slot, index));
        let four = from + below(from) + below(from + 1) + below(from + 2);
        // In another group no fourth pivot is below: else it would be the next group.
        if Self::LAST_OF_FIVE { four + below(from + 3) } else { four }
    }

    /// What the slot holds that covers `index` (which lies within the node's bounds), as a second pointer, which does not
    /// own. For lookups in a tree of one owner.
    ///
    /// All of the group are loaded together with the pivots between them, and one is chosen by a tree of choices.
    /// [`find`](Self::find) and a look at the slot would have to wait for the cache once more. On which lines the group
    /// lies is not known before pivots have come from memory, so all slots are fetched meanwhile.
    #[inline]
    fn at(&self, index: u64) -> Option<Self::Live> {
        let from = self.group(index);
        self.prefetch_slots();
        let below = |slot: usize| self.ends_below(slot, index);
        let [first, second, third, fourth] = [from, from + 1, from + 2, from + 3].map(|slot| self.peek(slot));
        let left = if below(from) { second } else { first };
        let right = if below(from + 2) { fourth } else { third };
        let four = if below(from + 1) { right } else { left };
        if !Self::LAST_OF_FIVE {
            return four;
        }
        let fifth = self.peek(from + 4);
        if below(from + 3) { fifth } else { four }
    }

    /// The lowest index of a slot.
    #[inline]
    fn first_of(&self, slot: usize, bounds: IndexRange) -> u64 {
        // Before slot 0 there is no pivot.
        self.pivots().get(slot.wrapping_sub(1)).map_or(bounds.first(), |before| before + 1)
    }

    /// The highest index of a slot.
    #[inline]
    fn last_of(&self, slot: usize, bounds: IndexRange) -> u64 {
        // A pivot that is not in use is the highest index that there is (N1).
        self.pivots().get(slot).map_or(bounds.last(), |&pivot| pivot.min(bounds.last()))
    }

    /// The range of a slot. It cannot be empty, since pivots strictly increase.
    #[inline]
    fn range_of(&self, slot: usize, bounds: IndexRange) -> IndexRange {
        let (pivots, before) = (self.pivots(), slot.wrapping_sub(1));
        // One comparison for most slots: they have a pivot on both sides.
        let (first, last) = if before < pivots.len() - 1 {
            (pivots[before] + 1, pivots[slot].min(bounds.last()))
        } else {
            (self.first_of(slot, bounds), self.last_of(slot, bounds))
        };
        IndexRange::single(first).ending_at(last)
    }

    /// What a slot holds, and its range: all with the one comparison of [`range_of`](Self::range_of).
    #[inline]
    fn slot_and_range(&self, slot: usize, bounds: IndexRange) -> (Option<&Self::Live>, IndexRange) {
        let (pivots, before) = (self.pivots(), slot.wrapping_sub(1));
        if before < pivots.len() - 1 {
            let range = IndexRange::single(pivots[before] + 1).ending_at(pivots[slot].min(bounds.last()));
            return (self.slot(slot), range);
        }
        (self.slot(slot), self.range_of(slot, bounds))
    }

    /// What a slot holds.
    #[inline]
    fn slot(&self, slot: usize) -> Option<&Self::Live> {
        self.slots().get(slot)?.as_ref()
    }

    /// How many slots would be in use if empty ones that stand side by side were one.
    #[inline]
    fn tidy_len(&self) -> usize {
        match self.empty() & self.empty() << 1 {
            // As in a tree of one owner.
            0 => self.len(),
            second => self.len() - second.count_ones() as usize,
        }
    }

    /// What a slot holds, to change. Making it vacant is for [`put`](Self::put).
    #[inline]
    fn slot_mut(&mut self, slot: usize) -> Option<&mut Self::Live> {
        self.parts().slots[slot].as_mut()
    }

    /// What a live slot of a leaf holds, to change: it stays live, reserved if it holds nothing.
    #[inline]
    fn held_mut(&mut self, slot: usize) -> &mut Option<Self::Live> {
        debug_assert!(!self.is_empty(slot));
        &mut self.parts().slots[slot]
    }

    /// What two slots hold, `left` being before `right`.
    fn pair_mut(&mut self, left: usize, right: usize) -> (Option<&mut Self::Live>, Option<&mut Self::Live>) {
        let (before, from) = self.parts().slots.split_at_mut(right);
        (before[left].as_mut(), from[0].as_mut())
    }

    /// Whether a slot in use holds nothing.
    #[inline]
    fn is_empty(&self, slot: usize) -> bool {
        self.empty() >> slot & 1 == 1
    }

    /// Which slots are live, a bit for each.
    #[inline]
    fn live(&self) -> u32 {
        !self.empty() & below(self.len())
    }

    /// Whether any of the slots `from..to` is live.
    fn has_live(&self, from: usize, to: usize) -> bool {
        self.live() & below(to) & !below(from) != 0
    }

    /// The lowest live slot at or after `slot`.
    #[inline]
    fn live_at_or_after(&self, slot: usize) -> Option<usize> {
        let live = self.live() & !below(slot);
        (live != 0).then(|| live.trailing_zeros() as usize)
    }

    /// The highest live slot at or before `slot`.
    #[inline]
    fn live_at_or_before(&self, slot: usize) -> Option<usize> {
        let live = self.live() & below(slot + 1);
        live.checked_ilog2().map(|bit| bit as usize)
    }

    /// Replaces what a slot holds and returns what it held. A slot that holds nothing then is empty.
    #[inline]
    fn put(&mut self, slot: usize, held: Option<Self::Live>) -> Option<Self::Live> {
        let parts = self.parts();
        if held.is_none() {
            *parts.empty |= 1 << slot;
        } else {
            *parts.empty &= !(1 << slot);
        }
        core::mem::replace(&mut parts.slots[slot], held)
    }

    /// Replaces what a slot holds and returns what it held. The slot is live then, even if it holds nothing: it is
    /// reserved, which only slots of leaves may be.
    #[inline]
    fn occupy(&mut self, slot: usize, held: Option<Self::Live>) -> Option<Self::Live> {
        let parts = self.parts();
        *parts.empty &= !(1 << slot);
        core::mem::replace(&mut parts.slots[slot], held)
    }

    /// Sets the end of a slot; nothing to do for the last slot, which ends where the node ends.
    #[inline]
    fn set_last(&mut self, slot: usize, last: u64) {
        if slot + 1 < self.len() {
            self.parts().pivots[slot] = last;
        }
    }

    /// Replaces `removed` slots at `at`, all of them empty, by `inserted` empty slots.
    ///
    /// The ends of the other slots stay. The caller sets those of the inserted slots, and that of the slot
    /// before `at` if it was the last one. With `inserted == 0` the indices go to the slot after `at`, unless
    /// the caller gives them to the slot before by setting its end.
    #[inline]
    fn splice(&mut self, at: usize, removed: usize, inserted: usize) {
        if removed < inserted {
            self.open(at + removed, inserted - removed);
        } else {
            self.close(at + inserted, removed - inserted);
        }
    }

    /// Puts `count` empty slots, one at least, before slot `at`.
    fn open(&mut self, at: usize, count: usize) {
        let len = self.len();
        debug_assert!(at <= len && len + count <= Self::CAPACITY);
        let parts = self.parts();
        // The last slot has no pivot.
        let last = len.saturating_sub(1);
        if at < last {
            parts.pivots.copy_within(at..last, at + count);
        }
        Self::Live::slide(parts.slots, at, at + count, len - at);
        parts.store.slide(at, at + count, len - at);
        let moved = (*parts.empty & !below(at)).checked_shl(count as u32).unwrap_or(0);
        *parts.empty = *parts.empty & below(at) | below(at + count) & !below(at) | moved;
        *parts.len = (len + count) as u8;
    }

    /// Takes out `count` empty slots from `at` on.
    fn close(&mut self, at: usize, count: usize) {
        if count == 0 {
            return;
        }
        let len = self.len();
        let from = at + count;
        debug_assert!(from <= len);
        let parts = self.parts();
        let last = len - 1;
        if from < last {
            parts.pivots.copy_within(from..last, at);
        }
        parts.pivots[last.saturating_sub(count)..last].fill(u64::MAX);
        Self::Live::slide(parts.slots, from, at, len - from);
        parts.store.slide(from, at, len - from);
        let moved = parts.empty.checked_shr(from as u32).unwrap_or(0) << at;
        *parts.empty = *parts.empty & below(at) | moved;
        *parts.len = (len - count) as u8;
    }

    /// Makes this node, which has no slots, have those of another, with all but what they hold. Slots that are live
    /// there hold nothing here, which is for the caller to change unless this is a leaf.
    fn copy_frame(&mut self, other: &Self) {
        let parts = self.parts();
        parts.pivots.copy_from_slice(other.pivots());
        *parts.empty = other.empty();
        *parts.len = other.len() as u8;
        parts.store.copy_from(0, other.store(), 0, other.len());
        parts.store.set_edges(other.store().head(), other.store().tail());
    }

    /// Joins `slot`, which is empty, with its empty neighbours in this node; the slot where it is then.
    fn coalesce(&mut self, slot: usize) -> usize {
        let last = self.empty_run_end(slot);
        let first = self.empty_run_start(slot);
        if first < last {
            // Without a pivot between them the slots before the last one fall to it.
            self.splice(first, last - first, 0);
        }
        first
    }

    /// How many of the two slots beside one are empty.
    #[cfg(test)]
    fn empty_beside(&self, slot: usize) -> usize {
        let empty = self.empty();
        (empty << 1 >> slot & 1) as usize + (empty >> slot >> 1 & 1) as usize
    }

    /// The first slot of the run of empty slots in which `slot` lies.
    fn empty_run_start(&self, slot: usize) -> usize {
        self.live_at_or_before(slot).map_or(0, |live| live + 1)
    }

    /// The last slot of the run of empty slots in which `slot` lies.
    fn empty_run_end(&self, slot: usize) -> usize {
        self.live_at_or_after(slot).unwrap_or(self.len()) - 1
    }
}
