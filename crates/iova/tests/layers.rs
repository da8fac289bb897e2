//! What the layers of a domain do together: wrong frees, and requests that find nothing at first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has to stop")]

use iova::cpu::Cpu;
use iova::{AllocMode, Domain, DomainConfig, FreeError, Granule, Request, Space};

const PAGE: u64 = 4096;

type Subject<I = ()> = Domain<spin::Mutex<()>, fn() -> Cpu, I>;

const FIRST_CPU: fn() -> Cpu = || Cpu::new(0);

fn domain(pages: u64, config: DomainConfig) -> Subject {
    Domain::new(Space::new(Granule::FOUR_KIB, 0..pages * PAGE).unwrap(), FIRST_CPU, config).unwrap()
}

#[test]
fn by_default_no_number_that_is_made_up_is_handed_out() {
    let domain = domain(64, DomainConfig::new(1));
    domain.reserve(60 * PAGE..64 * PAGE, AllocMode::Normal).unwrap();
    // The caches get their memory.
    for _ in 0..4 {
        domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
    }
    let live = domain.allocate(&Request::new(4)).unwrap();
    assert!(matches!(domain.free_sized(62 * PAGE, 1), Err(FreeError::Reserved { .. })));
    assert!(matches!(domain.free_sized(live.first() + PAGE, 1), Err(FreeError::NotFirst { .. })));
    assert!(matches!(domain.free_sized(live.first(), 2), Err(FreeError::WrongSize { .. })));
    while let Ok(range) = domain.allocate(&Request::new(1)) {
        assert!(range.last() < live.first() || range.first() > live.last(), "{range}");
        assert!(range.first() < 60 * PAGE, "{range}");
    }
    domain.validate().unwrap();
}
