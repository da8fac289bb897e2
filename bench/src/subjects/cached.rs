//! Our domain: caches per CPU in front of the space.

use std::cell::Cell;

use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::{Checking, Domain, DomainConfig, IovaRange, Request, StdDomain};

use super::domain::domain;
use crate::subject::{Allocator, Convoy, SharedDomain, Space, Subject};

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

/// The processor that this thread plays, as the kernel's peers know theirs: from a variable.
pub struct ThreadCpu;

impl CurrentCpu for ThreadCpu {
    #[inline]
    fn current(&self) -> Cpu {
        Cpu::new(CPU.get())
    }
}

/// With a lock that two threads can wait for. Callers free what they have, and are trusted with that, as in a kernel.
type Trusting = Domain<parking_lot::RawMutex, ThreadCpu>;

const CPUS: usize = 2;

fn trusting(last: u64, caches: CacheConfig) -> Trusting {
    let config = DomainConfig::new(CPUS).checking(Checking::Trust).caches(caches);
    Domain::new(domain(last), ThreadCpu, config).expect("there is memory")
}

/// One for a single thread.
pub struct Cached(Trusting);

impl Subject for Cached {
    const NAME: &'static str = "iova (caches)";
    const OURS: bool = true;
}

impl Allocator for Cached {
    type Range = IovaRange;

    fn new(space: Space) -> Self {
        Self(trusting(space.last, CacheConfig::new(CPUS)))
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<IovaRange> {
        self.0.allocate(&Request::new(size)).ok()
    }

    #[inline]
    fn free(&mut self, range: IovaRange) {
        self.0.free(range).expect("it is allocated");
    }
}

/// As a program has it by default: it asks the operating system for the CPU, and checks every free.
pub struct Checked(StdDomain);

impl Subject for Checked {
    const NAME: &'static str = "iova (StdDomain)";
}

impl Allocator for Checked {
    type Range = IovaRange;

    fn new(space: Space) -> Self {
        Self(StdDomain::for_this_machine(domain(space.last)).expect("there is memory"))
    }

    #[inline]
    fn allocate(&mut self, size: u64) -> Option<IovaRange> {
        self.0.allocate(&Request::new(size)).ok()
    }

    #[inline]
    fn free(&mut self, range: IovaRange) {
        self.0.free(range).expect("it is allocated");
    }
}

/// For two threads.
pub struct SharedCached(Trusting);

impl Subject for SharedCached {
    const NAME: &'static str = Cached::NAME;
    const OURS: bool = true;
}

impl SharedDomain for SharedCached {
    type Range = IovaRange;

    fn new(last: u64) -> Self {
        Self(trusting(last, CacheConfig::new(CPUS)))
    }

    fn enter(thread: u32, _others: bool) {
        CPU.set(thread as usize);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<IovaRange> {
        self.0.allocate(&Request::new(size)).ok()
    }

    #[inline]
    fn free(&self, range: IovaRange) {
        self.0.free(range).expect("it is allocated");
    }
}

/// For two threads, without any cache.
pub struct SharedUncached(Trusting);

impl Subject for SharedUncached {
    const NAME: &'static str = "iova (Domain, no caches)";
}

impl SharedDomain for SharedUncached {
    type Range = IovaRange;

    fn new(last: u64) -> Self {
        Self(trusting(last, CacheConfig::new(CPUS).classes(0)))
    }

    fn enter(thread: u32, _others: bool) {
        CPU.set(thread as usize);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<IovaRange> {
        self.0.allocate(&Request::new(size)).ok()
    }

    #[inline]
    fn free(&self, range: IovaRange) {
        self.0.free(range).expect("it is allocated");
    }
}

/// Its caches are full of what is given back in one go; the other thread's ranges are too large for them.
pub struct CachedConvoy(Trusting);

impl Subject for CachedConvoy {
    const NAME: &'static str = Cached::NAME;
    const OURS: bool = true;
}

impl Convoy for CachedConvoy {
    fn new(last: u64, n: usize) -> Self {
        // Nothing is given back before.
        let domain = trusting(last, CacheConfig::new(CPUS).depot_magazines(n));
        let all: Vec<IovaRange> =
            (0..n).map(|_| domain.allocate(&Request::new(1)).expect("there is space")).collect();
        all.into_iter().for_each(|range| domain.free(range).expect("it is allocated"));
        Self(domain)
    }

    fn enter(thread: u32, _others: bool) {
        CPU.set(thread as usize);
    }

    fn pair(&self, size: u64) {
        let range = self.0.allocate(&Request::new(size)).expect("there is space");
        self.0.free(range).expect("it is allocated");
    }

    fn give_back(&self) {
        self.0.flush();
    }
}
