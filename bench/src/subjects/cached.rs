//! Our domain: caches per CPU in front of the space.

use std::cell::Cell;

use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::lock_api::RawMutex;
use iova::{Checking, Domain, DomainConfig, IovaRange, Request, StdDomain};

use super::domain::domain;
use super::no_lock::NoLock;
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

/// Callers free what they have, and are trusted with that, as in a kernel.
type Trusting<R> = Domain<R, ThreadCpu>;

const CPUS: usize = 2;

fn trusting<R: RawMutex>(last: u64, caches: CacheConfig) -> Trusting<R> {
    let config = DomainConfig::new(CPUS).checking(Checking::Trust).caches(caches);
    Domain::new(domain(last), ThreadCpu, config).expect("there is memory")
}

/// As the kernel's callers keep a range: its first iova and how many granules.
type Numbers = (u64, u64);

#[inline(always)]
fn allocate<R: RawMutex>(domain: &Trusting<R>, size: u64) -> Option<Numbers> {
    let range = domain.allocate(&Request::new(size)).ok()?;
    Some((range.first(), range.granules() as u64))
}

#[inline(always)]
fn free<R: RawMutex>(domain: &Trusting<R>, (first, granules): Numbers) {
    domain.free_sized(first, granules).expect("it is allocated");
}

/// One for a single thread, with a lock.
macro_rules! cached {
    ($(#[$what:meta])* $type:ident, $lock:ty, $name:literal, $ours:literal) => {
        $(#[$what])*
        pub struct $type(Trusting<$lock>);

        impl Subject for $type {
            const NAME: &'static str = $name;
            const OURS: bool = $ours;
        }

        impl Allocator for $type {
            type Range = Numbers;

            fn new(space: Space) -> Self {
                Self(trusting(space.last, CacheConfig::new(CPUS)))
            }

            #[inline(always)]
            fn allocate(&mut self, size: u64) -> Option<Numbers> {
                allocate(&self.0, size)
            }

            #[inline(always)]
            fn free(&mut self, range: Numbers) {
                free(&self.0, range);
            }
        }
    };
}

cached! {
    /// With the lock of a program.
    Cached, parking_lot::RawMutex, "iova (caches)", true
}
cached! {
    /// With the kind of lock that a kernel has.
    CachedSpin, spin::Mutex<()>, "iova (caches and spin locks)", false
}
cached! {
    /// With nothing that keeps another thread out.
    CachedAlone, NoLock, "iova (caches without locks)", false
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
pub struct SharedCached(Trusting<parking_lot::RawMutex>);

impl Subject for SharedCached {
    const NAME: &'static str = Cached::NAME;
    const OURS: bool = true;
}

impl SharedDomain for SharedCached {
    type Range = Numbers;

    fn new(last: u64) -> Self {
        Self(trusting(last, CacheConfig::new(CPUS)))
    }

    fn enter(thread: u32, _others: bool) {
        CPU.set(thread as usize);
    }

    #[inline]
    fn allocate(&self, size: u64) -> Option<Numbers> {
        allocate(&self.0, size)
    }

    #[inline]
    fn free(&self, range: Numbers) {
        free(&self.0, range);
    }
}

/// For two threads, without any cache.
pub struct SharedUncached(Trusting<parking_lot::RawMutex>);

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
pub struct CachedConvoy(Trusting<parking_lot::RawMutex>);

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
