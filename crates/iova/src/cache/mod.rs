//! Caches of ranges, per CPU: allocating what was freed a moment ago without asking the tree.
//!
//! The scheme is that of magazines and a depot (Bonwick and Adams, 2001). Ranges that are freed go to a
//! *magazine* of the CPU that frees them, one for each *class* of sizes, and are taken from there. A CPU has
//! two magazines per class, so that it asks nobody else for at least a magazine's worth of operations; full
//! magazines travel through the *depot* of the class to CPUs that need them.
//!
//! ```text
//!    CPU 0            CPU 1           spares (for all classes)
//!  +---------+      +---------+      +-------+
//!  | loaded  |      | loaded  |  <-> | empty |   memory: made by allocations, never by frees
//!  | previous|      | previous|      +-------+
//!  +---------+      +---------+
//!       ^   full magazines  ^
//!       +------> depot <----+        one per class, bounded
//!       |                   |
//!       +-----> backing <---+        16 ranges at a time
//! ```
//!
//! # What is cached
//!
//! Ranges of 1, 2, 4, ... granules that are aligned to their size. A request is rounded up to such a size, so
//! that what is freed fits. It bypasses the caches if it is larger, or wants more than natural alignment of
//! that size. (That it crosses no boundary follows from the alignment.) A range above the limit of a request is not
//! handed out, and does not hide one below: all of both magazines is looked at, and the 16 upper magazines of the depot.
//!
//! With a preferred limit it is first a cached range below that, then one of the backing below it (of the size of the
//! class, then of the size that was asked for), then a cached one above, then one of the backing above.
//!
//! # When space or memory runs out
//!
//! If the backing has no space, what is cached below the limit of the request is given back to it, by whole magazines, and
//! it is asked again, then for the size that was asked for in the first place. Why there is nothing is found out once, at
//! the end. If it has no *node memory*, nothing is flushed: that would free no memory
//! to speak of and be hard work under pressure.
//!
//! Freeing calls no allocator, and cannot fail for lack of memory: a CPU without magazines gives ranges back to
//! the backing and leaves a wish, which an allocation grants.
//!
//! # Locks
//!
//! One per CPU, one per depot, one for the spares, taken in this order; the one of a CPU is on a cache line of
//! its own, and mostly the only one that is taken. They are held for as long as it takes to look at the ranges
//! of two magazines, at most, and at one range of 16 magazines in the depot if a request has a limit. None of
//! them is held while the backing is called, and the backing is given at most [`BATCH`](crate::backing::BATCH)
//! ranges at a time. So nobody waits for longer than that takes, however much is given back.
//!
//! # Freeing twice
//!
//! A magazine holds numbers, and finding one there would take longer than the allocation that it saves. So the
//! caches trust their caller with ranges that fit a class; they notice the same range freed twice in a row on
//! one CPU, and what the backing refuses later is counted. A [`Domain`](crate::Domain) has a mode that is exact,
//! and a handle that cannot be freed twice.

mod class;
mod config;
mod depot;
mod exchange;
mod give_back;
#[cfg(all(test, loom))]
mod loom_tests;
mod magazine;
mod per_cpu;
mod quick;
mod spares;
mod stack;
mod statistics;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use lock_api::RawMutex;

use self::class::{Classes, Need};
use self::depot::Depot;
use self::exchange::Put;
use self::per_cpu::Slot;
use self::spares::Spares;
use crate::backing::{Backing, NotLive};
use crate::cpu::Cpu;
use crate::error::AllocateError;
use crate::events;
use crate::pad::Padded;
use crate::range::IovaRange;
use crate::request::Request;
use crate::sync::{AtomicU64, Mutex, Ordering};

pub use config::CacheConfig;
pub use statistics::{CacheStatistics, ClassStatistics};

