//! All together: an exact allocator, caches, a flush queue, and a check of frees.

mod allocation;
mod ledger;
mod statistics;

use core::fmt;
use core::num::NonZeroUsize;

use lock_api::RawMutex;

use self::ledger::Ledger;
use crate::backing::{Backing, NotLive};
use crate::cache::{CacheConfig, Caches, OutOfMemory};
use crate::cpu::CurrentCpu;
use crate::error::{AllocateError, OutOfNodeMemory};
use crate::flush::{FlushConfig, FlushQueue, Invalidate};
use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::Request;

pub use allocation::Allocation;
pub use statistics::ConcurrentStatistics;

/// How frees are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checking {
    /// The caller is trusted: a range that is freed is live, and is freed once. What is seen to be wrong is
    /// reported or counted, but a range that is freed twice may be handed out twice. An [`Allocation`] cannot
    /// be freed twice.
    #[default]
    Trust,
    /// Each free is checked against the set of all live ranges: for debugging, and for callers that are not
    /// trusted. Takes 22 to 43 bytes per live range, and one of 16 locks per operation. An allocation fails if
    /// there is no memory to note it, as if there were none for a node.
    Exact,
}

/// An address space for many CPUs: allocation from per-CPU caches, and freed ranges that are used again only
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
/// `R` is the lock, `B` the exact allocator below, `C` says on which CPU it is, `I` invalidates; without a flush queue
/// `I` is `()`.
///
/// Freeing calls no allocator and cannot fail for lack of memory.
///
/// ```
/// use iova::cache::CacheConfig;
/// use iova::cpu::Cpu;
/// use iova::flush::{FlushConfig, Invalidate};
/// use iova::{Checking, ConcurrentDomain, Space, Granule, Request, SharedDomain};
///
/// struct Iommu;
/// impl Invalidate for Iommu {
///     fn flush_all(&self) { /* write to a register, and wait */ }
/// }
///
/// let space: SharedDomain<spin::Mutex<()>> = Space::new(Granule::FOUR_KIB, 0..1 << 32)?.into();
/// let domain = ConcurrentDomain::<spin::Mutex<()>, _, _>::new(
///     space,
///     || Cpu::new(0),
///     CacheConfig::new(1),
///     Checking::Exact,
/// )?
/// .with_flush_queue(Iommu, FlushConfig::new(1))?;
///
/// let range = domain.allocate(&Request::new(4))?;
/// domain.free(range, None)?;
/// assert!(domain.free(range, None).is_err());
///
/// // A handle frees what it has when it is dropped, unless it is told otherwise.
/// let buffer = domain.allocation(&Request::new(1))?;
/// let range = buffer.into_range();
/// domain.free(range, None)?;
/// assert_eq!(domain.poll(0), Some(10_000_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConcurrentDomain<R: RawMutex, B, C, I = ()> {
    caches: Caches<R, B>,
    queue: Option<FlushQueue<R, I>>,
    ledger: Option<Ledger<R>>,
    cpu: C,
}

impl<R: RawMutex, B: Backing, C: CurrentCpu> ConcurrentDomain<R, B, C> {
    /// Caches in front of `backing`, from which nothing must be allocated yet, without a flush queue: a range
    /// may be used again as soon as it is freed. So it is for callers that have invalidated it themselves.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if there is not even the memory for what there is per CPU and class.
    pub fn new(backing: B, cpu: C, caches: CacheConfig, checking: Checking) -> Result<Self, OutOfMemory> {
        let ledger = match checking {
            Checking::Trust => None,
            Checking::Exact => Some(Ledger::new()?),
        };
        Ok(Self { caches: Caches::new(backing, caches)?, queue: None, ledger, cpu })
    }

    /// The same with a flush queue.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if there is not even the memory for what there is per CPU.
    pub fn with_flush_queue<I: Invalidate>(
        self,
        invalidate: I,
        config: FlushConfig,
    ) -> Result<ConcurrentDomain<R, B, C, I>, OutOfMemory> {
        let queue = Some(FlushQueue::new(invalidate, config)?);
        Ok(ConcurrentDomain { caches: self.caches, queue, ledger: self.ledger, cpu: self.cpu })
    }
}

impl<R: RawMutex, B: Backing, C: CurrentCpu, I: Invalidate> ConcurrentDomain<R, B, C, I> {
    /// The smallest unit that is handed out.
    pub fn granule(&self) -> Granule {
        self.backing().granule()
    }

