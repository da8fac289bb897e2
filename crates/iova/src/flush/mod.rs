//! The flush queue: a freed range is used again only when the IOMMU has forgotten it.
//!
//! An IOMMU keeps translations in a cache of its own, the IOTLB. When a buffer is unmapped, the device may go
//! on using the old translation until it has been invalidated there, which takes long: microseconds, and queues
//! behind a lock. So this is done for many ranges at once. Until then they wait in a *ring*, one for each CPU.
//!
//! What the queue promises: **a range is handed on only after an invalidation that began after the range was
//! freed has completed.** As soon as one has, it may be: flushes that overlap, or that never complete, delay
//! nothing. All it takes are two counters.
//!
//! A flush happens
//!
//! - by size: a ring is full;
//! - by age: something has waited for [`FlushConfig::age_after`], seen by [`poll`](FlushQueue::poll);
//! - on demand ([`flush`](FlushQueue::flush)), also before somebody says that there is no address space.
//!
//! With [`FlushPolicy::Strict`] nothing waits: each range is invalidated by itself when it is freed.
//!
//! # Memory
//!
//! Queueing calls no allocator. A CPU without a ring frees strictly and leaves a wish;
//! [`prepare`](FlushQueue::prepare), called by whoever may allocate, grants it.
//!
//! # Locks
//!
//! One per CPU, held for at most [`BATCH`](crate::backing::BATCH) entries at a time, never while the IOMMU or
//! the user is called. So a CPU that collects what all others have queued makes none of them wait for longer
//! than that. Only [`for_each_queued`](FlushQueue::for_each_queued) visits a whole ring at a time.

mod config;
mod generation;
mod invalidate;
#[cfg(all(test, loom))]
mod loom_tests;
mod release;
mod ring;
mod statistics;

use alloc::boxed::Box;
use core::alloc::Layout;
use core::fmt;
use core::num::NonZeroUsize;

use lock_api::RawMutex;

use self::generation::Generations;
use self::ring::{Entry, Ring};
use self::statistics::{Causes, QueueCounters};
use crate::cache::{OutOfMemory, try_boxed};
use crate::cpu::Cpu;
use crate::pad::Padded;
use crate::range::IovaRange;
use crate::sync::{AtomicU64, Mutex, Ordering};

pub use config::{FlushConfig, FlushPolicy};
pub use invalidate::{Invalidate, Reuse};
pub use release::POLL_RANGES;
pub use statistics::{FlushCause, FlushStatistics};

/// Freed ranges that wait for the flush of the IOTLB. See the [module](self).
///
/// `R` is the lock, `I` knows how to invalidate. Where ranges go afterwards, a [`Reuse`], is an argument of each
/// operation.
///
/// ```
/// use iova::cpu::Cpu;
/// use iova::flush::{FlushConfig, FlushQueue, Invalidate, Reuse};
/// use iova::{Space, Granule, IovaRange, Request};
/// use std::sync::Mutex;
///
/// struct Iommu;
/// impl Invalidate for Iommu {
///     fn flush_all(&self) { /* write to a register, and wait */ }
/// }
/// #[derive(Default)]
/// struct Usable(Mutex<Vec<IovaRange>>);
/// impl Reuse for Usable {
///     fn reuse(&self, _: Cpu, range: IovaRange) {
///         self.0.lock().unwrap().push(range);
///     }
/// }
///
/// let mut domain = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
/// let (one, two) = (domain.allocate(&Request::new(1))?, domain.allocate(&Request::new(1))?);
/// let queue: FlushQueue<spin::Mutex<()>, _> = FlushQueue::new(Iommu, FlushConfig::new(4))?;
/// let (cpu, usable) = (Cpu::new(0), Usable::default());
/// // The first time there is no ring to wait in.
/// queue.queue(cpu, one, None, &usable);
/// assert_eq!(*usable.0.lock().unwrap(), [one]);
/// queue.prepare();
/// queue.queue(cpu, two, None, &usable);
/// assert_eq!(usable.0.lock().unwrap().len(), 1);
/// assert_eq!(queue.poll(cpu, 0, &usable), Some(10_000_000)); // look again in 10 ms
/// assert_eq!(queue.poll(cpu, 10_000_000, &usable), None);
/// assert_eq!(*usable.0.lock().unwrap(), [one, two]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FlushQueue<R: RawMutex, I: Invalidate> {
    invalidate: I,
    config: FlushConfig,
    generations: Padded<Generations>,
    slots: Box<[Padded<Mutex<R, Slot>>]>,
    clock: Padded<Mutex<R, Clock>>,
    /// How many CPUs wish for a ring.
    wishes: Padded<AtomicU64>,
}

