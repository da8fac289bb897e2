//! A space behind a lock as what lies below the caches.

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::{Backing, NotLive};
use crate::error::AllocateError;
use crate::granule::Granule;
use crate::locked::LockedSpace;
use crate::range::IovaRange;
use crate::request::Request;
use crate::space::Space;

impl<R: RawMutex, A: NodeAlloc> Backing for LockedSpace<R, A> {
    fn granule(&self) -> Granule {
        self.granule()
    }

    fn aperture(&self) -> IovaRange {
        self.aperture()
    }

    fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        self.allocate(request)
    }

    fn try_allocate(&self, request: &Request) -> Result<Option<IovaRange>, AllocateError> {
        self.lock().try_allocate(request)
    }

    fn free(&self, range: IovaRange) -> Result<(), NotLive> {
        if free(&mut self.lock(), range) { Ok(()) } else { Err(NotLive { range }) }
    }

    fn free_batch(&self, ranges: &[IovaRange]) -> usize {
        let mut space = self.lock();
        ranges.iter().filter(|range| !free(&mut space, **range)).count()
    }
}

/// Frees exactly this range. A magazine knows sizes, so unlike a [`FreeBatch`](crate::FreeBatch) this checks them.
fn free<A: NodeAlloc>(space: &mut Space<A>, range: IovaRange) -> bool {
    range.granule() == space.granule() && space.free_exactly(range).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allocated_exactly_so_is_freed() {
        let space = Space::new(Granule::FOUR_KIB, 0..0x1_0000).unwrap();
        let locked: LockedSpace<spin::Mutex<()>> = LockedSpace::new(space);
        let two = Backing::allocate(&locked, &Request::new(2)).unwrap();
        let one = Backing::allocate(&locked, &Request::new(1)).unwrap();
        Backing::free(&locked, one).unwrap();
        assert_eq!(Backing::free(&locked, one), Err(NotLive { range: one }));
        let four = Backing::allocate(&locked, &Request::new(4)).unwrap();
        // The same first iova, another size.
        Backing::free(&locked, four).unwrap();
        let other = Backing::allocate(&locked, &Request::new(2).limit(four.last() - 0x2000)).unwrap();
        assert_eq!(other.first(), four.first());
        assert_eq!(locked.free_batch(&[four, two, one]), 2);
        assert_eq!(locked.free_batch(&[other]), 0);
        assert_eq!(locked.statistics().allocated_ranges, 0);
    }
}
