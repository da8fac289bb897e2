//! Random programs: sequences of writes that have to do with what is there.

use fastrand::Rng;
use maple_tree::{Direction, GapRequest, IndexRange};

use crate::model::{Model, Ranges, Slots};
use crate::rules;
use crate::seed::scaled;

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Stores over a range, which may be occupied or out of bounds.
    Insert(IndexRange),
    /// Takes a range without a value, likewise.
    Reserve(IndexRange),
    /// Stores over a range, whatever is there.
    Store(IndexRange),
    /// Frees a range.
    ClearRange(IndexRange),
    /// Prepares an insertion.
    PrepareInsert(IndexRange, Use),
    /// Prepares a store.
    PrepareStore(IndexRange, Use),
    /// Searches and stores.
    Allocate(GapRequest),
    /// Likewise, behind the last one.
    AllocateCyclic(GapRequest),
    /// Tries all that there is with `first..=last` where `first` is greater.
    Reversed(u64, u64),
    /// Takes out what is at an index.
    Erase(u64),
    /// Frees what is reserved at an index.
    Unreserve(u64),
    /// Exchanges the value at an index.
    Replace(u64),
    /// Joins neighbours.
    Merge(IndexRange),
    /// Takes out everything.
    Clear,
    /// Makes a copy.
    Copy,
    /// Makes the tree denser, a few branches at a time.
    CompactStep(usize),
    /// Makes the tree dense.
    Compact,
    /// Stores over a row of ranges behind all others.
    Append(Row),
}

/// Ranges that all have the same size and the same gap before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) gap: u64,
    pub(crate) size: u64,
    pub(crate) count: usize,
}

/// What becomes of a prepared write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Store,
    Reserve,
    Clear,
    Drop,
}

/// What a random program does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Mostly inserts.
    Grow,
    /// Mostly erases.
    Shrink,
    /// As much of one as of the other.
    Hover,
}

impl Phase {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.u8(0..3) {
            0 => Self::Grow,
            1 => Self::Shrink,
            _ => Self::Hover,
        }
    }

    fn inserts_of_100(self) -> u32 {
        match self {
            Self::Grow => 85,
            Self::Shrink => 15,
            Self::Hover => 50,
        }
    }
}

/// The next write of a random program.
pub(crate) fn next(rng: &mut Rng, phase: Phase, model: &dyn Model) -> Op {
    let space = model.space();
    if rng.u32(0..2000) == 0 {
        return Op::Clear;
    }
    if rng.u32(0..100) == 0 {
        let last = index(rng, space);
        return match last.checked_add(1) {
            Some(above) => Op::Reversed(rng.u64(above..), last),
            None => Op::Reversed(u64::MAX, u64::MAX - 1),
        };
    }
    if rng.u32(0..100) == 0 && model.bounds() == space {
        return beyond(rng, space);
    }
    match rng.u32(0..400) {
        0 => return Op::Copy,
        1 => return Op::Compact,
        2..=9 => return Op::CompactStep(rng.usize(0..4)),
        _ => {}
    }
    if rng.u32(0..100) < phase.inserts_of_100() {
        return take(rng, model);
    }
    let index = index(rng, space);
    match rng.u8(0..40) {
        0 | 1 => return Op::Replace(index),
        2 => return Op::Merge(window(rng, space)),
        3 | 4 => return Op::ClearRange(range(rng, model)),
        5 | 6 => return Op::ClearRange(within_taken(rng, model)),
        _ => {}
    }
    // Mostly an index where there is something: anywhere in the next entry.
    let next = IndexRange::new(index, space.last()).and_then(|rest| model.first_in(rest));
    match next {
        Some((range, key)) if rng.u8(0..4) > 0 => {
            let index = rng.u64(range.first()..=range.last());
            if key.is_some() { Op::Erase(index) } else { Op::Unreserve(index) }
        }
        _ if rng.u8(0..4) == 0 => Op::Unreserve(index),
        _ => Op::Erase(index),
    }
}