    /// What may be handed out at all.
    pub fn aperture(&self) -> IovaRange {
        self.backing().aperture()
    }

    /// What lies below the caches: to reserve regions, for instance. What is cached or queued is allocated
    /// there.
    pub fn backing(&self) -> &B {
        self.caches.backing()
    }

    /// The caches.
    pub fn caches(&self) -> &Caches<R, B> {
        &self.caches
    }

    /// The flush queue, if there is one.
    pub fn queue(&self) -> Option<&FlushQueue<R, I>> {
        self.queue.as_ref()
    }

    /// Allocates a range that satisfies `request`: a cached one, or the highest.
    ///
    /// It has as many granules as were asked for, or that rounded up to a power of two. It has to be freed as
    /// it is.
    ///
    /// # Errors
    ///
    /// As the backing. There is no address space only if there is none after what was queued and cached was
    /// given back. (What another thread is giving back meanwhile may be missed.) If there is no node memory,
    /// nothing is flushed.
    pub fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        let cpu = self.cpu.current();
        if let Some(queue) = &self.queue {
            queue.prepare();
        }
        let mut result = self.caches.allocate(cpu, request);
        if let (Err(AllocateError::OutOfAddressSpace(_)), Some(queue)) = (&result, &self.queue) {
            if queue.waits() {
                queue.flush(cpu, &self.caches);
                result = self.caches.allocate(cpu, request);
            }
        }
        let range = result?;
        if let Some(ledger) = &self.ledger {
            if ledger.insert(range).is_err() {
                self.caches.free_counting(cpu, range);
                return Err(OutOfNodeMemory { range }.into());
            }
        }
        Ok(range)
    }

    /// Like [`allocate`](Self::allocate), but frees the range when the result is dropped.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocation(&self, request: &Request) -> Result<Allocation<'_, R, B, C, I>, AllocateError> {
        self.allocate(request).map(|range| Allocation::new(self, range))
    }

    /// Frees a range that [`allocate`](Self::allocate) returned. Calls no allocator.
    ///
    /// With a flush queue it is used again, and `attachment` [released](Invalidate::release), when the IOTLB
    /// was flushed. Without one, the attachment is ignored.
    ///
    /// # Errors
    ///
    /// [`NotLive`] if the range is seen not to be live; nothing is changed, and the attachment is not released.
    /// How much is seen is a matter of [`Checking`].
    pub fn free(&self, range: IovaRange, attachment: Option<NonZeroUsize>) -> Result<(), NotLive> {
        if self.ledger.as_ref().is_some_and(|ledger| !ledger.remove(range)) {
            return Err(NotLive { range });
        }
        let cpu = self.cpu.current();
        match &self.queue {
            Some(queue) => {
                queue.queue(cpu, range, attachment, &self.caches);
                Ok(())
            }
            None => self.caches.free(cpu, range),
        }
    }

    /// What has to be done from time to time: flushes what has waited for long, and gives back what is idle.
    /// `now` is the user's clock, in nanoseconds. Calls no allocator. Returns when to call it next for the sake
    /// of what waits, or `None` if nothing does.
    pub fn poll(&self, now: u64) -> Option<u64> {
        let next = self.queue.as_ref().and_then(|queue| queue.poll(self.cpu.current(), now, &self.caches));
        self.caches.trim(now);
        next
    }

    /// Flushes the IOTLB if anything waits, and gives all cached ranges back. Calls no allocator. Returns how
    /// many ranges were given back.
    pub fn flush(&self) -> u64 {
        if let Some(queue) = &self.queue {
            queue.flush(self.cpu.current(), &self.caches);
        }
        self.caches.flush()
    }

    /// All live ranges as first and last iova, in no order, if frees are checked exactly: for checks and for
    /// debugging. Allocates nothing; `visit` must not use the domain.
    pub fn for_each_live(&self, visit: impl FnMut(u64, u64)) {
        if let Some(ledger) = &self.ledger {
            ledger.for_each(visit);
        }
    }

    /// Flushes everything, and returns the backing.
    pub fn into_backing(self) -> B {
        self.flush();
        self.caches.into_backing()
    }
}

impl<R: RawMutex, B, C, I> fmt::Debug for ConcurrentDomain<R, B, C, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrentDomain")
            .field("caches", &self.caches)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
