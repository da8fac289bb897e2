//! All layers together: what is left of a defect when caches and a flush queue are in front of the space.

use std::cell::Cell;
use std::num::NonZeroUsize;

use iova::cpu::Cpu;
use iova::flush::{FlushConfig, Invalidate};
use iova::{
    AllocMode, AllocateError, Checking, Domain, DomainConfig, FreeError, Granule, RangeState, Request, Space,
};
use maple_faults::{FaultyAlloc, Plan};

const PAGE: u64 = 4096;

/// Counts what it is asked for.
#[derive(Default)]
struct Iommu {
    flushes: Cell<u64>,
    released: Cell<u64>,
}

impl Invalidate for &Iommu {
    fn flush_all(&self) {
        self.flushes.set(self.flushes.get() + 1);
    }

    fn release(&self, _: NonZeroUsize) {
        self.released.set(self.released.get() + 1);
    }
}

type Subject<'a> = Domain<spin::Mutex<()>, fn() -> Cpu, &'a Iommu, &'a FaultyAlloc>;

fn domain<'a>(pages: u64, iommu: &'a Iommu, nodes: &'a FaultyAlloc, checking: Checking) -> Subject<'a> {
    let space = Space::new_in(Granule::FOUR_KIB, 0..pages * PAGE, nodes).unwrap();
    let config = DomainConfig::new(1).checking(checking).queue(FlushConfig::new(1).entries(1000));
    let cpu: fn() -> Cpu = || Cpu::new(0);
    Domain::with_flush_queue(space, cpu, iommu, config).unwrap()
}

fn fill(domain: &Subject<'_>) -> Vec<iova::IovaRange> {
    std::iter::from_fn(|| domain.allocate(&Request::new(1)).ok()).collect()
}

/// W2. A request fails below a limit; as soon as something there is freed the next one finds it, though it is only queued.
#[test]
fn w02_remembered_failure() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(64, &iommu, &nodes, Checking::Exact);
    let ranges = fill(&domain);
    let low = Request::new(1).limit(8 * PAGE - 1);
    for _ in 0..3 {
        domain.allocate(&low).unwrap_err();
    }
    let one = ranges.iter().find(|range| range.first() == 5 * PAGE).unwrap();
    domain.free(*one).unwrap();
    assert_eq!(domain.allocate(&low), Ok(*one));
    domain.validate().unwrap();
}

/// W7. Each failure is counted by its cause, once, however often the tree was asked; and the error has the numbers.
#[test]
fn w07_invisible() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(64, &iommu, &nodes, Checking::Exact);
    let ranges = fill(&domain);
    let request = Request::new(2).limit(32 * PAGE - 1).not_crossing(16);
    let error = domain.allocate(&request).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no free range of 2 granules aligned to 2, not across a multiple of 16, in 0x0..=0x1ffff: \
         the longest free run there has 0, the space has 0 free"
    );
    domain.allocate(&Request::new(0)).unwrap_err();
    domain.allocate_at(0..PAGE, AllocMode::Normal).unwrap_err();
    domain.free(ranges[0]).unwrap();
    domain.free(ranges[0]).unwrap_err();
    nodes.set_plan(Plan::After(0));
    let statistics = domain.statistics();
    let failures = statistics.failures;
    assert_eq!((failures.out_of_address_space, failures.bad_requests, failures.occupied), (2, 1, 1));
    assert_eq!((failures.wrong_frees.not_allocated, failures.wrong_frees.total()), (1, 1));
    assert_eq!((statistics.live_ranges(), statistics.live_granules()), (63, 63));
    assert_eq!(
        statistics.cached_granules() + statistics.queued_granules() + statistics.space.free_granules,
        1
    );
    assert!(statistics.bytes() > statistics.space.node_bytes + statistics.ledger_bytes);
}

/// W8. Nobody allocates any more: polling gives all there is back, down to the last node and magazine.
#[test]
fn w08_idle() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(1 << 20, &iommu, &nodes, Checking::Trust);
    for _ in 0..10 {
        let ranges: Vec<_> = (0..900).map(|_| domain.allocate(&Request::new(1)).unwrap()).collect();
        ranges.into_iter().for_each(|range| domain.free(range).unwrap());
    }
    assert!(domain.statistics().caches.magazines > 2 && domain.statistics().queued_granules() > 0);
    nodes.set_plan(Plan::After(0));
    for now in 0..6 {
        domain.poll(now * 200_000_000);
    }
    let statistics = domain.statistics();
    assert_eq!((statistics.space.nodes, statistics.caches.magazines), (0, 0));
    assert_eq!(statistics.queue.queued_ranges, 0);
    assert_eq!(nodes.counts().failed, 0);
}

/// W9. With no memory for anything, what was freed can be had again, wherever it was in between.
#[test]
fn w09_stranded_range() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(512, &iommu, &nodes, Checking::Exact);
    let ranges = fill(&domain);
    nodes.set_plan(Plan::After(0));
    for range in &ranges {
        domain.free(*range).unwrap();
    }
    domain.flush();
    assert_eq!(domain.statistics().space.free_granules, 512);
    domain.validate().unwrap();
    assert_eq!(nodes.counts().failed, 0);
}

