//! The allocator that threads share: an exact space, caches, a flush queue, and a check of frees.
//!
//! Each operation is one file. `ledger.rs` knows what is live, if frees are checked exactly; `check.rs` compares what all
//! layers say.

mod allocate;
mod allocation;
mod check;
mod config;
mod free;
mod ledger;
mod place;
mod statistics;
mod table;
mod upkeep;

use core::fmt;

use lock_api::RawMutex;
use maple_tree::{Global, NodeAlloc};

use self::ledger::Ledger;
use crate::cache::{Caches, OutOfMemory};
use crate::cpu::CurrentCpu;
#[cfg(feature = "std")]
use crate::cpu::ThisCpu;
use crate::flush::{FlushQueue, Invalidate};
use crate::granule::Granule;
use crate::locked::LockedSpace;
use crate::pad::Padded;
use crate::range::IovaRange;
use crate::space::{Failures, Space};
use crate::sync::Mutex;

pub use allocation::Allocation;
pub use check::{DomainViolation, RangeState};
pub use config::{Checking, DomainConfig};
pub use statistics::DomainStatistics;

/// An address space that threads share: allocation from per-CPU caches, and freed ranges that are used again only
/// when the IOMMU has forgotten them.
///
/// A range is in one place at a time:
///
/// ```text
///   free  ->  live  ->  queued (until the IOTLB is flushed)  ->  cached  ->  live
///    ^                                                             |
///    +--- the cache is full, trimmed, or space is needed ----------+
/// ```
///
/// A program takes a `StdDomain`. Elsewhere `R` is the [lock](LockedSpace#which-lock), `C` [says](CurrentCpu) on which
/// CPU it is, `I` [invalidates](Invalidate), and `A` is where tree nodes come from.
///
/// | operation | cost | allocates |
/// | --- | --- | --- |
/// | [`allocate`](Self::allocate), cached | a lock of this CPU | never |
/// | [`allocate`](Self::allocate), not cached | that of [`Space::allocate`] | as there, and at most a magazine, a shelf and a ring |
/// | [`free`](Self::free) | a lock of this CPU; every 16th may give 16 ranges back | never |
/// | [`allocate_at`](Self::allocate_at), [`reserve`](Self::reserve), [`unreserve`](Self::unreserve) | those of [`Space`] | as there |
/// | [`poll`](Self::poll), [`flush`](Self::flush), dropping it | per range, those of a free of [`Space`] | never |
///
/// Unless callers are [trusted](Checking::Trust), another lock per operation, and memory per live range when allocating.
///
/// # When nothing fits
///
/// An allocation fails for lack of address space after everything below its limit that is queued and cached was given back
/// to the tree, and the tree was asked again. So it fails only if nothing fits into what was free, queued or cached from its
/// beginning to its end. What it may miss is what other threads are moving meanwhile: a range that one of them has just
/// taken out of a cache or the queue and not yet put down elsewhere, or has freed into a cache that was emptied already.
/// Nothing of that lasts: there is no memory of a failure. If no other thread uses the domain meanwhile, the answer is
/// exact.
///
/// Lack of node memory is another error, and empties nothing.
///
/// ```
/// use iova::cpu::Cpu;
/// use iova::flush::Invalidate;
/// use iova::{Checking, Domain, DomainConfig, Granule, Request, Space};
///
/// struct Iommu;
/// impl Invalidate for Iommu {
///     fn flush_all(&self) { /* write to a register, and wait */ }
/// }
///
/// let space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
/// let config = DomainConfig::new(1).checking(Checking::Exact);
/// let cpu = || Cpu::new(0);
/// let domain = Domain::<spin::Mutex<()>, _, _>::with_flush_queue(space, cpu, Iommu, config)?;
///
/// let range = domain.allocate(&Request::new(4))?;
/// domain.free(range)?;
/// assert!(domain.free(range).is_err());
///
/// // A handle frees what it has when it is dropped, unless it is told otherwise.
/// let buffer = domain.allocation(&Request::new(1))?;
/// let range = buffer.into_range();
/// domain.free_sized(range.first(), 1)?;
/// assert_eq!(domain.poll(0), Some(10_000_000)); // call it again in 10 ms
/// domain.validate()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Domain<R: RawMutex, C, I: Invalidate = (), A: NodeAlloc = Global> {
    caches: Caches<R, LockedSpace<R, A>>,
    queue: Option<FlushQueue<R, I>>,
    ledger: Option<Ledger<R>>,
    cpu: C,
    /// What users were told; the space counts what it was asked for, more than once if space is short.
    failures: Padded<Mutex<R, Failures>>,
}

