//! One free run that became larger or smaller: the most frequent change, and the cheapest to follow.
//!
//! Each branch on the way up adds what lies beyond the node that the run was seen in, and compares it with what it keeps.

use super::{edges, run_from, slot_summary_within};
use crate::gap::{Known, Summary};
use crate::node::{InPlace, Layout, Shape, Store};
use crate::range::IndexRange;

/// A free run that became larger or smaller, as a node has it, and what it counts for.
#[derive(Clone, Copy, Debug)]
pub(in crate::raw) struct Run {
    pub(in crate::raw) range: IndexRange,
    summary: Summary,
    /// What remains of it, once that was asked for: the same on all levels on which nothing is added to the run.
    rest: Option<Rest>,
}

/// What remains of a run below what was taken of it, and above.
#[derive(Clone, Copy, Debug)]
struct Rest {
    before: Summary,
    after: Summary,
}

impl Run {
    /// In the place of a run that is not known yet.
    pub(in crate::raw) const UNKNOWN: Self =
        Self { range: IndexRange::FULL, summary: Summary::NONE, rest: None };

    #[inline]
    pub(in crate::raw) fn of(range: IndexRange) -> Self {
        Self { range, summary: Summary::of(range), rest: None }
    }

    /// What remains of it after `taken`, which is the same for all of a write.
    #[inline]
    fn rest(&mut self, taken: IndexRange) -> Rest {
        let run = self.range;
        let of = |rest: Option<IndexRange>| rest.map_or(Summary::NONE, Summary::of);
        *self.rest.get_or_insert_with(|| Rest {
            before: of((run.first() < taken.first()).then(|| run.ending_at(taken.first() - 1))),
            after: of((taken.last() < run.last()).then(|| run.starting_at(taken.last() + 1))),
        })
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It grew or appeared.
    Grown,
    /// This was taken of it.
    Shrunk(IndexRange),
}

/// Brings the summary of a branch up to date after a run grew or appeared in `slot`, which covers `child` and has `run`
/// of it. Whether anything changed; then `run` is what the branch has of it.
#[inline]
pub(in crate::raw) fn raise<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    child: IndexRange,
    bounds: IndexRange,
    run: &mut Run,
) -> bool {
    refresh_run::<L>(branch, slot, child, bounds, Fate::Grown, run)
}

/// Likewise after `taken` was taken of a run, of which the slot had `run`.
#[inline]
pub(in crate::raw) fn lower<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    child: IndexRange,
    bounds: IndexRange,
    run: &mut Run,
    taken: IndexRange,
) -> bool {
    refresh_run::<L>(branch, slot, child, bounds, Fate::Shrunk(taken), run)
}

#[inline(always)]
fn refresh_run<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    child: IndexRange,
    bounds: IndexRange,
    fate: Fate,
    run: &mut Run,
) -> bool {
    if !L::TRACKS_GAPS {
        return false;
    }
    if run.range.first() == child.first() || run.range.last() == child.last() {
        return refresh_across::<L>(branch, slot, bounds, fate, run);
    }
    refresh_part::<L>(branch, slot, bounds, fate, run.summary)
}

/// Brings a slot up to date that has `part` of a run, and says whether that changed what is kept for it.
///
/// Where a run grew, numbers can only rise, to those of the run. Where one shrank, that matters only if it may have been
/// the largest.
#[inline]
fn refresh_part<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    fate: Fate,
    part: Summary,
) -> bool {
    let old = branch.store().get(slot);
    let new = match fate {
        Fate::Grown => old.max(part),
        Fate::Shrunk(_) => {
            let known = Known::without(old, part);
            if known.is_settled() {
                return false;
            }
            slot_summary_within::<L>(branch, slot, bounds, known)
        }
    };
    branch.store_mut().set(slot, new)
}

/// As `refresh_part` does, for a run at an edge of the branch. That may be the one in which the tree grows: then what
/// remains of it is larger than whatever there may be beside it, which needs no look.
fn refresh_edge<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    fate: Fate,
    part: &mut Run,
) -> bool {
    let run = part.range;
    let taken = match fate {
        Fate::Shrunk(taken) if run.first() == bounds.first() || run.last() == bounds.last() => taken,
        _ => return refresh_part::<L>(branch, slot, bounds, fate, part.summary),
    };
    let known = Known::without(branch.store().get(slot), part.summary);
    if known.is_settled() {
        return false;
    }
    let here = branch.range_of(slot, bounds);
    let rest = part.rest(taken);
    // What begins further right is not for this slot.
    let after = if taken.last() < here.last() { rest.after } else { Summary::NONE };
    let known = Known { least: known.least.max(rest.before).max(after), ..known };
    let before = run.first() - here.first();
    let after = if run.last() < here.last() { bounds.last() - run.last() } else { 0 };
    let known = known.others_within(before.max(after));
    let new =
        if known.is_settled() { known.least } else { slot_summary_within::<L>(branch, slot, bounds, known) };
    branch.store_mut().set(slot, new)
}

/// As `refresh_run` does, for a run that may go on beyond the slot.
///
/// What is to the right of the slot sees the same part of the run as before.
#[inline(never)]
fn refresh_across<L: Layout>(
    branch: &mut InPlace<'_, L::Branch>,
    slot: usize,
    bounds: IndexRange,
    fate: Fate,
    run: &mut Run,
) -> bool {
    if run.range.last() == branch.last_of(slot, bounds) {
        let beyond = run_from::<L>(branch, slot + 1, bounds);
        if beyond > 0 {
            *run = Run::of(run.range.ending_at(run.range.last() + beyond));
        }
    }
    let mut changed = refresh_edge::<L>(branch, slot, bounds, fate, run);
    let mut left = slot;
    while left > 0 && run.range.first() == branch.first_of(left, bounds) {
        left -= 1;
        let range = branch.range_of(left, bounds);
        let tail = match branch.slot(left) {
            None => range.last() - range.first() + 1,
            Some(child) => edges(child, range).tail,
        };
        if tail > 0 {
            *run = Run::of(run.range.starting_at(run.range.first() - tail));
            changed |= refresh_edge::<L>(branch, left, bounds, fate, run);
        }
    }
    let (at_front, at_back) = (run.range.first() == bounds.first(), run.range.last() == bounds.last());
    if at_front || at_back {
        let (head, tail) = match fate {
            Fate::Grown => (run.range.length(), run.range.length()),
            Fate::Shrunk(taken) => (taken.first() - bounds.first(), bounds.last() - taken.last()),
        };
        let store = branch.store();
        let head = if at_front { head } else { store.head() };
        let tail = if at_back { tail } else { store.tail() };
        branch.store_mut().set_edges(head, tail);
        changed = true;
    }
    changed
}
