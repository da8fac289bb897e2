//! A domain behind a lock as what lies below the caches.

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::{Backing, NotLive};
use crate::error::AllocateError;
use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::Request;
use crate::shared::SharedDomain;
use crate::space::{RangeKind, Space};

impl<R: RawMutex, A: NodeAlloc> Backing for SharedDomain<R, A> {
    fn granule(&self) -> Granule {
        self.granule()
    }

    fn aperture(&self) -> IovaRange {
        self.aperture()
    }

    fn allocate(&self, request: &Request) -> Result<IovaRange, AllocateError> {
        self.allocate(request)
    }

    fn free(&self, range: IovaRange) -> Result<(), NotLive> {
        if free_exactly(&mut self.lock(), range) { Ok(()) } else { Err(NotLive { range }) }
    }

    fn free_batch(&self, ranges: &[IovaRange]) -> usize {
        let mut domain = self.lock();
        ranges.iter().filter(|range| !free_exactly(&mut domain, **range)).count()
    }
}

/// A domain frees by the first iova; here the size has to be right as well.
fn free_exactly<A: NodeAlloc>(domain: &mut Space<A>, range: IovaRange) -> bool {
    domain.find(range.first()) == Some((range, RangeKind::Allocated)) && domain.free(range.first()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allocated_exactly_so_is_freed() {
        let domain = Space::new(Granule::FOUR_KIB, 0..0x1_0000).unwrap();
        let shared: SharedDomain<spin::Mutex<()>> = SharedDomain::new(domain);
        let two = Backing::allocate(&shared, &Request::new(2)).unwrap();
        let one = Backing::allocate(&shared, &Request::new(1)).unwrap();
        Backing::free(&shared, one).unwrap();
        assert_eq!(Backing::free(&shared, one), Err(NotLive { range: one }));
        let four = Backing::allocate(&shared, &Request::new(4)).unwrap();
        // The same first iova, another size.
        Backing::free(&shared, four).unwrap();
        let other = Backing::allocate(&shared, &Request::new(2).limit(four.last() - 0x2000)).unwrap();
        assert_eq!(other.first(), four.first());
        assert_eq!(shared.free_batch(&[four, two, one]), 2);
        assert_eq!(shared.free_batch(&[other]), 0);
        assert_eq!(shared.statistics().allocated_ranges, 0);
    }
}
