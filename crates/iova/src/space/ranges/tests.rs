//! What is vacated against a space that looks at every place: nobody can tell them apart.

use std::vec::Vec;

use maple_tree::AllocMode;

use crate::{Alignment, Granule, IovaRange, Request, Space};

const GRANULE: u64 = 4096;
/// 48 granules from granule 8 on.
const FIRST: u64 = 8;
const END: u64 = 56;

/// The highest free place for a request, by trying all.
fn highest(live: &[IovaRange], request: &Request) -> Option<u64> {
    let highest_below = |limit: u64| {
        let size = request.granules();
        let align = match request.alignment() {
            Alignment::Natural => size.next_power_of_two(),
            Alignment::Granules(align) => align,
        };
        (FIRST..=END - size).rev().find(|&first| {
            let last = first + size - 1;
            let block = |pfn: u64| request.boundary_granules().map(|boundary| pfn / boundary);
            let is_free =
                |range: &IovaRange| last < range.first() / GRANULE || range.last() / GRANULE < first;
            first % align == 0
                && last * GRANULE + (GRANULE - 1) <= limit
                && block(first) == block(last)
                && live.iter().all(is_free)
        })
    };
    request.preferred_limit().and_then(highest_below).or_else(|| highest_below(request.limit_iova()))
}

fn requests() -> Vec<Request> {
    let limit = 40 * GRANULE - 1;
    [1, 2, 3, 4]
        .into_iter()
        .flat_map(|size| {
            let natural = Request::new(size);
            [
                natural,
                natural.align(1),
                natural.align(8),
                natural.limit(limit),
                natural.prefer_limit(limit),
                natural.align(1).not_crossing(4),
            ]
        })
        .collect()
}

#[test]
fn the_highest_place_whatever_was_freed() {
    let requests = requests();
    let mut again = 0;
    for seed in 0..if cfg!(miri) { 4 } else { 400 } {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut space = Space::new(Granule::FOUR_KIB, FIRST * GRANULE..END * GRANULE).unwrap();
        let mut live: Vec<IovaRange> = Vec::new();
        let mut reserved = None;
        let few = random.usize(1..4);
        for step in 0..200 {
            match random.u32(0..20) {
                0..9 => {
                    let which = seed as usize + random.usize(0..few);
                    let request = *requests.get(which % requests.len()).unwrap();
                    let mut taken = live.clone();
                    taken.extend(reserved);
                    let was_vacated = space.ranges.vacated();
                    let place = space.allocate(&request).ok();
                    let wanted = highest(&taken, &request);
                    assert_eq!(
                        place.map(|range| range.first() / GRANULE),
                        wanted,
                        "seed {seed}, step {step}"
                    );
                    again += usize::from(was_vacated.is_some_and(|pfns| Some(pfns.first()) == wanted));
                    live.extend(place);
                }
                9..18 if !live.is_empty() => {
                    let range = live.swap_remove(random.usize(0..live.len()));
                    assert_eq!(space.free(range.first()), Ok(range));
                    assert!(space.free(range.first()).is_err(), "freed twice");
                }
                18 if reserved.is_none() => {
                    let first = random.u64(FIRST..END);
                    let range = first * GRANULE..(first + 1) * GRANULE;
                    if space.reserve(range, AllocMode::Normal).is_ok() {
                        reserved = space.reserved_regions().next();
                    }
                }
                _ => {
                    if let Some(region) = reserved.take() {
                        space.unreserve(region.first()..=region.last(), AllocMode::Normal).unwrap();
                    }
                }
            }
            assert_eq!(space.validate(), Ok(()), "seed {seed}, step {step}");
            look_at(&space, &live, reserved);
        }
    }
    assert!(again > if cfg!(miri) { 10 } else { 1000 }, "{again}");
}

/// Rings of ranges: the oldest one is freed and allocated again, but for a few times.
#[test]
fn rings_that_are_disturbed() {
    let mut known = 0;
    for seed in 0..if cfg!(miri) { 4 } else { 200 } {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut space = Space::new(Granule::FOUR_KIB, FIRST * GRANULE..END * GRANULE).unwrap();
        let request = Request::new(1 + seed % 4);
        let mut live: Vec<IovaRange> = core::iter::from_fn(|| space.allocate(&request).ok()).collect();
        for step in 0..if cfg!(miri) { 50 } else { 300 } {
            let disturbed = random.u32(0..40) == 0;
            let count = if disturbed { random.usize(1..4) } else { 1 };
            for _ in 0..count {
                let victim = if disturbed { random.usize(0..live.len()) } else { 0 };
                let range = live.remove(victim);
                if request.granules() > 1 {
                    assert!(space.free(range.first() + GRANULE).is_err(), "not its first iova");
                }
                assert_eq!(space.free(range.first()), Ok(range), "seed {seed}, step {step}");
                assert!(space.free(range.first()).is_err(), "freed twice");
            }
            for _ in 0..count {
                let place = space.allocate(&request).unwrap();
                assert_eq!(Some(place.first() / GRANULE), highest(&live, &request));
                live.push(place);
            }
            assert_eq!(space.validate(), Ok(()), "seed {seed}, step {step}");
            let ranges =
                space.ranges.last.as_ref().and_then(|last| last.known).map_or(0, |known| known.count());
            known += usize::from(ranges > u128::from(request.granules()));
        }
        look_at(&space, &live, None);
    }
    assert!(known > if cfg!(miri) { 10 } else { 1000 }, "{known}");
}

/// All that a space says of itself.
fn look_at(space: &Space, live: &[IovaRange], reserved: Option<IovaRange>) {
    let mut live = live.to_vec();
    live.sort_by_key(|range| range.first());
    assert!(space.allocations().eq(live.iter().copied()));
    assert!(space.allocations().rev().eq(live.iter().rev().copied()));
    live.extend(reserved);
    let taken = |pfn: u64| live.iter().any(|range| range.contains(pfn * GRANULE));
    for limit in [END, 40, 20] {
        let (mut longest, mut run) = (0_u128, 0);
        for pfn in FIRST..limit {
            run = if taken(pfn) { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        let found = space.longest_free_run(limit * GRANULE - 1);
        assert_eq!(found.map_or(0, |run| run.granules()), longest);
        assert!(
            found.is_none_or(|run| (run.first()..run.last()).step_by(4096).all(|at| !taken(at / GRANULE)))
        );
    }
    for pfn in FIRST..END {
        assert_eq!(space.find(pfn * GRANULE).is_some(), taken(pfn));
    }
}

/// Freed and asked for again, neither takes a search, nor node memory.
#[test]
fn no_memory_is_needed_to_have_it_again() {
    let alloc = maple_faults::FaultyAlloc::new(maple_faults::Plan::Never);
    let mut space = Space::new_in(Granule::FOUR_KIB, .., &alloc).unwrap();
    let ranges: Vec<_> = (0..1000).map(|_| space.allocate(&Request::new(1)).unwrap()).collect();
    let calls = alloc.counts().calls;
    alloc.set_plan(maple_faults::Plan::After(0));
    for range in ranges.iter().chain(ranges.iter().rev()) {
        space.free(range.first()).unwrap();
        assert!(space.find(range.first()).is_none());
        assert_eq!(space.allocate(&Request::new(1)), Ok(*range));
    }
    assert_eq!(alloc.counts().calls, calls);
    assert_eq!(space.validate(), Ok(()));
}
