//! The operations of a program.

use iova::{AllocMode, AllocateError, IovaRange, PlaceError, RangeState, Request};

use super::model::{GRANULE, Owner, fits, granules};
use super::request::{Ask, Place};
use super::subject::Subject;
use crate::choice::choice;
use crate::program::Memory;

choice! {
    /// One operation.
    pub(super) enum Op {
        /// So often, one after the other.
        Allocate { ask: Ask, times: u8 },
        /// Of what is live, by when it was allocated, and those after it.
        Free { which: u16, times: u8, attached: bool },
        /// From now on it is the turn of this CPU.
        Cpu(u8),
        /// A handle that frees the range, or gives it up.
        Handle { ask: Ask, kept: bool },
        /// What is not live, or not so.
        FreeWrongly { first: u16, count: u8 },
        AllocateAt(Place),
        Reserve(Place),
        Unreserve(Place),
        /// In the space, under its lock: used and freed at once, or not used.
        Prepare { ask: Ask, used: bool },
        Flush,
        FlushCaches,
        /// Time passes.
        Poll(u16),
        Trim(u16),
        /// From now on memory fails otherwise.
        Memory(Memory),
    }
}

impl Op {
    pub(super) fn apply(self, subject: &mut Subject) {
        match self {
            Self::Allocate { ask, times } => {
                let request = ask.request();
                for _ in 0..=times {
                    if !subject.allocate(&request) {
                        break;
                    }
                }
            }
            Self::Free { which, times, attached } => {
                for _ in 0..=times {
                    let Some(range) = subject.model.free(which.into()) else { break };
                    subject.free(range, attached);
                }
            }
            Self::Cpu(cpu) => subject.turn.0.set(usize::from(cpu) % subject.cpus),
            Self::Handle { ask, kept } => subject.handle(&ask.request(), kept),
            Self::FreeWrongly { first, count } => subject.free_wrongly(first, count),
            Self::AllocateAt(place) => subject.allocate_at(place),
            Self::Reserve(place) => subject.reserve(place),
            Self::Unreserve(place) => subject.unreserve(place),
            Self::Prepare { ask, used } => subject.prepare(&ask.request(), used),
            Self::Flush => {
                subject.without_nodes(|subject| subject.domain.flush());
                subject.domain.for_each(|range, state| assert_eq!(state, RangeState::Live, "{range}"));
            }
            Self::FlushCaches => drop(subject.without_nodes(|subject| subject.domain.caches().flush())),
            Self::Poll(passed) => {
                subject.now += u64::from(passed);
                let now = subject.now;
                let next = subject.without_nodes(|subject| subject.domain.poll(now));
                assert!(next.is_none_or(|next| next >= now), "{next:?} was before {now}");
            }
            Self::Trim(passed) => {
                subject.now += u64::from(passed);
                subject.without_nodes(|subject| subject.domain.trim(subject.now));
            }
            Self::Memory(memory) => subject.nodes.set_plan(memory.plan()),
        }
    }
}

impl Subject {
    fn allocate(&mut self, request: &Request) -> bool {
        let failed = self.nodes.counts().failed;
        match self.domain.allocate(request) {
            Ok(range) => {
                self.allocated(request, range);
                true
            }
            Err(error) => {
                self.refused(request, &error, failed);
                false
            }
        }
    }

    fn allocated(&mut self, request: &Request, range: IovaRange) {
        self.iommu.must_not_know(range);
        let (granules, first) = (range.granules(), range.first_pfn().get());
        assert!(
            (request.granules().into()..=request.granules().next_power_of_two().into()).contains(&granules)
        );
        assert!(
            range.last() <= request.limit_iova() && fits(first as usize, request),
            "{range} does not fit"
        );
        if let Some(boundary) = request.boundary_granules() {
            assert_eq!(first / boundary, range.last_pfn().get() / boundary, "{range} crosses a line");
        }
        self.model.allocate(range);
    }

    /// A request is refused for a reason only.
    fn refused(&self, request: &Request, error: &AllocateError, failed: u64) {
        match error {
            AllocateError::OutOfAddressSpace(_) => {
                assert!(!self.model.has_room(request), "there was room for {request:?}");
            }
            AllocateError::OutOfNodeMemory(_) => {
                assert!(self.nodes.counts().failed > failed, "there was memory");
            }
            AllocateError::BadRequest(_) => {}
            error => unreachable!("{error}"),
        }
    }

    /// A range that was live, and is nobody's in the model already.
    fn free(&mut self, range: IovaRange, attached: bool) {
        self.iommu.unmap(range);
        self.without_nodes(|subject| {
            let freed = match attached {
                true => subject.domain.free_with(range, subject.iommu.attachment()),
                false => subject.domain.free(range),
            };
            assert_eq!(freed, Ok(()));
        });
    }

    fn handle(&mut self, request: &Request, kept: bool) {
        let failed = self.nodes.counts().failed;
        let allocation = match self.domain.allocation(request) {
            Ok(allocation) => allocation,
            Err(error) => return self.refused(request, &error, failed),
        };
        let range = allocation.range();
        self.iommu.must_not_know(range);
        if kept {
            assert_eq!(allocation.into_range(), range);
            self.allocated(request, range);
        } else {
            self.iommu.unmap(range);
            drop(allocation);
        }
    }

