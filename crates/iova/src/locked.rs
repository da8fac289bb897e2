//! A space behind one lock.

use core::fmt;
use core::ops::RangeBounds;

use lock_api::{Mutex, MutexGuard, RawMutex};
use maple_tree::{AllocMode, Global, NodeAlloc};

use crate::error::{AllocateError, FreeError, PlaceError};
use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::Request;
use crate::space::{RangeKind, Space, Statistics, Violation};

/// A [`Space`] behind one lock, for several threads: the same operations with `&self`, exact and strictly top-down.
///
/// Each operation takes the lock once, for as long as it takes on a space of one owner. Where many threads allocate and
/// free, a [`Domain`](crate::Domain) has caches in front of it.
///
/// # Which lock
///
/// `R` is any lock that implements [`lock_api::RawMutex`]:
///
/// - a program with threads takes `parking_lot::RawMutex`;
/// - one without an operating system takes `spin::Mutex<()>`;
/// - a kernel wraps its own lock in a type that implements the trait. If the space is used in interrupt
///   handlers, that type's `lock` must keep them out (as `spin_lock_irqsave` does) and `unlock` must let them in
///   again.
///
/// An allocation asks for node memory while it holds the lock. So with a lock under which nothing may sleep, every
/// request must say [`AllocMode::Atomic`].
///
/// ```
/// use iova::{AllocMode, Granule, LockedSpace, Request, Space};
///
/// let space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
/// let locked: LockedSpace<spin::Mutex<()>> = LockedSpace::new(space);
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| locked.allocate(&Request::new(1).mode(AllocMode::Atomic)));
///     }
/// });
/// assert_eq!(locked.statistics().allocated_ranges, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LockedSpace<R: RawMutex, A: NodeAlloc = Global> {
    // These two never change, so they are had without the lock.
    granule: Granule,
    aperture: IovaRange,
    space: Mutex<R, Space<A>>,
}

impl<R: RawMutex, A: NodeAlloc> LockedSpace<R, A> {
    /// Puts a space behind a lock.
    pub fn new(space: Space<A>) -> Self {
        Self { granule: space.granule(), aperture: space.aperture(), space: Mutex::new(space) }
    }

    /// The space without the lock.
    pub fn into_inner(self) -> Space<A> {
        self.space.into_inner()
    }

    /// The smallest unit that is handed out. Takes no lock.
    pub fn granule(&self) -> Granule {
        self.granule
    }

    /// What may be handed out at all. Takes no lock.
    pub fn aperture(&self) -> IovaRange {
        self.aperture
    }

    /// Allocates the highest free range that satisfies `request`: [`Space::allocate`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        self.lock().allocate(request)
    }

    /// Allocates a range of the caller's choice: [`Space::allocate_at`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn allocate_at(
        &self,
        range: impl RangeBounds<u64>,
        mode: AllocMode,
    ) -> Result<IovaRange, PlaceError> {
        self.lock().allocate_at(range, mode)
    }

    /// Frees the allocated range whose first iova this is: [`Space::free`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn free(&self, iova: u64) -> Result<IovaRange, FreeError> {
        self.lock().free(iova)
    }

    /// Frees the allocated range that begins here, if it has so many granules: [`Space::free_sized`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn free_sized(&self, iova: u64, granules: u64) -> Result<IovaRange, FreeError> {
        self.lock().free_sized(iova, granules)
    }

    /// What `iova` lies in: [`Space::find`] under the lock. Others may have changed it when this returns.
    pub fn find(&self, iova: u64) -> Option<(IovaRange, RangeKind)> {
        self.lock().find(iova)
    }

    /// Sees to it that no iova of `range` is ever handed out: [`Space::reserve`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve(&self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        self.lock().reserve(range, mode)
    }

    /// Takes the reservation away from all of `range`: [`Space::unreserve`] under the lock.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unreserve(&self, range: impl RangeBounds<u64>, mode: AllocMode) -> Result<u128, PlaceError> {
        self.lock().unreserve(range, mode)
    }

    /// The longest free run at or below `limit`: [`Space::longest_free_run`] under the lock.
    pub fn longest_free_run(&self, limit: u64) -> Option<IovaRange> {
        self.lock().longest_free_run(limit)
    }

    /// What the space has and what happened to it: [`Space::statistics`] under the lock.
    pub fn statistics(&self) -> Statistics {
        self.lock().statistics()
    }

    /// Recomputes every invariant from scratch: [`Space::validate`] under the lock, in O(n).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn validate(&self) -> Result<(), Violation> {
        self.lock().validate()
    }

    /// Takes the lock, for several operations at a time or to go over the ranges. Everybody else waits until the
    /// guard is dropped; a thread that holds it must not use the space otherwise.
    ///
    /// ```
    /// # use iova::{Granule, Request, LockedSpace, Space};
    /// # let space = Space::new(Granule::FOUR_KIB, 0..1 << 32)?;
    /// # let locked: LockedSpace<spin::Mutex<()>> = LockedSpace::new(space);
    /// locked.allocate(&Request::new(1))?;
    /// assert_eq!(locked.lock().allocations().count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lock(&self) -> MutexGuard<'_, R, Space<A>> {
        self.space.lock()
    }
}

impl<R: RawMutex, A: NodeAlloc> From<Space<A>> for LockedSpace<R, A> {
    fn from(space: Space<A>) -> Self {
        Self::new(space)
    }
}

impl<R: RawMutex, A: NodeAlloc> fmt::Debug for LockedSpace<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedSpace")
            .field("granule", &self.granule)
            .field("aperture", &self.aperture)
            .finish_non_exhaustive()
    }
}
