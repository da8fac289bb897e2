//! The check across all layers: every granule is in exactly one place.

use alloc::vec::Vec;
use core::fmt;

use lock_api::RawMutex;
use maple_tree::NodeAlloc;

use super::Domain;
use crate::cache::OutOfMemory;
use crate::cpu::CurrentCpu;
use crate::flush::Invalidate;
use crate::range::IovaRange;
use crate::space::Violation;

/// Where a range of a [`Domain`] is that is neither free, nor reserved, nor excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RangeState {
    /// Handed out, and not freed yet.
    Live,
    /// Freed, and it waits for a flush of the IOTLB.
    Queued,
    /// Freed, and it may be handed out again.
    Cached,
}

/// An invariant of a [`Domain`] that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DomainViolation {
    /// The space below is not sound.
    Space(Violation),
    /// A range that is live, queued or cached is not allocated in the space, or not exactly so.
    NotAllocated {
        /// The range.
        range: IovaRange,
        /// Where it is.
        state: RangeState,
    },
    /// A range is in two places.
    Twice {
        /// The range.
        range: IovaRange,
        /// The two places; twice the same, if it is there twice.
        states: [RangeState; 2],
    },
    /// A range is allocated in the space, and nowhere.
    Lost {
        /// The range.
        range: IovaRange,
    },
    /// There was no memory for the check.
    OutOfMemory,
}

impl fmt::Display for DomainViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Space(violation) => violation.fmt(f),
            Self::NotAllocated { range, state } => write!(f, "{range} is {state:?}, but not allocated"),
            Self::Twice { range, states: [one, other] } => write!(f, "{range} is {one:?} and {other:?}"),
            Self::Lost { range } => write!(f, "{range} is allocated, but nowhere"),
            Self::OutOfMemory => OutOfMemory.fmt(f),
        }
    }
}

impl core::error::Error for DomainViolation {}

impl<R: RawMutex, C: CurrentCpu, I: Invalidate, A: NodeAlloc> Domain<R, C, I, A> {
    /// All ranges that are queued or cached and, if frees are checked exactly, those that are live, in no order: for
    /// checks and for debugging. Allocates nothing; `visit` is called with locks held and must not use the domain.
    ///
    /// What moves meanwhile may be visited twice or not at all.
    pub fn for_each(&self, mut visit: impl FnMut(IovaRange, RangeState)) {
        if let Some(ledger) = &self.ledger {
            ledger.for_each(self.granule(), |range| visit(range, RangeState::Live));
        }
        if let Some(queue) = &self.queue {
            queue.for_each_queued(|range| visit(range, RangeState::Queued));
        }
        self.caches.for_each_cached(|range| visit(range, RangeState::Cached));
    }

    /// Checks that every granule is in exactly one place: free, live, queued, cached, reserved or excluded, and that all
    /// layers say the same. In O(n log n), for tests and debugging; needs scratch memory.
    ///
    /// For a domain that nobody else uses meanwhile: what moves looks like a violation. If frees are trusted, what is
    /// neither queued nor cached is taken to be live.
    ///
    /// # Errors
    ///
    /// The first [`DomainViolation`] that it meets. There is none unless this crate has a bug, or a caller that is
    /// trusted has freed what is not live.
    pub fn validate(&self) -> Result<(), DomainViolation> {
        self.space().validate().map_err(DomainViolation::Space)?;
        let mut found = self.sorted()?.into_iter().peekable();
        let space = self.space().lock();
        // Both in order of address. Allocations are disjoint, and so are all granules if each range is one of them.
        for range in space.allocations() {
            match found.next_if(|(other, _)| other.first() <= range.first()) {
                None if self.ledger.is_some() => return Err(DomainViolation::Lost { range }),
                None => {}
                Some((other, state)) if other != range => {
                    return Err(DomainViolation::NotAllocated { range: other, state });
                }
                Some((_, state)) => {
                    if let Some((_, other)) = found.next_if(|(other, _)| other.first() == range.first()) {
                        return Err(DomainViolation::Twice { range, states: [state, other] });
                    }
                }
            }
        }
        found.next().map_or(Ok(()), |(range, state)| Err(DomainViolation::NotAllocated { range, state }))
    }

    /// What [`for_each`](Self::for_each) visits, in order of address.
    fn sorted(&self) -> Result<Vec<(IovaRange, RangeState)>, DomainViolation> {
        let (mut found, mut complete) = (Vec::new(), true);
        self.for_each(|range, state| {
            complete &= found.try_reserve(1).is_ok();
            if complete {
                found.push((range, state));
            }
        });
        found.sort_unstable_by_key(|(range, _)| range.first());
        if complete { Ok(found) } else { Err(DomainViolation::OutOfMemory) }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::{Checking, DomainConfig, Granule, Request, Space};

    type Subject = Domain<spin::Mutex<()>, fn() -> Cpu, ()>;

    /// A domain of 16 pages with one live range, one that is queued, and one that is cached.
    fn subject() -> (Subject, IovaRange) {
        let space = Space::new(Granule::FOUR_KIB, 0..0x1_0000).unwrap();
        let config = DomainConfig::new(1).checking(Checking::Exact);
        let cpu: fn() -> Cpu = || Cpu::new(0);
        let domain = Subject::with_flush_queue(space, cpu, (), config).unwrap();
        // The caches and the queue get their memory.
        for _ in 0..4 {
            domain.free(domain.allocate(&Request::new(1)).unwrap()).unwrap();
            domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
        }
        let [cached, queued, live] = [0; 3].map(|_| domain.allocate(&Request::new(1)).unwrap());
        domain.free(cached).unwrap();
        domain.queue().unwrap().flush(Cpu::new(0), domain.caches());
        domain.free(queued).unwrap();
        domain.validate().unwrap();
        let mut states = Vec::new();
        domain.for_each(|range, state| states.push((range, state)));
        let expected = [(live, RangeState::Live), (queued, RangeState::Queued), (cached, RangeState::Cached)];
        assert_eq!(states, expected);
        (domain, live)
    }

    #[test]
    fn a_range_that_is_nowhere_is_seen() {
        let (domain, live) = subject();
        assert!(domain.ledger.as_ref().unwrap().remove(live));
        assert_eq!(domain.validate(), Err(DomainViolation::Lost { range: live }));
    }

    #[test]
    fn a_range_in_two_places_is_seen() {
        let (domain, live) = subject();
        domain.caches.free(Cpu::new(0), live).unwrap();
        let twice = domain.validate();
        assert!(matches!(twice, Err(DomainViolation::Twice { range, .. }) if range == live), "{twice:?}");
    }

    #[test]
    fn a_range_that_is_not_allocated_is_seen() {
        for which in [RangeState::Live, RangeState::Queued, RangeState::Cached] {
            let (domain, _) = subject();
            let mut one = None;
            domain.for_each(|range, state| one = one.or((state == which).then_some(range)));
            domain.space().free(one.unwrap().first()).unwrap();
            let expected = DomainViolation::NotAllocated { range: one.unwrap(), state: which };
            assert_eq!(domain.validate(), Err(expected));
        }
    }
}