/// Caches of ranges in front of a [`Backing`], for several CPUs. See the [module](self).
///
/// `R` is the lock, as for [`LockedSpace`](crate::LockedSpace).
///
/// Dropping it drops the backing, with what is cached still allocated there. Where that matters,
/// [`into_backing`](Self::into_backing) gives everything back first.
///
/// | operation | cost | allocates |
/// | --- | --- | --- |
/// | [`allocate`](Self::allocate), cached | a lock of this CPU | never |
/// | [`allocate`](Self::allocate), not cached | that of the backing | as the backing, and at most a magazine and a shelf |
/// | [`free`](Self::free) | a lock of this CPU; every 16th may give 16 ranges back | never |
/// | [`flush`](Self::flush), [`trim`](Self::trim) | that of the backing, per range | never |
///
/// ```
/// use iova::cache::{CacheConfig, Caches};
/// use iova::cpu::Cpu;
/// use iova::{Space, Granule, Request, LockedSpace};
///
/// let domain: LockedSpace<spin::Mutex<()>> = Space::new(Granule::FOUR_KIB, 0..1 << 32)?.into();
/// let caches: Caches<spin::Mutex<()>, _> = Caches::new(domain, CacheConfig::new(4))?;
/// let cpu = Cpu::new(2);
/// // The first range that is freed goes back; the allocation after that makes a magazine.
/// let range = caches.allocate(cpu, &Request::new(3))?;
/// assert_eq!(range.granules(), 4);
/// caches.free(cpu, range)?;
/// let range = caches.allocate(cpu, &Request::new(3))?;
/// // From now on this CPU is served from its magazine.
/// caches.free(cpu, range)?;
/// assert_eq!(caches.allocate(cpu, &Request::new(4))?, range);
/// assert_eq!(caches.statistics().hits(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Caches<R: RawMutex, B> {
    backing: B,
    classes: Classes,
    slots: Box<[Padded<Mutex<R, Slot>>]>,
    depots: Box<[Padded<Mutex<R, Depot>>]>,
    spares: Padded<Mutex<R, Spares>>,
    idle_ns: u64,
    /// When the interval of the trimming began; the user's clock.
    trimmed: Padded<Mutex<R, Option<u64>>>,
    flushes: Padded<AtomicU64>,
    refused: Padded<AtomicU64>,
}

/// There was no memory to make something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory")
    }
}

impl core::error::Error for OutOfMemory {}

/// So many values, or an error if there is no memory.
pub(crate) fn try_boxed<T>(count: usize, mut value: impl FnMut() -> T) -> Result<Box<[T]>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    // More than what was asked for would make the last step allocate.
    if values.capacity() != count {
        return Err(OutOfMemory);
    }
    values.extend(core::iter::repeat_with(&mut value).take(count));
    Ok(values.into_boxed_slice())
}

impl<R: RawMutex, B: Backing> Caches<R, B> {
    /// Empty caches in front of `backing`.
    ///
    /// Takes 128 bytes per CPU and 128 per class; everything else is made when it is needed.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`] if there is not even that.
    pub fn new(backing: B, config: CacheConfig) -> Result<Self, OutOfMemory> {
        let classes = Classes::new(config.classes, backing.aperture());
        let depot = || Padded::new(Mutex::new(Depot::new(config.depot_magazines)));
        Ok(Self {
            backing,
            classes,
            slots: try_boxed(config.cpus, || Padded::new(Mutex::new(Slot::default())))?,
            depots: try_boxed(classes.count(), depot)?,
            spares: Padded::new(Mutex::new(Spares::new(config.magazines, config.depot_magazines))),
            idle_ns: config.idle_ns,
            trimmed: Padded::new(Mutex::new(None)),
            flushes: Padded::new(AtomicU64::new(0)),
            refused: Padded::new(AtomicU64::new(0)),
        })
    }

    /// What lies below. What is cached is allocated there.
    pub fn backing(&self) -> &B {
        &self.backing
    }

    /// What may be handed out at all.
    #[inline]
    pub(crate) fn aperture(&self) -> IovaRange {
        self.classes.aperture()
    }

    /// Allocates a range that satisfies `request`, on this CPU: a cached one, or the highest of the backing.
    ///
    /// It has as many granules as were asked for, or that rounded up to a power of two. It has to be freed as
    /// it is.
    ///
    /// # Errors
    ///
    /// As the backing. There is no address space only if there is none with all caches of this moment given
    /// back, but for what other threads move meanwhile: see [`Domain`](crate::Domain).
    pub fn allocate(&self, cpu: Cpu, request: &Request) -> Result<IovaRange, AllocateError> {
        self.allocate_or(cpu, request, || false)
    }

    /// Like [`allocate`](Self::allocate), but if there is nothing with the caches given back, `more` is called once, which
    /// may free ranges on this CPU and says whether it has.
    #[inline]
    pub(crate) fn allocate_or(
        &self,
        cpu: Cpu,
        request: &Request,
        more: impl FnOnce() -> bool,
    ) -> Result<IovaRange, AllocateError> {
        if let Some(class) = self.class_for(request) {
            if let Some(first) = self.pop(cpu, class, request.first_limit()) {
                return Ok(self.range(class, first));
            }
        }
        self.allocate_slowly(cpu, request, more)
    }