    /// With exact checking every wrong free is refused, and changes nothing.
    fn free_wrongly(&mut self, first: u16, count: u8) {
        let granules = self.model.owners.len() as u64;
        let first = u64::from(first) % (granules + 2);
        let count = u64::from(count % 20);
        let (iova, end) = (first * GRANULE, first + count);
        let right =
            self.model.live.iter().any(|range| (range.first(), range.granules()) == (iova, count.into()));
        if right || !(self.exact || first >= granules || end > granules) {
            return;
        }
        self.without_nodes(|subject| assert!(subject.domain.free_sized(iova, count).is_err()));
    }

    /// The granules that a place has, all or in part, and whether all of them in full.
    fn touched(&self, place: Place) -> Option<(std::ops::Range<usize>, bool)> {
        let iovas = place.iovas(self.model.owners.len());
        if iovas.is_empty() {
            return None;
        }
        let whole = iovas.start % GRANULE == 0 && iovas.end % GRANULE == 0;
        let (first, end) = (iovas.start / GRANULE, iovas.end.div_ceil(GRANULE));
        Some((first as usize..end as usize, whole))
    }

    fn allocate_at(&mut self, place: Place) {
        let granules = self.model.owners.len();
        let (iovas, failed) = (place.iovas(granules), self.nodes.counts().failed);
        let touched = self.touched(place).filter(|(touched, whole)| *whole && touched.end <= granules);
        let taken = touched.as_ref().map(|(touched, _)| {
            self.model.has(touched.clone(), Owner::User) || self.model.has(touched.clone(), Owner::Reserved)
        });
        match self.domain.allocate_at(iovas.clone(), AllocMode::Normal) {
            Ok(range) => {
                assert_eq!((range.first(), range.last() + 1, taken), (iovas.start, iovas.end, Some(false)));
                self.iommu.must_not_know(range);
                self.model.allocate(range);
            }
            Err(PlaceError::Occupied { by, .. }) => {
                assert_eq!(taken, Some(true), "{by} is not there");
            }
            Err(PlaceError::OutOfNodeMemory(_)) => {
                assert!(taken.is_some() && self.nodes.counts().failed > failed, "there was memory");
            }
            Err(PlaceError::BadRequest(_)) => assert_eq!(taken, None),
            Err(error) => unreachable!("{error}"),
        }
    }

    fn reserve(&mut self, place: Place) {
        let (iovas, failed) = (place.iovas(self.model.owners.len()), self.nodes.counts().failed);
        let touched = self.within(place);
        let reserved = self.domain.reserve(iovas, AllocMode::Normal);
        let taken = touched.clone().is_some_and(|touched| self.model.has(touched, Owner::User));
        match reserved {
            Ok(count) => {
                let touched = touched.expect("what is empty is refused");
                assert!(!taken, "somebody's is reserved");
                let free = self.model.owners[touched.clone()].iter().filter(|&&owner| owner == Owner::Nobody);
                assert_eq!(count, free.count() as u128);
                self.model.set(touched, Owner::Reserved);
            }
            Err(PlaceError::Occupied { by, .. }) => assert!(taken, "{by} is not there"),
            Err(PlaceError::OutOfNodeMemory(_)) => assert!(self.nodes.counts().failed > failed),
            Err(PlaceError::BadRequest(_)) => assert_eq!(touched, None),
            Err(error) => unreachable!("{error}"),
        }
    }

    fn unreserve(&mut self, place: Place) {
        let (iovas, failed) = (place.iovas(self.model.owners.len()), self.nodes.counts().failed);
        let touched = self.within(place);
        match self.domain.unreserve(iovas, AllocMode::Normal) {
            Ok(count) => {
                let touched = touched.expect("what is empty is refused");
                let owners = self.model.owners[touched].iter_mut();
                let reserved: Vec<_> = owners.filter(|owner| **owner == Owner::Reserved).collect();
                assert_eq!(count, reserved.len() as u128);
                reserved.into_iter().for_each(|owner| *owner = Owner::Nobody);
            }
            Err(PlaceError::OutOfNodeMemory(_)) => assert!(self.nodes.counts().failed > failed),
            Err(PlaceError::BadRequest(_)) => assert_eq!(touched, None),
            Err(error) => unreachable!("{error}"),
        }
    }

    /// The granules of the domain that a place has, all or in part; nothing if it is empty.
    fn within(&self, place: Place) -> Option<std::ops::Range<usize>> {
        let (touched, _) = self.touched(place)?;
        let end = touched.end.min(self.model.owners.len());
        Some(touched.start.min(end)..end)
    }

    fn prepare(&mut self, request: &Request, used: bool) {
        let failed = self.nodes.counts().failed;
        let mut space = self.domain.space().lock();
        let prepared = space.prepare(request).map(|prepared| {
            let (range, calls) = (prepared.range(), self.nodes.counts().calls);
            if used {
                assert_eq!(prepared.commit(), range);
            }
            assert_eq!(self.nodes.counts().calls, calls, "what was prepared asked for a node");
            range
        });
        match prepared {
            Ok(range) => {
                assert!(!self.model.has(granules(range), Owner::User), "{range} is somebody's");
                assert!(!self.model.has(granules(range), Owner::Reserved), "{range} is reserved");
                if used {
                    assert_eq!(space.free(range.first()), Ok(range));
                }
            }
            // What is cached or queued is not asked for.
            Err(AllocateError::OutOfAddressSpace(_) | AllocateError::BadRequest(_)) => {}
            Err(error) => {
                let no_memory = matches!(error, AllocateError::OutOfNodeMemory(_));
                assert!(no_memory && self.nodes.counts().failed > failed, "{error}");
            }
        }
    }
}
