//! Fitting a request into a run, and the filter that says when that is worth trying.

use proptest::prelude::*;

use super::{Direction, GapRequest};
use crate::gap::summary::order_of;
use crate::range::IndexRange;

const DIRECTIONS: [Direction; 2] = [Direction::TopDown, Direction::BottomUp];

/// Where small spaces lie.
const BASES: [u64; 3] = [0, u64::MAX - 31, (1 << 40) - 16];

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).unwrap()
}

/// Tries each place.
fn fit_by_trying(request: &GapRequest, run: IndexRange) -> Option<IndexRange> {
    let fits = |place: &IndexRange| {
        place.first() % request.align() == 0
            && run.contains_range(*place)
            && request.window().contains_range(*place)
    };
    let mut places =
        (run.first()..=run.last()).filter_map(|first| IndexRange::sized(first, request.size())).filter(fits);
    match request.direction() {
        Direction::TopDown => places.next_back(),
        Direction::BottomUp => places.next(),
    }
}

/// Calls `check` for all runs of small spaces.
fn for_all_short_runs(check: impl Fn(IndexRange)) {
    for base in BASES {
        for first in 0..32 {
            for last in first..32 {
                check(range(base + first, base + last));
            }
        }
    }
}

#[test]
fn fits_into_all_short_runs() {
    for_all_short_runs(|run| {
        for align in [1, 2, 4, 8, 16, 32, 64, 1 << 63] {
            for size in (1..=33).chain([u64::MAX - 1, u64::MAX]) {
                for direction in DIRECTIONS {
                    let request = GapRequest::new(.., size, align, direction).unwrap();
                    assert_eq!(request.fit(run), fit_by_trying(&request, run), "{request:?} in {run}");
                }
            }
        }
    });
}

#[test]
fn the_filter_lets_all_pass_that_fits_and_of_natural_requests_nothing_else() {
    for_all_short_runs(|run| {
        let len = u64::try_from(run.count()).unwrap();
        for align in [1, 2, 4, 8, 16, 32, 64] {
            for size in 1..=33 {
                let request = GapRequest::new(.., size, align, Direction::TopDown).unwrap();
                let passes = order_of(run) >= request.need() && len >= size;
                let fits = request.fit(run).is_some();
                assert!(passes || !fits, "{request:?} is kept out of {run}");
                if size == align || align == 1 {
                    assert_eq!(passes, fits, "{request:?} and {run}");
                }
            }
        }
    });
}

#[test]
fn what_makes_no_sense() {
    use super::InvalidRequest;
    let new = |window: (u64, u64), size, align| {
        let window = (std::ops::Bound::Included(window.0), std::ops::Bound::Included(window.1));
        GapRequest::new(window, size, align, Direction::TopDown).err()
    };
    assert_eq!(new((1, 0), 1, 1), Some(InvalidRequest::Window));
    assert_eq!(new((0, 0), 0, 1), Some(InvalidRequest::Size));
    assert_eq!(new((0, 0), 1, 0), Some(InvalidRequest::Alignment { align: 0 }));
    assert_eq!(new((0, 0), 1, 3), Some(InvalidRequest::Alignment { align: 3 }));
    assert_eq!(new((0, 0), u64::MAX, 1 << 63), None);
}

/// The same in numbers that cannot overflow, for runs of any length.
fn fit_in_wide_numbers(request: &GapRequest, run: IndexRange) -> Option<IndexRange> {
    let run = run.intersection(request.window())?;
    let (size, align) = (i128::from(request.size()), i128::from(request.align()));
    let (first, end) = (i128::from(run.first()), i128::from(run.last()) + 1);
    let start = match request.direction() {
        Direction::TopDown => (end - size).div_euclid(align) * align,
        Direction::BottomUp => (first + align - 1).div_euclid(align) * align,
    };
    if first <= start && start + size <= end {
        IndexRange::sized(u64::try_from(start).unwrap(), request.size())
    } else {
        None
    }
}

fn any_range() -> impl Strategy<Value = IndexRange> {
    let index = (any::<u64>(), 0..64u32, any::<bool>())
        .prop_map(|(index, shift, top)| if top { !(index >> shift) } else { index >> shift });
    (index.clone(), index).prop_map(|(a, b)| range(a.min(b), a.max(b)))
}

proptest! {
    #[test]
    fn fits_into_any_run(
        run in any_range(),
        window in any_range(),
        (bits, shift) in (1u64.., 0..64u32),
        align in 0..64u32,
        direction in prop::sample::select(&DIRECTIONS[..]),
    ) {
        let size = (bits >> shift).max(1);
        let request = GapRequest::new(window, size, 1 << align, direction).unwrap();
        let fit = request.fit(run);
        prop_assert_eq!(fit, fit_in_wide_numbers(&request, run));
        prop_assert!(fit.is_none() || order_of(run) >= request.need());
    }

    #[test]
    fn the_filter_decides_natural_requests_in_any_run(run in any_range(), order in 0..64u32) {
        let request = GapRequest::new(.., 1 << order, 1 << order, Direction::BottomUp).unwrap();
        prop_assert_eq!(order_of(run) >= request.need(), request.fit(run).is_some());
    }
}