    /// Like [`allocate_or`](Self::allocate_or) without the quick way.
    #[inline(never)]
    fn allocate_slowly(
        &self,
        cpu: Cpu,
        request: &Request,
        more: impl FnOnce() -> bool,
    ) -> Result<IovaRange, AllocateError> {
        let need = self.classes.need(request);
        if let Some(need) = need {
            if let Some(first) = self.take(cpu, need.class, need.preferred.unwrap_or(need.highest)) {
                return Ok(self.classes.range(need.class, first));
            }
            self.missed(need.class);
            self.grant_wishes();
        }
        // If a preferred limit was looked below, not all of it was looked at.
        let look = need.filter(|need| need.preferred.is_some()).map(|_| cpu);
        if let Some(range) = self.ask(look, need, request)? {
            return Ok(range);
        }
        if let Some(range) = self.ask_emptied(need, request)? {
            return Ok(range);
        }
        if more() {
            if let Some(range) = self.ask(Some(cpu), need, request)? {
                return Ok(range);
            }
            if let Some(range) = self.ask_emptied(need, request)? {
                return Ok(range);
            }
        }
        // Once, and for the request as it is: this says why there is nothing.
        self.backing.allocate(request)
    }

    /// Asks in this order: the backing below the preferred limit, for the size of the class and for that of the request;
    /// the caches of a CPU, if there is one to look at; the backing, for the size of the class.
    fn ask(
        &self,
        look: Option<Cpu>,
        need: Option<Need>,
        request: &Request,
    ) -> Result<Option<IovaRange>, AllocateError> {
        let Some(need) = need else { return self.backing.try_allocate(request) };
        let rounded = Classes::rounded(need, request);
        for request in [&rounded, request] {
            let Some(preferred) = request.preferred_only() else { break };
            match self.backing.try_allocate(&preferred) {
                Err(AllocateError::BadRequest(_)) => break, // nothing lies below it
                Ok(None) => {}
                result => return result,
            }
        }
        match look.and_then(|cpu| self.take(cpu, need.class, need.highest)) {
            Some(first) => Ok(Some(self.classes.range(need.class, first))),
            None => self.backing.try_allocate(&rounded),
        }
    }

    /// Asks again with nothing cached that could help, and then for a hole that is too small for the class.
    #[cold]
    fn ask_emptied(&self, need: Option<Need>, request: &Request) -> Result<Option<IovaRange>, AllocateError> {
        let given = self.flush_touching(self.aperture().first(), request.limit_iova());
        events::flushed_for_space(given);
        if given > 0 {
            if let Some(range) = self.ask(None, need, request)? {
                return Ok(Some(range));
            }
        }
        if need.is_some() { self.backing.try_allocate(request) } else { Ok(None) }
    }

    /// Frees a range that [`allocate`](Self::allocate) returned, on this CPU. Calls no allocator.
    ///
    /// # Errors
    ///
    /// [`NotLive`] if the range is seen not to be allocated; nothing is changed. This is certain for ranges
    /// that fit no class. Others are trusted: see the [module](self).
    pub fn free(&self, cpu: Cpu, range: IovaRange) -> Result<(), NotLive> {
        if self.push(cpu, range) { Ok(()) } else { self.free_slowly(cpu, range) }
    }

    /// Like [`free`](Self::free) without the quick way.
    #[inline(never)]
    fn free_slowly(&self, cpu: Cpu, range: IovaRange) -> Result<(), NotLive> {
        if !range.is_of(self.aperture()) {
            return Err(NotLive { range });
        }
        let Some(class) = self.classes.class_of(range) else { return self.backing.free(range) };
        let first = range.first_pfn().get();
        let mut evicted = None;
        let put = self.put(cpu, class, first, &mut evicted);
        if let Some(mut evicted) = evicted {
            self.refused(evicted.give_back(&self.backing));
        }
        match put {
            Put::Done => Ok(()),
            Put::Twice => Err(NotLive { range }),
            Put::NoMagazine => self.backing.free(range),
        }
    }

    /// Like [`free`](Self::free), for callers that have nobody to report to: what is not allocated is counted.
    pub(crate) fn free_counting(&self, cpu: Cpu, range: IovaRange) {
        if self.free(cpu, range).is_err() {
            self.refused(1);
        }
    }

    fn refused(&self, ranges: u64) {
        if ranges > 0 {
            self.refused.fetch_add(ranges, Ordering::Relaxed);
            events::refused(ranges);
        }
    }
}

impl<R: RawMutex, B> fmt::Debug for Caches<R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches")
            .field("cpus", &self.slots.len())
            .field("classes", &self.classes.count())
            .finish_non_exhaustive()
    }
}