/// A write that takes something.
fn take(rng: &mut Rng, model: &dyn Model) -> Op {
    let used = [Use::Store, Use::Reserve, Use::Clear, Use::Drop][rng.usize(0..4)];
    match rng.u8(0..33) {
        32 => Op::Append(Row { gap: rng.u64(0..3), size: rng.u64(1..4), count: rng.usize(0..40) }),
        0..=15 => Op::Insert(range(rng, model)),
        16..=18 => Op::Reserve(range(rng, model)),
        19 | 20 => Op::Store(range(rng, model)),
        21..=24 => Op::Store(within_taken(rng, model)),
        25 => Op::PrepareInsert(range(rng, model), used),
        26 => Op::PrepareStore(range(rng, model), used),
        27 => Op::PrepareStore(within_taken(rng, model), used),
        28 | 29 => Op::Allocate(request_inside(rng, model.space())),
        _ => Op::AllocateCyclic(request_inside(rng, model.space())),
    }
}

/// A range that has to do with what is taken: a part of it, or a part and more.
fn within_taken(rng: &mut Rng, model: &dyn Model) -> IndexRange {
    let space = model.space();
    let at = index(rng, space);
    let next = IndexRange::new(at, space.last()).and_then(|rest| model.first_in(rest));
    let Some((taken, _)) = next else { return range(rng, model) };
    let first = rng.u64(taken.first()..=taken.last());
    let (first, last) = match rng.u8(0..8) {
        0 => (taken.first(), taken.last()),
        1 => (taken.first(), first),
        2 => (first, taken.last()),
        3 => (first, first.saturating_add(length(rng, space) - 1).min(space.last())),
        4 => (first.saturating_sub(length(rng, space) - 1).max(space.first()), first),
        _ => (first, rng.u64(first..=taken.last())),
    };
    IndexRange::new(first, last).expect("`first` is not above `last`")
}

/// A write that has nothing to do, because the index space ends before.
fn beyond(rng: &mut Rng, bounds: IndexRange) -> Op {
    let (inside, above) = (index(rng, bounds), bounds.last().saturating_add(rng.u64(0..3)));
    let below = bounds.first().saturating_sub(rng.u64(0..3));
    let range = if rng.bool() { IndexRange::new(inside, above) } else { IndexRange::new(below, inside) };
    let range = range.unwrap_or(bounds);
    match rng.u8(0..6) {
        0 => Op::Insert(range),
        1 => Op::Store(range),
        2 => Op::Reserve(range),
        3 => Op::PrepareStore(range, Use::Clear),
        4 => Op::Erase(above),
        _ => Op::Erase(below),
    }
}

/// An index of a space: any of a small one; of a large one often near an end or a power of two.
pub(crate) fn index(rng: &mut Rng, space: IndexRange) -> u64 {
    if space.count() <= 4096 {
        return rng.u64(space.first()..=space.last());
    }
    match rng.u8(0..8) {
        0 => rng.u64(..) >> rng.u32(0..64),
        1 => !(rng.u64(..) >> rng.u32(0..64)),
        2 => (1u64 << rng.u32(0..64)).wrapping_sub(rng.u64(0..3)),
        _ => rng.u64(..),
    }
}

/// How long something is: short lengths are as frequent as long ones.
fn length(rng: &mut Rng, space: IndexRange) -> u64 {
    let most = (space.count() - 1).ilog2();
    let order = rng.u32(0..=most);
    1 + rng.u64(0..1 << order)
}

/// A range to store over: anything, or one that has to do with the gap that is there.
fn range(rng: &mut Rng, model: &dyn Model) -> IndexRange {
    let space = model.space();
    let at = index(rng, space);
    let gap = model.gap_at(at).and_then(|gap| gap.intersection(space));
    let (first, last) = match (gap, rng.u8(0..16)) {
        // The gap exactly, its front, its back, any part of it.
        (Some(gap), 0..=2) => (gap.first(), gap.last()),
        (Some(gap), 3..=4) => (gap.first(), at),
        (Some(gap), 5..=6) => (at, gap.last()),
        (Some(gap), 7..=9) => (at, rng.u64(at..=gap.last())),
        // One index too many.
        (Some(gap), 10) => (gap.first(), gap.last().saturating_add(1).min(space.last())),
        (_, 11) => {
            let other = index(rng, space);
            (at.min(other), at.max(other))
        }
        _ => (at, at.saturating_add(length(rng, space) - 1).min(space.last())),
    };
    IndexRange::new(first, last).expect("`first` is not above `last`")
}

/// A window to search in: mostly one that cuts gaps.
pub(crate) fn window(rng: &mut Rng, space: IndexRange) -> IndexRange {
    let (a, b) = (index(rng, space), index(rng, space));
    let (first, last) = match rng.u8(0..8) {
        0 => return IndexRange::FULL,
        1 => return space,
        // Beyond the space on one side or both, or outside.
        2 => (space.first().saturating_sub(a), space.last().saturating_add(b)),
        3 => (a, a.saturating_add(b)),
        4 => (space.first().saturating_sub(rng.u64(1..=64)), b),
        _ => (a.min(b), a.max(b)),
    };
    IndexRange::new(first, last).unwrap_or(space)
}

