//! Natural sizes against their definition, and what two bytes keep of them.
// There are no pointers in here: not for an interpreter.
#![cfg(not(miri))]

use proptest::prelude::*;

use super::super::summary::tests::{BASES, any_range, range};
use super::{NaturalSize, natural_size};
use crate::range::IndexRange;
use crate::validate::natural_size_by_definition;

/// The natural size by trying each place for each size. Only for runs of few indices.
pub(crate) fn natural_size_by_trying(run: IndexRange) -> u64 {
    let fits = |size: &u64| {
        (run.first()..=run.last()).any(|first| {
            let place = IndexRange::sized(first, *size);
            first % size.next_power_of_two() == 0 && place.is_some_and(|place| run.contains_range(place))
        })
    };
    (1..=u64::try_from(run.count()).unwrap()).filter(fits).max().unwrap()
}

#[test]
fn natural_size_of_all_short_runs() {
    for base in BASES {
        for first in 0..64 {
            for last in first..64 {
                let run = range(base + first, base + last);
                assert_eq!(natural_size(run), natural_size_by_trying(run), "{run}");
                assert_eq!(natural_size(run), natural_size_by_definition(run), "{run}");
            }
        }
    }
}

#[test]
fn natural_size_of_runs_at_the_ends() {
    const HALF: u64 = 1 << 63;
    assert_eq!(natural_size(IndexRange::FULL), u64::MAX);
    assert_eq!(natural_size(range(0, u64::MAX - 1)), u64::MAX);
    assert_eq!(natural_size(range(1, u64::MAX)), HALF);
    assert_eq!(natural_size(range(1, u64::MAX - 1)), HALF - 1);
    assert_eq!(natural_size(range(0, HALF)), HALF + 1);
    assert_eq!(natural_size(range(HALF, u64::MAX)), HALF);
    assert_eq!(natural_size(range(HALF + 1, u64::MAX)), HALF / 2);
    assert_eq!(natural_size(IndexRange::single(0)), 1);
    assert_eq!(natural_size(IndexRange::single(u64::MAX)), 1);
    assert_eq!(natural_size(range(u64::MAX - 1, u64::MAX)), 2);
    assert_eq!(natural_size(range(u64::MAX - 2, u64::MAX)), 2);
}

#[test]
fn two_bytes_are_exact_up_to_2048() {
    for size in 0..=2048 {
        assert_eq!(NaturalSize::at_most(size).size(), size);
    }
    assert_eq!(NaturalSize::at_most(2049).size(), 2048);
    assert_eq!(NaturalSize::at_most(2050).size(), 2050);
    assert_eq!(NaturalSize::at_most(u64::MAX).size(), 2047 << 53);
    assert_eq!(NaturalSize::at_most(1 << 63).size(), 1 << 63);
    assert_eq!(NaturalSize::at_most(0), NaturalSize::default());
}

proptest! {
    #[test]
    fn natural_size_of_any_run(run in any_range()) {
        prop_assert_eq!(natural_size(run), natural_size_by_definition(run));
    }

    #[test]
    fn a_larger_run_has_no_smaller_natural_size(run in any_range(), more in any_range()) {
        let larger = range(run.first().min(more.first()), run.last().max(more.last()));
        prop_assert!(natural_size(larger) >= natural_size(run));
    }

    /// Rounded down to 11 significant bits, and in order.
    #[test]
    fn two_bytes_of_any_size((a, b) in (any::<u64>(), any::<u64>()), (less_a, less_b) in (0..64u32, 0..64u32)) {
        let (a, b) = (a >> less_a, b >> less_b);
        let spare = (64 - a.leading_zeros()).saturating_sub(11);
        prop_assert_eq!(NaturalSize::at_most(a).size(), a >> spare << spare);
        prop_assert_eq!(NaturalSize::at_most(NaturalSize::at_most(a).size()), NaturalSize::at_most(a));
        if a <= b {
            prop_assert!(NaturalSize::at_most(a) <= NaturalSize::at_most(b));
        }
    }
}