/// W10. A domain that is dropped with everything live, queued and cached asks for no memory, and releases what was
/// attached after a flush.
#[test]
fn w10_teardown() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(1 << 20, &iommu, &nodes, Checking::Exact);
    let mut attached = 0;
    for _ in 0..5 {
        let ranges: Vec<_> = (0..700).map(|_| domain.allocate(&Request::new(1)).unwrap()).collect();
        for range in ranges.into_iter().skip(100) {
            domain.free_with(range, NonZeroUsize::MIN).unwrap();
            attached += 1;
        }
    }
    assert!(iommu.released.get() < attached && domain.statistics().queued_granules() > 0);
    let flushes = iommu.flushes.get();
    nodes.set_plan(Plan::After(0));
    drop(domain);
    assert_eq!((iommu.released.get(), iommu.flushes.get()), (attached, flushes + 1));
    assert_eq!((nodes.counts().failed, nodes.counts().live), (0, 0));
}

/// W13. Address 0 is cached, queued, freed twice and handed out like any other, and so is the last one.
#[test]
fn w13_sentinels() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let space = Space::new_in(Granule::FOUR_KIB, .., &nodes).unwrap();
    let config = DomainConfig::new(1).checking(Checking::Exact);
    let cpu: fn() -> Cpu = || Cpu::new(0);
    let domain = Subject::with_flush_queue(space, cpu, &iommu, config).unwrap();
    for _ in 0..6 {
        let lowest = domain.allocate(&Request::new(1).limit(PAGE - 1)).unwrap();
        let highest = domain.allocate(&Request::new(1)).unwrap();
        assert_eq!((lowest.first(), highest.last()), (0, u64::MAX));
        domain.free(lowest).unwrap();
        assert!(matches!(
            domain.free(lowest),
            Err(FreeError::FreedAlready { .. } | FreeError::NotAllocated { .. })
        ));
        domain.free(highest).unwrap();
        domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
    }
    assert!(domain.statistics().caches.hits() > 2);
    domain.validate().unwrap();
}

/// Beside the list: in each state a range can be in, every wrong free is an error that says what it is, and changes nothing.
#[test]
fn wrong_frees_are_errors() {
    let (iommu, nodes) = (Iommu::default(), FaultyAlloc::new(Plan::Never));
    let domain = domain(64, &iommu, &nodes, Checking::Exact);
    domain.reserve(0..4 * PAGE, AllocMode::Normal).unwrap();
    // The queue and the caches get their memory.
    for _ in 0..4 {
        domain.free(domain.allocate(&Request::new(4)).unwrap()).unwrap();
        domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
    }
    let ranges = [0; 3].map(|_| domain.allocate(&Request::new(4)).unwrap());
    let [live, cached, queued] = ranges;
    domain.free(cached).unwrap();
    domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
    domain.free(queued).unwrap();
    let mut states = Vec::new();
    domain.for_each(|range, state| states.push((range, state)));
    let all = [(live, RangeState::Live), (queued, RangeState::Queued), (cached, RangeState::Cached)];
    assert_eq!(states, all);

    let before = domain.statistics();
    for range in ranges {
        let (first, inside) = (range.first(), range.first() + PAGE);
        let errors = [(first, 3), (first, 5), (first, 0), (inside, 3), (inside, 4)]
            .map(|(iova, granules)| domain.free_sized(iova, granules).unwrap_err());
        for (error, iova) in errors.into_iter().zip([first, first, first, inside, inside]) {
            match error {
                FreeError::WrongSize { range: other, .. } => {
                    assert_eq!((other, iova, live), (range, first, range));
                }
                FreeError::NotFirst { range: other, .. } => {
                    assert_eq!((other, iova, live), (range, inside, range));
                }
                FreeError::FreedAlready { range: other, iova: named } => {
                    assert_eq!((other, named), (range, iova));
                    assert_ne!(range, live);
                }
                other => unreachable!("{other:?}"),
            }
        }
        assert!(matches!(domain.free_sized(first + 1, 4), Err(FreeError::Misaligned { .. })));
    }
    for freed in [cached, queued] {
        assert_eq!(domain.free(freed), Err(FreeError::FreedAlready { iova: freed.first(), range: freed }));
    }
    assert!(matches!(domain.free_sized(0, 1), Err(FreeError::Reserved { .. })));
    assert!(matches!(domain.free_sized(10 * PAGE, 1), Err(FreeError::NotAllocated { .. })));
    for (iova, granules) in [(64 * PAGE, 1), (u64::MAX - PAGE + 1, 1), (1 << 63, u64::MAX)] {
        assert!(matches!(domain.free_sized(iova, granules), Err(FreeError::OutsideAperture { .. })));
    }
    assert!(domain.free_sized(live.first(), u64::MAX).is_err());

    let after = domain.statistics();
    assert_eq!(after.failures.wrong_frees.total(), 3 * 6 + 2 + 2 + 3 + 1);
    assert_eq!(after.space, before.space);
    states.clear();
    domain.for_each(|range, state| states.push((range, state)));
    assert_eq!(states, all);
    domain.free(live).unwrap();
    assert!(matches!(domain.allocate(&Request::new(64)), Err(AllocateError::OutOfAddressSpace(_))));
    assert_eq!(domain.statistics().space.free_granules, 60);
    domain.validate().unwrap();
}
