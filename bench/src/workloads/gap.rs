//! Finding a free range, without taking it.
//!
//! The ranges stand close together: 1 to 6 free indices between two of them. [`LARGE`] gaps among these, evenly
//! spaced, are larger, each larger than the one before, seen from where the search begins: a search for the size of
//! one of them has to pass all that comes before it.

use crate::measure::Clock;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::{GapSearch, Search};
#[cfg(feature = "kernel")]
use crate::subjects::kernel::KernelMaple;
use crate::subjects::{btree::BTree, maple::Maple, nodit::Nodit, rangemap::Rangemap};

const LARGE: usize = 16;

/// The size of the large gap with this number, from 0; all but the last are too small for the next one's.
fn large(number: usize) -> u64 {
    1024 + 64 * number as u64
}

macro_rules! row {
    ($name:literal, $work:ident, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [
                Maple,
                #[cfg(feature = "kernel")]
                KernelMaple,
                BTree,
                Rangemap,
                Nodit,
            ] comparable |subject| !($what.contains("aligned") && subject.starts_with("C "))),
        }
    };
}

/// A search for each direction.
macro_rules! directions {
    ($($work:ident, $top:ident, $bottom:ident;)+) => {
        $(
            fn $top<G: GapSearch + 'static>(setup: &Setup) -> Laps {
                gaps::<G>(setup, true, $work)
            }

            fn $bottom<G: GapSearch + 'static>(setup: &Setup) -> Laps {
                gaps::<G>(setup, false, $work)
            }
        )+
    };
}

directions! {
    near, near_top, near_bottom;
    deep, deep_top, deep_bottom;
    absent, absent_top, absent_bottom;
    window, window_top, window_bottom;
    natural, natural_top, natural_bottom;
    odd, odd_top, odd_bottom;
}

pub fn rows() -> Vec<Row> {
    vec![
        row!("gap-near-top", near_top, "find 1 to 6 free indices, from the top"),
        row!("gap-near-bottom", near_bottom, "find 1 to 6 free indices, from the bottom"),
        row!("gap-deep-top", deep_top, "find one of 16 large gaps by its size, from the top"),
        row!("gap-deep-bottom", deep_bottom, "find one of 16 large gaps by its size, from the bottom"),
        row!("gap-absent-top", absent_top, "look for more than there is in one piece, from the top"),
        row!("gap-absent-bottom", absent_bottom, "look for more than there is in one piece, from the bottom"),
        row!("gap-window-top", window_top, "find 1 to 6 in a random window of 4096 indices, from the top"),
        row!("gap-window-bottom", window_bottom, "find 1 to 6 in a random window of 4096, from the bottom"),
        row!("gap-natural-top", natural_top, "find 2 or 4 in such a window, aligned to that, from the top"),
        row!(
            "gap-natural-bottom",
            natural_bottom,
            "find 2 or 4 in such a window, aligned to that, from the bottom"
        ),
        row!("gap-odd-top", odd_top, "find 3 in such a window, aligned to 4, from the top"),
        row!("gap-odd-bottom", odd_bottom, "find 3 in such a window, aligned to 4, from the bottom"),
    ]
}

/// One of many searches: from a number, within `0..=last`.
type Choose = fn(&mut Numbers, u64, bool) -> Search;

fn near(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    Search { first: 0, last, size: 1 + numbers.below(6) as u64, align: 1, top_down }
}

fn deep(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    Search { size: large(numbers.below(LARGE)), ..near(numbers, last, top_down) }
}

fn absent(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    Search { size: large(LARGE) + numbers.below(1000) as u64, ..near(numbers, last, top_down) }
}

fn window(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    let search = near(numbers, last, top_down);
    let first = numbers.below(last.saturating_sub(4096) as usize + 1) as u64;
    Search { first, last: last.min(first + 4095), ..search }
}

fn natural(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    let size = 2 << numbers.below(2);
    Search { size, align: size, ..window(numbers, last, top_down) }
}

fn odd(numbers: &mut Numbers, last: u64, top_down: bool) -> Search {
    Search { size: 3, align: 4, ..window(numbers, last, top_down) }
}

/// Fills a subject, and returns it with the last index. From the bottom all is the mirror image.
fn crowded<G: GapSearch>(setup: &Setup, top_down: bool) -> (G, u64) {
    let mut numbers = Numbers::new(setup.seed);
    let every = setup.n.div_ceil(LARGE + 1);
    // From the side where the searches begin.
    let mut at = 0;
    let mut ranges = Vec::with_capacity(setup.n);
    for number in 0..setup.n {
        let is_large = number != 0 && number % every == 0;
        at += if is_large { large(number / every - 1) } else { 1 + numbers.below(6) as u64 };
        let size = 1 + numbers.below(32) as u64;
        ranges.push((at, at + size - 1));
        at += size;
    }
    let last = at + 1023;
    let mut subject = G::new(last);
    // In the far end nothing is free, as beyond a device's limit.
    ranges.push((at, last));
    for number in numbers.order(ranges.len()) {
        let (from, to) = ranges[number as usize];
        if top_down {
            subject.insert(last - to, last - from);
        } else {
            subject.insert(from, to);
        }
    }
    (subject, last)
}

fn gaps<G: GapSearch + 'static>(setup: &Setup, top_down: bool, choose: Choose) -> Laps {
    let Setup { seed, operations, .. } = *setup;
    let (subject, last) = crowded::<G>(setup, top_down);
    let mut numbers = Numbers::new(seed + 1);
    // As many as stay in the caches closest to the processor.
    let searches: Vec<Search> = (0..1024).map(|_| choose(&mut numbers, last, top_down)).collect();
    let operations = operations / 4;
    Box::new(move || {
        let mut clock = Clock::default();
        let sum = clock.time(|| {
            searches.iter().cycle().take(operations).fold(0, |sum: u64, search| {
                sum.wrapping_mul(3).wrapping_add(subject.find(search).unwrap_or(u64::MAX))
            })
        });
        clock.lap(operations, sum)
    })
}
