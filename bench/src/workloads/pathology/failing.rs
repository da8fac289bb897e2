//! Freeing while there is no memory for nodes: how much of the space is lost, as long as that lasts?

use crate::measure::Lap;
use crate::numbers::Numbers;
use crate::row::{Laps, Row, Setup, Unit, entrants};
use crate::subject::{Failing, Space};
use crate::subjects::domain::FailingIova;
#[cfg(feature = "kernel")]
use crate::subjects::kernel::KernelIovaMaple;

pub(super) fn rows() -> Vec<Row> {
    vec![Row {
        name: "erase-failing",
        what: "free n of 2 n pages while memory fails: what of these is not free then",
        unit: Unit::Percent,
        entrants: entrants!(failing [
            FailingIova,
            #[cfg(feature = "kernel")]
            KernelIovaMaple,
        ]),
    }]
}

fn failing<A: Failing + 'static>(setup: &Setup) -> Laps {
    let Setup { n, seed, .. } = *setup;
    let space = Space { last: Space::FIRST + 2 * n as u64 - 1, natural: true, ranges: 2 * n };
    Box::new(move || {
        let mut allocator = A::new(space);
        let ranges: Vec<A::Range> = (0..2 * n).map_while(|_| allocator.allocate(1)).collect();
        assert_eq!(ranges.len(), 2 * n, "all pages can be allocated");
        allocator.fail(true);
        for &victim in &Numbers::new(seed).order(2 * n)[..n] {
            allocator.free(ranges[victim as usize]);
        }
        let lost = allocator.lost();
        allocator.fail(false);
        Lap { value: 100.0 * lost as f64 / n as f64, ..Lap::default() }
    })
}