/// A domain for programs with threads: with a lock that lets them sleep, and the operating system to say which CPU it is.
///
/// ```
/// use iova::{Granule, Request, Space, StdDomain};
///
/// let domain = StdDomain::for_this_machine(Space::new(Granule::FOUR_KIB, 0..1 << 32)?)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| domain.allocation(&Request::new(1)).map(drop));
///     }
/// });
/// assert_eq!(domain.statistics().live_ranges(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "std")]
pub type StdDomain<I = (), A = Global> = Domain<parking_lot::RawMutex, ThisCpu, I, A>;

#[cfg(feature = "std")]
impl<A: NodeAlloc> StdDomain<(), A> {
    /// A domain with the defaults for this machine, without a flush queue.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn for_this_machine(space: Space<A>) -> Result<Self, OutOfMemory> {
        Self::new(space, ThisCpu, DomainConfig::for_this_machine())
    }
}

impl<R: RawMutex, C: CurrentCpu, A: NodeAlloc> Domain<R, C, (), A> {
    /// A domain without a flush queue: a range may be used again as soon as it is freed. So it is for callers that
    /// have invalidated it themselves.
    ///
    /// What is allocated from `space` already is live.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if there is not even the memory for what there is per CPU and class, 128 bytes each, or to note what
    /// is live already.
    pub fn new(space: Space<A>, cpu: C, config: DomainConfig) -> Result<Self, OutOfMemory> {
        Self::assemble(space, cpu, None, config)
    }
}

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// A domain with a flush queue: a range is used again after an invalidation that began after it was freed.
    ///
    /// What is allocated from `space` already is live.
    ///
    /// # Errors
    ///
    /// As [`new`](Domain::new).
    pub fn with_flush_queue(
        space: Space<A>,
        cpu: C,
        invalidate: I,
        config: DomainConfig,
    ) -> Result<Self, OutOfMemory> {
        Self::assemble(space, cpu, Some(FlushQueue::new(invalidate, config.queue)?), config)
    }

    fn assemble(
        space: Space<A>,
        cpu: C,
        queue: Option<FlushQueue<R, I>>,
        config: DomainConfig,
    ) -> Result<Self, OutOfMemory> {
        let ledger = match config.checking {
            Checking::Trust => None,
            Checking::Exact => Some(Ledger::of(space.allocations())?),
        };
        let caches = Caches::new(LockedSpace::new(space), config.caches)?;
        Ok(Self { caches, queue, ledger, cpu, failures: Padded::new(Mutex::new(Failures::default())) })
    }

    /// The smallest unit that is handed out. Takes no lock.
    pub fn granule(&self) -> Granule {
        self.aperture().granule()
    }

    /// What may be handed out at all. Takes no lock.
    pub fn aperture(&self) -> IovaRange {
        self.caches.aperture()
    }

    /// Whether nothing but the caches has to do with a free or an allocation that they can serve.
    #[inline]
    fn is_plain(&self) -> bool {
        self.queue.is_none() && self.ledger.is_none()
    }

    /// The space below the caches, to look at: what is cached or queued is allocated there. Nothing must be freed there.
    pub fn space(&self) -> &LockedSpace<R, A> {
        self.caches.backing()
    }

    /// The caches.
    pub fn caches(&self) -> &Caches<R, LockedSpace<R, A>> {
        &self.caches
    }

    /// The flush queue, if there is one.
    pub fn queue(&self) -> Option<&FlushQueue<R, I>> {
        self.queue.as_ref()
    }
}

impl<R: RawMutex, C, I: Invalidate, A: NodeAlloc> fmt::Debug for Domain<R, C, I, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain")
            .field("space", self.caches.backing())
            .field("caches", &self.caches)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