/// What there is for each CPU.
#[derive(Default)]
struct Slot {
    ring: Option<Ring>,
    wished: bool,
    counters: QueueCounters,
}

/// What is rarely written, and by any CPU.
#[derive(Default)]
struct Clock {
    /// When `poll` first saw that something waits; the user's clock.
    waiting_since: Option<u64>,
    /// The CPU at which `poll` goes on.
    collect_from: usize,
    flushes: Causes,
}

impl<R: RawMutex, I: Invalidate> FlushQueue<R, I> {
    /// An empty queue. Takes 128 bytes per CPU; rings are made when they are needed.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if there is not even that, or if no ring could ever be as large as configured.
    pub fn new(invalidate: I, config: FlushConfig) -> Result<Self, OutOfMemory> {
        let _ring = Layout::array::<Entry>(config.entries).map_err(|_| OutOfMemory)?;
        Ok(Self {
            invalidate,
            config,
            generations: Padded::new(Generations::new()),
            slots: try_boxed(config.cpus, || Padded::new(Mutex::new(Slot::default())))?,
            clock: Padded::new(Mutex::new(Clock::default())),
            wishes: Padded::new(AtomicU64::new(0)),
        })
    }

    /// Who invalidates.
    pub fn invalidate(&self) -> &I {
        &self.invalidate
    }

    /// Queues a range that was just unmapped, on this CPU. Calls no allocator.
    ///
    /// `attachment` is a word of the user's that is [released](Invalidate::release) after the flush, such as a page table
    /// that the IOMMU may still walk; so a range with an attachment never gets by with less than a flush of
    /// everything. A full ring is flushed first. With the strict policy, or if this CPU has no ring, the range
    /// is invalidated and handed on at once.
    pub fn queue(&self, cpu: Cpu, range: IovaRange, attachment: Option<NonZeroUsize>, reuse: &impl Reuse) {
        let mut pushed = self.push(cpu, range, attachment);
        if pushed == Push::Full {
            // There is room if the oldest entries were flushed meanwhile, for another CPU.
            self.collect_some(cpu, reuse);
            pushed = self.push(cpu, range, attachment);
        }
        if pushed == Push::Full {
            self.flush_iotlb(FlushCause::Full);
            self.collect(cpu, cpu, reuse);
            pushed = self.push(cpu, range, attachment);
        }
        match pushed {
            Push::Done => {}
            Push::DoneFirst => self.invalidate.arm(),
            // So rings seldom get full.
            Push::DoneOldFlushed => self.collect_some(cpu, reuse),
            // If others have filled the ring again meanwhile, the range does not wait.
            Push::Full | Push::NoRing => self.strictly(cpu, range, attachment, reuse),
        }
    }

    /// Makes a ring for a CPU that has wished for one. Call it where memory may be asked for; no other
    /// operation does so. Costs one load if there is no wish.
    ///
    /// If there is no memory the wish is dropped, and the CPU's next free makes it again. So it asks for memory
    /// at most once for each free that had to wait for the IOMMU.
    #[inline]
    pub fn prepare(&self) {
        if self.wishes.load(Ordering::Relaxed) > 0 {
            self.make_ring();
        }
    }

    #[cold]
    fn make_ring(&self) {
        let Some(slot) = self.slots.iter().find(|slot| slot.lock().wished) else { return };
        let made = Ring::try_new(self.config.entries);
        let mut slot = slot.lock();
        if slot.wished {
            slot.ring = made;
            slot.wished = false;
            self.wishes.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn push(&self, cpu: Cpu, range: IovaRange, attachment: Option<NonZeroUsize>) -> Push {
        let Some(slot) = cpu.of(&self.slots) else { return Push::NoRing };
        let slot = &mut *slot.lock();
        if let Some(ring) = &mut slot.ring {
            let entry = Entry { range, attachment, generation: self.generations.now() };
            if !ring.push(entry) {
                return Push::Full;
            }
            slot.counters.queued += 1;
            return match ring.len() {
                1 => Push::DoneFirst,
                _ if ring.has_flushed(&self.generations) => Push::DoneOldFlushed,
                _ => Push::Done,
            };
        }
        if self.config.policy == FlushPolicy::Deferred && self.config.entries > 0 && !slot.wished {
            slot.wished = true;
            self.wishes.fetch_add(1, Ordering::Relaxed);
        }
        Push::NoRing
    }
}

/// What became of a range that was to be queued.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Push {
    Done,
    /// It is queued, where nothing was.
    DoneFirst,
    /// It is queued, and there are entries that were flushed.
    DoneOldFlushed,
    Full,
    NoRing,
}

impl<R: RawMutex, I: Invalidate> fmt::Debug for FlushQueue<R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushQueue")
            .field("cpus", &self.slots.len())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
