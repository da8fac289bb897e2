//! Where to cut a full node in two.

use crate::node::Shape;

/// Which half an edit falls to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Left,
    Right,
}

/// A cut: the slots below `at` stay on the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) at: usize,
    pub(super) half: Half,
}

/// Chooses where to cut a node whose `removed` slots at `at` are going to become `inserted` slots, at least one
/// of them live.
///
/// Both halves must fit and have a live slot then (T3), and the cut must not go through the removed slots.
/// Among such cuts the most even one is taken, except where the edit is at the very end or front: a tree that
/// grows in one direction would otherwise leave half-empty nodes behind.
pub(super) fn choose_cut<S: Shape>(node: &S, at: usize, removed: usize, inserted: usize) -> Cut {
    let len = node.len();
    let wanted_left = if at + removed == len {
        at
    } else if at == 0 || (removed == 0 && at == 1) {
        // Nothing, or the one child that was split, stays on the left.
        if removed == 0 { at } else { inserted }
    } else {
        (len - removed + inserted) / 2
    };
    let fits = |cut: &Cut| {
        let grown = |slots: usize, half: Half| {
            if cut.half == half { slots - removed + inserted } else { slots }
        };
        let whole = match cut.half {
            Half::Left => at + removed <= cut.at,
            Half::Right => cut.at <= at,
        };
        whole
            && grown(cut.at, Half::Left) <= S::CAPACITY
            && grown(len - cut.at, Half::Right) <= S::CAPACITY
            && (cut.half == Half::Left || node.has_live(0, cut.at))
            && (cut.half == Half::Right || node.has_live(cut.at, len))
    };
    // The nearest to the wanted one: a step to the left, one to the right, two to the left, and so on.
    let nearest = |distance: usize| {
        let left_lens = [wanted_left.checked_sub(distance), Some(wanted_left + distance)];
        left_lens
            .into_iter()
            .flatten()
            .flat_map(|left| {
                let after = (left + removed).checked_sub(inserted).map(|at| Cut { at, half: Half::Left });
                [after, Some(Cut { at: left, half: Half::Right })].into_iter().flatten()
            })
            .find(|cut| cut.at <= len && fits(cut))
    };
    let best = (0..=len).find_map(nearest);
    // A node is full of live slots and single empty ones, so there is a cut next to the edit at the latest.
    debug_assert!(best.is_some(), "no place to cut");
    best.unwrap_or(Cut { at, half: Half::Right })
}
