//! Fitting a request into a run, and the filter that says when that is worth trying.
// There are no pointers in here: not for an interpreter.
#![cfg(not(miri))]

use proptest::prelude::*;

use super::{Direction, Filter, GapRequest};
use crate::gap::Summary;
use crate::range::IndexRange;

const DIRECTIONS: [Direction; 2] = [Direction::TopDown, Direction::BottomUp];

/// Where small spaces lie.
const BASES: [u64; 3] = [0, u64::MAX - 31, (1 << 40) - 16];

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).unwrap()
}

/// A request with a boundary, which 0 stands for if there is none.
fn bounded(request: GapRequest, boundary: u64) -> GapRequest {
    if boundary == 0 { request } else { request.not_crossing(boundary).unwrap() }
}

/// Tries each place.
fn fit_by_trying(request: &GapRequest, run: IndexRange) -> Option<IndexRange> {
    let same_block = |place: &IndexRange| match request.boundary() {
        Some(boundary) => place.first() / boundary == place.last() / boundary,
        None => true,
    };
    let fits = |place: &IndexRange| {
        place.first() % request.align() == 0
            && same_block(place)
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

/// Whether the filter lets a run pass.
fn passes(request: &GapRequest, run: IndexRange) -> bool {
    let Summary { longest, natural } = Summary::of(run);
    match request.filter() {
        Filter::Length => longest >= request.size(),
        Filter::Natural => natural >= request.need(),
        Filter::Both => longest >= request.size() && natural >= request.need(),
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
fn fits_between_boundaries_in_all_short_runs() {
    for_all_short_runs(|run| {
        for boundary in [1, 2, 4, 8, 16, 32, 1 << 63] {
            for align in [1, 2, 4, 8, 16, 64] {
                for size in (1..=33).take_while(|size| *size <= boundary) {
                    for direction in DIRECTIONS {
                        let request = GapRequest::new(.., size, align, direction).unwrap();
                        let request = bounded(request, boundary);
                        assert_eq!(request.fit(run), fit_by_trying(&request, run), "{request:?} in {run}");
                    }
                }
            }
        }
    });
}

#[test]
fn the_filter_lets_all_pass_that_fits_and_of_natural_requests_nothing_else() {
    for_all_short_runs(|run| {
        for boundary in [0, 1, 2, 4, 8, 16, 32, 64] {
            for align in [1, 2, 4, 8, 16, 32, 64] {
                for size in (1..=33).take_while(|size| boundary == 0 || *size <= boundary) {
                    let request = GapRequest::new(.., size, align, Direction::TopDown).unwrap();
                    let request = bounded(request, boundary);
                    let (passes, fits) = (passes(&request, run), request.fit(run).is_some());
                    assert!(passes || !fits, "{request:?} is kept out of {run}");
                    let unaligned = align == 1 && boundary == 0;
                    let natural = align == size.next_power_of_two() || size == boundary && align <= boundary;
                    assert_eq!(request.filter() != Filter::Both, unaligned || natural, "{request:?}");
                    if unaligned || natural {
                        assert_eq!(passes, fits, "{request:?} and {run}");
                    }
                    assert!(passes || Summary::of(run).natural < request.need() || run.count() < size.into());
                }
            }
        }
    });
}

/// Of 2^(k+1) - 1 indices there is an aligned block of 2^k. So a search need not look where no run has that.
#[test]
fn a_boundary_makes_a_request_need_the_block_that_is_in_any_range_of_its_size() {
    for (size, block) in [(1, 1), (2, 1), (3, 2), (6, 2), (7, 4), (14, 4), (15, 8), (1022, 256), (1023, 512)]
    {
        let request = GapRequest::new(.., size, 1, Direction::TopDown).unwrap();
        let need = bounded(request, 1 << 20).need();
        assert_eq!(need.size(), block, "{size}");
        assert!((1..5000).all(|first| Summary::of(range(first, first + size - 1)).natural >= need));
    }
}

/// A natural size of two bytes is too small for these, so it does not decide alone.
#[test]
fn sizes_that_are_not_kept_exactly_take_their_length() {
    for size in [2049, 4095, 4097, (1 << 40) + 1, u64::MAX / 2] {
        let request = GapRequest::new(.., size, size.next_power_of_two(), Direction::TopDown).unwrap();
        for (run, fits) in [(range(0, size - 2), false), (range(0, size - 1), true), (range(1, size), false)]
        {
            assert_eq!(request.fit(run).is_some(), fits, "{request:?} and {run}");
            assert!(passes(&request, run) == fits || run.first() == 1, "{request:?} and {run}");
        }
    }
}

/// As the cost of `find_gap` is described.
#[test]
fn only_runs_shorter_than_twice_the_size_are_cut() {
    for_all_short_runs(|run| {
        for boundary in [1, 2, 4, 8, 16, 32] {
            for size in 1..=boundary {
                let request = GapRequest::new(.., size, 1, Direction::TopDown).unwrap();
                let fits = bounded(request, boundary).fit(run).is_some();
                assert!(fits || run.count() < 2 * u128::from(size), "{size}, {boundary} and {run}");
            }
        }
    });
}

#[test]
fn of_several_boundaries_the_smallest_counts() {
    let request = GapRequest::new(.., 4, 1, Direction::TopDown).unwrap();
    assert_eq!(request.boundary(), None);
    let four = request.not_crossing(4).unwrap();
    assert_eq!(four.boundary(), Some(4));
    assert_eq!(four.not_crossing(16), Ok(four));
    assert_eq!(request.not_crossing(16).unwrap().not_crossing(4), Ok(four));
    assert_eq!(request.not_crossing(1 << 63).unwrap().boundary(), Some(1 << 63));
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

    let not_crossing = |size, boundary| {
        let request = GapRequest::new(.., size, 1, Direction::TopDown).unwrap();
        request.not_crossing(boundary).err()
    };
    assert_eq!(not_crossing(1, 0), Some(InvalidRequest::Boundary { boundary: 0 }));
    assert_eq!(not_crossing(1, u64::MAX), Some(InvalidRequest::Boundary { boundary: u64::MAX }));
    assert_eq!(not_crossing(1, 1), None);
    assert_eq!(not_crossing(2, 1), Some(InvalidRequest::SizeAboveBoundary { size: 2, boundary: 1 }));
    assert_eq!(not_crossing(1 << 63, 1 << 63), None);
    let size = (1 << 63) + 1;
    let above = InvalidRequest::SizeAboveBoundary { size, boundary: 1 << 63 };
    assert_eq!(not_crossing(size, 1 << 63), Some(above));
}

/// The same in numbers that cannot overflow, for runs of any length: within the aligned block where the search
/// begins, or else the next one. If the run goes on beyond that, the request fits there.
fn fit_in_wide_numbers(request: &GapRequest, run: IndexRange) -> Option<IndexRange> {
    let run = run.intersection(request.window())?;
    let (size, align) = (i128::from(request.size()), i128::from(request.align()));
    let block = request.boundary().map_or(1 << 64, i128::from).max(align);
    let fit_in_block = |number: i128| {
        let first = i128::from(run.first()).max(number * block);
        let end = (i128::from(run.last()) + 1).min((number + 1) * block);
        let start = match request.direction() {
            Direction::TopDown => (end - size).div_euclid(align) * align,
            Direction::BottomUp => (first + align - 1).div_euclid(align) * align,
        };
        let fits = first <= start && start + size <= end;
        fits.then(|| IndexRange::sized(u64::try_from(start).unwrap(), request.size()))?
    };
    let (lowest, highest) = (i128::from(run.first()) / block, i128::from(run.last()) / block);
    match request.direction() {
        Direction::TopDown => fit_in_block(highest).or_else(|| fit_in_block(highest - 1)),
        Direction::BottomUp => fit_in_block(lowest).or_else(|| fit_in_block(lowest + 1)),
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
        room in prop::option::of(0..64u32),
        direction in prop::sample::select(&DIRECTIONS[..]),
    ) {
        let size = (bits >> shift).max(1);
        let request = GapRequest::new(window, size, 1 << align, direction).unwrap();
        // A boundary that is the size or larger, up to 2^63.
        let least = room.and(size.checked_next_power_of_two());
        let boundary = least.map(|least| least << room.unwrap_or(0).min(63 - least.ilog2()));
        let request = bounded(request, boundary.unwrap_or(0));
        let fit = request.fit(run);
        prop_assert_eq!(fit, fit_in_wide_numbers(&request, run));
        prop_assert!(fit.is_none() || passes(&request, run));
        prop_assert!(fit.is_none() || Summary::of(run).natural >= request.need());
    }

    /// All sizes that two bytes keep.
    #[test]
    fn the_filter_decides_natural_requests_in_any_run(run in any_range(), bits in 1..2048u64, shift in 0..53u32) {
        let size = bits << shift;
        let request = GapRequest::new(.., size, size.next_power_of_two(), Direction::BottomUp).unwrap();
        prop_assert_eq!(request.filter(), Filter::Natural);
        prop_assert_eq!(passes(&request, run), request.fit(run).is_some());
    }
}
