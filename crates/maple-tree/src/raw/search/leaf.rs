//! The end of a gap search: the runs of a leaf.

use super::Fit;
use crate::gap::GapRequest;
use crate::node::Shape;
use crate::range::IndexRange;

/// Searches a leaf that the window may cut.
#[inline]
pub(super) fn find_in_cut_leaf<S: Shape, const TOP_DOWN: bool>(
    leaf: &S,
    bounds: IndexRange,
    request: &GapRequest,
) -> Option<Fit> {
    let within = bounds.intersection(request.window())?;
    let mut empty = leaf.empty();
    if within.first() > bounds.first() {
        empty &= u32::MAX << leaf.find(within.first());
    }
    if within.last() < bounds.last() {
        empty &= u32::MAX >> (31 - leaf.find(within.last()));
    }
    find_in_leaf::<_, TOP_DOWN>(leaf, empty, within, request)
}

/// The runs of a leaf as far as they are `within` some bounds, where these slots are `empty`: one for each run of empty
/// slots, from the end that the direction says.
#[inline]
pub(super) fn find_in_leaf<S: Shape, const TOP_DOWN: bool>(
    leaf: &S,
    empty: u32,
    within: IndexRange,
    request: &GapRequest,
) -> Option<Fit> {
    let mut empty = empty;
    // Mostly no two empty slots are neighbours (N4).
    let tidy = empty & empty << 1 == 0;
    while empty != 0 {
        let (from, to) = if TOP_DOWN {
            let to = empty.ilog2();
            (if tidy { to } else { to + 1 - (empty << (31 - to)).leading_ones() }, to)
        } else {
            let from = empty.trailing_zeros();
            (from, if tidy { from } else { from + (empty >> from).trailing_ones() - 1 })
        };
        empty &= if TOP_DOWN { !(u32::MAX << from) } else { u32::MAX << to << 1 };
        let (from, to) = (from as usize, to as usize);
        let first = leaf.first_of(from, within).max(within.first());
        let run = within.starting_at(first).ending_at(leaf.last_of(to, within));
        if let Some(range) = request.place(run) {
            return Some(Fit { range, slot: (from == to).then_some(from) });
        }
    }
    None
}
