//! The steady state of an allocator: one range is freed, one is allocated, and `n` are live.

use std::collections::VecDeque;

use crate::measure::Clock;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::{Allocator, Space};
#[cfg(feature = "kernel")]
use crate::subjects::kernel::{KernelIova, KernelIovaCached, KernelIovaLocked, KernelIovaMaple, KernelMaple};
use crate::subjects::{
    cached::{Cached, CachedAlone, CachedSpin, Checked},
    domain::Iova,
    maple::Maple,
    offset_allocator::OffsetAllocator,
    range_alloc::RangeAlloc,
    vm_allocator::VmAllocator,
};

/// A device that can address 48 bits, in pages of 4 KiB.
const LAST: u64 = (1 << 36) - 1;

macro_rules! row {
    ($name:literal, $work:ident, $what:literal, [$($(#[$condition:meta])* $subject:ty),+ $(,)?]) => {
        Row {
            name: $name,
            what: $what,
            unit: Unit::Nanoseconds,
            entrants: entrants!($work [$($(#[$condition])* $subject),+]),
        }
    };
}

/// Our allocator and all others.
macro_rules! domain_row {
    ($name:literal, $work:ident, $what:literal) => {
        row!(
            $name,
            $work,
            $what,
            [
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
            ]
        )
    };
}

/// Ours and the kernel's with their caches.
macro_rules! cached_row {
    ($name:literal, $work:ident, $what:literal) => {
        row!(
            $name,
            $work,
            $what,
            [
                Cached,
                CachedSpin,
                CachedAlone,
                Checked,
                #[cfg(feature = "kernel")]
                KernelIovaCached,
                #[cfg(feature = "kernel")]
                KernelIovaLocked,
            ]
        )
    };
}

pub fn rows() -> Vec<Row> {
    vec![
        row!(
            "pair-any",
            any,
            "free a random range and allocate 1 to 32 indices anywhere",
            [
                Maple,
                #[cfg(feature = "kernel")]
                KernelMaple,
                #[cfg(feature = "kernel")]
                KernelIova,
                #[cfg(feature = "kernel")]
                KernelIovaMaple,
                VmAllocator,
                RangeAlloc,
                OffsetAllocator,
            ]
        ),
        domain_row!(
            "pair-natural",
            natural,
            "free a random range and allocate 1 to 32 pages, naturally aligned"
        ),
        domain_row!("pair-powers", powers, "the same with 1, 2, 4, 8, 16 or 32 pages"),
        domain_row!("page-random", page_random, "free a random page and allocate one"),
        domain_row!("page-fifo", page_fifo, "free the page that is live longest and allocate one"),
        domain_row!("page-lifo", page_lifo, "free the page that was allocated last and allocate one"),
        domain_row!("pages-64-fifo", pages_fifo, "free the 64 pages that are live longest and allocate 64"),
        domain_row!(
            "pages-64-lifo",
            pages_lifo,
            "free the 64 pages that were allocated last and allocate 64"
        ),
        cached_row!(
            "page-cached",
            page_lifo,
            "free the page that was allocated last and allocate one, with caches"
        ),
        cached_row!("pair-cached", powers, "free a random range and allocate 1, 2 ... 32 pages, with caches"),
    ]
}

/// How many indices the next range has.
type Size = fn(&mut Numbers) -> u64;

/// 1 to 32.
pub fn any_size(numbers: &mut Numbers) -> u64 {
    1 + numbers.below(32) as u64
}

/// 1, 2, 4, 8, 16 or 32.
fn power(numbers: &mut Numbers) -> u64 {
    1 << numbers.below(6)
}

fn one(_numbers: &mut Numbers) -> u64 {
    1
}

pub fn any<A: Allocator + 'static>(setup: &Setup) -> Laps {
    random::<A>(setup, false, any_size)
}

pub fn natural<A: Allocator + 'static>(setup: &Setup) -> Laps {
    random::<A>(setup, true, any_size)
}

fn powers<A: Allocator + 'static>(setup: &Setup) -> Laps {
    random::<A>(setup, true, power)
}

fn page_random<A: Allocator + 'static>(setup: &Setup) -> Laps {
    random::<A>(setup, true, one)
}

fn page_fifo<A: Allocator + 'static>(setup: &Setup) -> Laps {
    queue::<A>(setup, 1, VecDeque::pop_front)
}

fn page_lifo<A: Allocator + 'static>(setup: &Setup) -> Laps {
    queue::<A>(setup, 1, VecDeque::pop_back)
}

fn pages_fifo<A: Allocator + 'static>(setup: &Setup) -> Laps {
    queue::<A>(setup, 64, VecDeque::pop_front)
}

fn pages_lifo<A: Allocator + 'static>(setup: &Setup) -> Laps {
    queue::<A>(setup, 64, VecDeque::pop_back)
}

/// An allocator with its live ranges, in which victims are random.
pub struct Random<A: Allocator> {
    allocator: A,
    live: Vec<A::Range>,
    size: Size,
    numbers: Numbers,
}

impl<A: Allocator> Random<A> {
    /// With `setup.n` ranges, aged by pairs.
    pub fn aged(setup: &Setup, natural: bool, size: Size) -> Self {
        let mut allocator = A::new(Space { last: LAST, natural, ranges: setup.n });
        let mut numbers = Numbers::new(setup.seed);
        let live = (0..setup.n).map(|_| {
            let size = size(&mut numbers);
            allocator.allocate(size).expect("there is space")
        });
        let live = live.collect();
        let mut random = Self { allocator, live, size, numbers };
        let pairs = (4 * setup.n).min(4 * setup.operations);
        (0..pairs).for_each(|_| random.pair());
        random
    }

    #[inline]
    fn pair(&mut self) {
        let victim = self.numbers.below(self.live.len());
        let size = (self.size)(&mut self.numbers);
        self.allocator.free(self.live[victim]);
        self.live[victim] = self.allocator.allocate(size).expect("there is space");
    }
}

fn random<A: Allocator + 'static>(setup: &Setup, natural: bool, size: Size) -> Laps {
    let mut random: Random<A> = Random::aged(setup, natural, size);
    let operations = setup.operations / 4;
    Box::new(move || {
        let mut clock = Clock::default();
        clock.time(|| (0..operations).for_each(|_| random.pair()));
        // All have drawn the same numbers and had no refusal.
        clock.lap(operations, random.numbers.draw())
    })
}

/// Which one is freed.
type Choose<R> = fn(&mut VecDeque<R>) -> Option<R>;

fn queue<A: Allocator + 'static>(setup: &Setup, size: u64, choose: Choose<A::Range>) -> Laps {
    let Setup { n, operations, .. } = *setup;
    let operations = operations / 4;
    let mut allocator = A::new(Space { last: LAST, natural: true, ranges: n });
    let mut live: VecDeque<A::Range> =
        (0..n).map(|_| allocator.allocate(size).expect("there is space")).collect();
    let mut pair = move || {
        let victim = choose(&mut live).expect("some are live");
        allocator.free(victim);
        live.push_back(allocator.allocate(size).expect("there is space"));
    };
    (0..operations).for_each(|_| pair());
    Box::new(move || {
        let mut clock = Clock::default();
        clock.time(|| (0..operations).for_each(|_| pair()));
        clock.lap(operations, 0)
    })
}
