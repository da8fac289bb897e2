//! What is said to go wrong in the field, with a parameter for its size: n.

mod convoy;
mod failing;

use crate::measure::Clock;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::{Allocator, Space};
#[cfg(feature = "kernel")]
use crate::subjects::kernel::{KernelIova, KernelIovaMaple, KernelMaple};
use crate::subjects::{
    domain::Iova, offset_allocator::OffsetAllocator, range_alloc::RangeAlloc, vm_allocator::VmAllocator,
};

macro_rules! row {
    ($name:literal, $work:ident, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [
                Iova,
                #[cfg(feature = "kernel")]
                KernelIova,
                #[cfg(feature = "kernel")]
                KernelIovaMaple,
                #[cfg(feature = "kernel")]
                KernelMaple,
                VmAllocator,
                RangeAlloc,
                OffsetAllocator,
            ]),
        }
    };
}

pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        row!(
            "ageing",
            ageing,
            "n holes of a page in 32 bits: free and allocate a page, allocate and free two"
        ),
        row!("fragmented", fragmented, "the same, but all else is taken: the two pages are refused"),
        row!("over-asking", over_asking, "n holes of 64 aligned pages among such ranges: allocate one of 64"),
    ];
    rows.extend(convoy::rows());
    rows.extend(failing::rows());
    rows
}

/// The last page below 4 GiB.
const LAST_OF_32_BITS: u64 = (1 << 20) - 1;

/// How far down `n` holes with as many ranges reach that are `size` pages each.
fn holes_within(n: usize, size: u64) -> u64 {
    LAST_OF_32_BITS.max(4 * n as u64 * size)
}

/// An allocator with `n` holes of `size` pages, with a range of that size between two of them each.
fn with_holes<A: Allocator>(space: Space, n: usize, size: u64) -> A {
    let mut allocator = A::new(space);
    // One that asks for more than it needs may not get the last one.
    let ranges: Vec<_> = (0..2 * n).map_while(|_| allocator.allocate(size)).collect();
    for &range in ranges.iter().step_by(2) {
        allocator.free(range);
    }
    allocator
}

fn ageing<A: Allocator + 'static>(setup: &Setup) -> Laps {
    pages::<A>(setup, holes_within(setup.n, 1), true)
}

fn fragmented<A: Allocator + 'static>(setup: &Setup) -> Laps {
    // Exactly as many pages as there are holes and ranges.
    pages::<A>(setup, Space::FIRST + 2 * setup.n as u64 - 1, false)
}

fn pages<A: Allocator + 'static>(setup: &Setup, last: u64, is_space: bool) -> Laps {
    let Setup { n, operations, .. } = *setup;
    let space = Space { last, natural: true, ranges: 2 * n };
    let mut allocator: A = with_holes(space, n, 1);
    // From the top this fills the highest hole, and again whenever it was freed.
    let mut one = allocator.allocate(1).expect("there are holes");
    let operations = (operations / 16).min(20_000_000 / n);
    Box::new(move || {
        let mut clock = Clock::default();
        let mut refused = 0;
        clock.time(|| {
            for _ in 0..operations {
                allocator.free(one);
                one = allocator.allocate(1).expect("there are holes");
                match allocator.allocate(2) {
                    Some(two) => allocator.free(two),
                    None => refused += 1,
                }
            }
        });
        let mut lap = clock.lap(operations, u64::from(is_space));
        lap.refused = refused;
        lap
    })
}

fn over_asking<A: Allocator + 'static>(setup: &Setup) -> Laps {
    const SIZE: u64 = 64;
    let n = setup.n;
    let space = Space { last: Space::FIRST + 2 * n as u64 * SIZE - 1, natural: true, ranges: 2 * n };
    Box::new(move || {
        let mut allocator: A = with_holes(space, n, SIZE);
        let mut clock = Clock::default();
        let mut refused = 0;
        clock.time(|| {
            for _ in 0..n {
                refused += u64::from(allocator.allocate(SIZE).is_none());
            }
        });
        let mut lap = clock.lap(n, 0);
        lap.refused = refused;
        lap
    })
}
