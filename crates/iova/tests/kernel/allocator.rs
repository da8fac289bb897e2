//! What a space and a domain have in common, so that a scenario can be played on both.

use iova::cpu::Cpu;
use iova::{
    AllocMode, AllocateError, Checking, Domain, DomainConfig, IovaRange, NodeAlloc, PlaceError, RangeState,
    Request, Space,
};

/// What a space and a domain can both do.
pub(crate) trait Allocator {
    fn allocate(&mut self, request: &Request) -> Result<IovaRange, AllocateError>;
    fn free(&mut self, range: IovaRange);
    fn reserve(&mut self, first: u64, last: u64) -> Result<u128, PlaceError>;
    /// Checks everything there is, and that just these are live.
    fn check(&self, live: &[IovaRange]);
}

impl<A: NodeAlloc> Allocator for Space<A> {
    fn allocate(&mut self, request: &Request) -> Result<IovaRange, AllocateError> {
        self.allocate(request)
    }

    fn free(&mut self, range: IovaRange) {
        let granules = u64::try_from(range.granules()).unwrap();
        assert_eq!(self.free_sized(range.first(), granules), Ok(range));
    }

    fn reserve(&mut self, first: u64, last: u64) -> Result<u128, PlaceError> {
        self.reserve(first..=last, AllocMode::Normal)
    }

    fn check(&self, live: &[IovaRange]) {
        self.validate().unwrap();
        assert!(self.allocations().eq(live.iter().copied()));
    }
}

pub(crate) type Cached<A> = Domain<spin::Mutex<()>, fn() -> Cpu, (), A>;

pub(crate) fn cached<A: NodeAlloc>(space: Space<A>) -> Cached<A> {
    let cpu: fn() -> Cpu = || Cpu::new(0);
    Domain::with_flush_queue(space, cpu, (), DomainConfig::new(1).checking(Checking::Exact)).unwrap()
}

impl<A: NodeAlloc> Allocator for Cached<A> {
    fn allocate(&mut self, request: &Request) -> Result<IovaRange, AllocateError> {
        Self::allocate(self, request)
    }

    fn free(&mut self, range: IovaRange) {
        Self::free(self, range).unwrap();
    }

    fn reserve(&mut self, first: u64, last: u64) -> Result<u128, PlaceError> {
        Self::reserve(self, first..=last, AllocMode::Normal)
    }

    fn check(&self, live: &[IovaRange]) {
        self.validate().unwrap();
        assert_eq!(self.statistics().live_ranges(), live.len() as u64);
        let mut seen = 0;
        self.for_each(|range, state| {
            if state == RangeState::Live {
                assert!(live.binary_search_by_key(&range.first(), |live| live.first()).is_ok(), "{range}");
                seen += 1;
            }
        });
        assert_eq!(seen, live.len());
    }
}
