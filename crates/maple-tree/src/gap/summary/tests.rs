//! The algebra of gap summaries: what combining two adjacent spans gives, however a span was cut.
// There are no pointers in here: not for an interpreter.
#![cfg(not(miri))]

use std::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Known, Summary};
use crate::gap::natural::natural_size;
use crate::gap::natural::tests::natural_size_by_trying;
use crate::range::IndexRange;

pub(crate) fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).unwrap()
}

/// The places where small spaces lie: at the bottom, at the top, across a highly aligned boundary, anywhere.
pub(crate) const BASES: [u64; 5] = [0, u64::MAX - 95, (1 << 63) - 48, (1 << 20) - 7, 0x1234_5678_9abc_def0];

/// An index, often near an end or a power of two.
fn index() -> impl Strategy<Value = u64> {
    let power = (0..64u32, 0..5u64).prop_map(|(k, more)| (1u64 << k).wrapping_add(more).wrapping_sub(2));
    prop_oneof![any::<u64>(), power.clone(), power.prop_map(|index| !index)]
}

pub(crate) fn any_range() -> impl Strategy<Value = IndexRange> {
    (index(), index()).prop_map(|(a, b)| range(a.min(b), a.max(b)))
}

/// What is known of a span that is wholly free or not: the value that the module documentation describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    bounds: IndexRange,
    head: u128,
    tail: u128,
    longest: u128,
    natural: u64,
}

impl Span {
    fn free(bounds: IndexRange) -> Self {
        let len = bounds.count();
        Self { bounds, head: len, tail: len, longest: len, natural: natural_size(bounds) }
    }

    fn taken(bounds: IndexRange) -> Self {
        Self { bounds, head: 0, tail: 0, longest: 0, natural: 0 }
    }

    fn is_free(&self) -> bool {
        self.head == self.bounds.count()
    }

    /// The run across the boundary with `right`.
    fn bridge(&self, right: &Self) -> Option<IndexRange> {
        let boundary = u128::from(right.bounds.first());
        let (first, end) = (boundary - self.tail, boundary + right.head);
        IndexRange::new(first as u64, end.checked_sub(1)? as u64)
    }
}

/// Combines two spans, `None` being the one without indices. The right one begins where the left one ends.
fn combine(left: Option<Span>, right: Option<Span>) -> Option<Span> {
    let (Some(a), Some(b)) = (left, right) else { return left.or(right) };
    assert_eq!(a.bounds.last() + 1, b.bounds.first());
    let bridge = a.bridge(&b);
    Some(Span {
        bounds: range(a.bounds.first(), b.bounds.last()),
        head: if a.is_free() { a.head + b.head } else { a.head },
        tail: if b.is_free() { b.tail + a.tail } else { b.tail },
        longest: a.longest.max(b.longest).max(a.tail + b.head),
        natural: a.natural.max(b.natural).max(bridge.map_or(0, natural_size)),
    })
}

/// A span by its bitmap: `true` is free.
fn by_trying(base: u64, bits: &[bool]) -> Option<Span> {
    let bounds = IndexRange::sized(base, bits.len() as u64)?;
    let mut runs: Vec<IndexRange> = Vec::new();
    for (index, _) in (base..=bounds.last()).zip(bits).filter(|(_, free)| **free) {
        match runs.last_mut() {
            Some(run) if run.last() + 1 == index => *run = range(run.first(), index),
            _ => runs.push(IndexRange::single(index)),
        }
    }
    let ones = |bits: &mut dyn Iterator<Item = &bool>| bits.take_while(|free| **free).count() as u128;
    Some(Span {
        bounds,
        head: ones(&mut bits.iter()),
        tail: ones(&mut bits.iter().rev()),
        longest: runs.iter().map(|run| run.count()).max().unwrap_or(0),
        natural: runs.iter().map(|&run| natural_size_by_trying(run)).max().unwrap_or(0),
    })
}

/// A span put together from single indices.
fn by_folding(base: u64, bits: &[bool]) -> Option<Span> {
    bits.iter().zip(base..=u64::MAX).fold(None, |span, (&free, index)| {
        let single = IndexRange::single(index);
        combine(span, Some(if free { Span::free(single) } else { Span::taken(single) }))
    })
}

/// A space: where it lies and what is free in it. Mostly runs, so that long ones occur.
fn space() -> impl Strategy<Value = (u64, Vec<bool>)> {
    let runs = vec((any::<bool>(), 1..12usize), 0..16);
    let bits = runs.prop_map(|runs| {
        runs.into_iter().flat_map(|(free, len)| std::iter::repeat_n(free, len)).take(96).collect()
    });
    (prop::sample::select(&BASES[..]), bits)
}

proptest! {
    /// However a span is cut, and however the pieces are put together again.
    #[test]
    fn any_partition_gives_what_the_bitmap_gives(
        (base, bits) in space(),
        cuts in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bits.len() + 1)).collect();
        cuts.extend([0, bits.len()]);
        cuts.sort_unstable();
        let piece = |ends: &[usize]| by_folding(base.wrapping_add(ends[0] as u64), &bits[ends[0]..ends[1]]);
        let pieces: Vec<_> = cuts.windows(2).map(piece).collect();

        let expected = by_trying(base, &bits);
        prop_assert_eq!(pieces.iter().copied().fold(None, combine), expected);
        prop_assert_eq!(pieces.iter().copied().rev().fold(None, |right, left| combine(left, right)), expected);
    }

    #[test]
    fn combining_is_associative_and_has_an_identity(
        (base, bits) in space(),
        cuts in any::<[prop::sample::Index; 2]>(),
    ) {
        let mut cuts = cuts.map(|cut| cut.index(bits.len() + 1));
        cuts.sort_unstable();
        let [a, b, c] = [(0, cuts[0]), (cuts[0], cuts[1]), (cuts[1], bits.len())]
            .map(|(from, to)| by_folding(base.wrapping_add(from as u64), &bits[from..to]));
        prop_assert_eq!(combine(combine(a, b), c), combine(a, combine(b, c)));
        prop_assert_eq!((combine(a, None), combine(None, a)), (a, a));
    }

    /// A wholly free span is the same, whether it is seen at once or in pieces.
    #[test]
    fn fragments_of_a_gap_are_the_gap(run in any_range(), cut in index()) {
        prop_assume!(run.first() <= cut && cut < run.last());
        let (left, right) = (range(run.first(), cut), range(cut + 1, run.last()));
        prop_assert_eq!(combine(Some(Span::free(left)), Some(Span::free(right))), Some(Span::free(run)));
    }

    /// The shortcut of an insertion: a run that was not the largest by any measure can be taken away.
    #[test]
    fn what_is_outranked_does_not_count(runs in vec(any_range(), 1..6), which in any::<prop::sample::Index>()) {
        let summary = |runs: &[IndexRange]| {
            runs.iter().map(|&run| Summary::of(run)).fold(Summary::default(), Summary::max)
        };
        let all = summary(&runs);
        let mut rest = runs;
        let taken = rest.swap_remove(which.index(rest.len()));
        let (rest, Known { least, most }) = (summary(&rest), Known::without(all, Summary::of(taken)));
        prop_assert_eq!(most, all);
        prop_assert!(least.longest <= rest.longest && rest.longest <= most.longest);
        prop_assert!(least.natural <= rest.natural && rest.natural <= most.natural);
        // What is not known to be as before may be so only if the range that was taken had as much.
        prop_assert!(least.longest == all.longest || all.longest == Summary::of(taken).longest);
    }
}