/// A gap request: windows that cut gaps, sizes up to more than the window, alignments smaller and larger,
/// boundaries that are close to the size.
pub(crate) fn request(rng: &mut Rng, space: IndexRange) -> GapRequest {
    let window = window(rng, space);
    let size = match rng.u8(0..16) {
        0 => u64::try_from(window.count()).unwrap_or(u64::MAX),
        1 => u64::try_from(window.count()).unwrap_or(u64::MAX).saturating_add(1),
        2 => u64::MAX,
        3..=6 => length(rng, space).next_power_of_two(),
        _ => length(rng, space),
    };
    let align = match rng.u8(0..8) {
        0 | 1 => 1,
        2 | 3 if size.is_power_of_two() => size,
        4 => 1 << rng.u32(0..64),
        _ => 1 << rng.u32(0..=6),
    };
    let direction = if rng.bool() { Direction::TopDown } else { Direction::BottomUp };
    let request = GapRequest::new(window, size, align, direction).expect("the request makes sense");
    match size.checked_next_power_of_two() {
        Some(least) if rng.bool() => {
            let boundary = least << rng.u32(0..=3).min(63 - least.ilog2());
            request.not_crossing(boundary).expect("the boundary is not below the size")
        }
        _ => request,
    }
}

/// The same request in another window.
pub(crate) fn in_window(request: &GapRequest, window: IndexRange) -> GapRequest {
    let (size, align) = (request.size(), request.align());
    let moved = GapRequest::new(window, size, align, request.direction()).expect("as before");
    request.boundary().map_or(moved, |boundary| moved.not_crossing(boundary).expect("as before"))
}

/// A gap request that finds nothing outside of a space.
fn request_inside(rng: &mut Rng, space: IndexRange) -> GapRequest {
    let request = request(rng, space);
    in_window(&request, request.window().intersection(space).unwrap_or(space))
}

/// A random program as a list: what it does follows from the model alone.
pub(crate) fn random(seed: u64, mut model: impl Model, steps: usize) -> Vec<Op> {
    let mut rng = Rng::with_seed(seed);
    let mut program = Vec::new();
    let mut phase = Phase::Grow;
    while program.len() < steps {
        if rng.u32(0..64) == 0 {
            phase = Phase::any(&mut rng);
        }
        let op = next(&mut rng, phase, &model);
        if op != Op::Clear {
            foresee(op, &mut model);
            program.push(op);
        }
    }
    program
}

/// About what a write does; enough to make up the next one.
fn foresee(op: Op, model: &mut dyn Model) {
    match op {
        Op::Insert(range) | Op::Reserve(range) | Op::Store(range) | Op::ClearRange(range)
            if !model.bounds().contains_range(range) => {}
        Op::Insert(range) if model.first_in(range).is_none() => model.take(range, Some(0)),
        Op::Reserve(range) if model.first_in(range).is_none() => model.take(range, None),
        Op::Store(range) => {
            model.clear_range(range);
            model.take(range, Some(0));
        }
        Op::ClearRange(range) => drop(model.clear_range(range)),
        Op::Erase(index) | Op::Unreserve(index) => drop(model.free(index)),
        _ => {}
    }
}

/// Programs for failing memory, each with its name: those by rule and some random ones.
pub(crate) fn small(seed: u64) -> Vec<(String, Vec<Op>)> {
    // Each is run once for each allocation that it makes: short ones, and a few of them, in an interpreter.
    let (entries, step) = if cfg!(miri) { (6, 4) } else { (60, 1) };
    let mut programs: Vec<_> = rules::by_rule(entries)
        .into_iter()
        .step_by(step)
        .map(|(name, program)| (name.to_owned(), program))
        .collect();
    let steps = scaled(150);
    for round in 0..scaled(3) as u64 {
        let seed = seed.wrapping_add(round);
        programs.push((format!("random, 64, seed {seed}"), random(seed, Slots::new(0, 64), steps)));
        programs.push((format!("random, top, seed {seed}"), random(seed, Slots::at_the_top(256), steps)));
        programs.push((format!("random, u64, seed {seed}"), random(seed, Ranges::default(), steps)));
    }
    programs
}
