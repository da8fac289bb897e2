//! Programs on a domain: its space, caches, flush queue, and the set of what is live.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::rc::Rc;

use fastrand::Rng;
use iova::cache::CacheConfig;
use iova::cpu::{Cpu, CurrentCpu};
use iova::flush::{FlushConfig, Invalidate};
use iova::{
    AllocMode, AllocateError, Checking, Domain, DomainConfig, Granule, IovaRange, PlaceError, RangeState,
    Request, Space,
};
use maple_faults::sweep::{self, Case, Outcome};
use maple_faults::{Plan, ThisThread};

use crate::{PAGE, command, every_failure};

/// Requests get slots, by whose numbers they are freed.
const SLOTS: usize = 700;
/// Below this page are ranges of the program's own choice, above it those that the domain chooses.
const PLACES: u64 = 64;

/// One call, or many of the same. Slots that are taken are passed over, as are those without anything to be freed.
#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate {
        cpu: usize,
        first: usize,
        count: usize,
        granules: u64,
    },
    AllocateAt {
        slot: usize,
        page: u64,
        count: u64,
    },
    Free {
        cpu: usize,
        first: usize,
        count: usize,
        attach: bool,
    },
    Reserve {
        page: u64,
        count: u64,
    },
    Unreserve {
        page: u64,
        count: u64,
    },
    /// So much later.
    Poll {
        cpu: usize,
        nanoseconds: u64,
    },
    Flush {
        cpu: usize,
    },
}

impl Step {
    fn any(rng: &mut Rng, cpus: usize) -> Self {
        let (cpu, first) = (rng.usize(0..cpus), rng.usize(0..SLOTS));
        let count = if rng.bool() { rng.usize(1..4) } else { rng.usize(1..400) };
        let (page, pages) = (rng.u64(0..PLACES - 8), rng.u64(1..=8));
        match rng.u8(0..16) {
            0..=5 => {
                Self::Allocate { cpu, first, count, granules: *rng.choice(&[1, 1, 1, 2, 3, 8]).unwrap() }
            }
            6..=10 => Self::Free { cpu, first, count, attach: rng.u8(0..4) == 0 },
            11 => Self::AllocateAt { slot: first, page, count: pages },
            12 => Self::Reserve { page, count: pages },
            13 => Self::Unreserve { page, count: pages },
            14 => Self::Poll { cpu, nanoseconds: rng.u64(0..60_000) },
            _ => Self::Flush { cpu },
        }
    }
}

struct Program {
    name: String,
    seed: u64,
    steps: Vec<Step>,
    config: DomainConfig,
    exact: bool,
    /// Where there is little space, what is cached decides about later requests, so results are not compared.
    pages: u64,
    roomy: bool,
}

impl Program {
    fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cpus = rng.usize(1..=3);
        let caches = CacheConfig::new(cpus)
            .classes(rng.usize(0..=4))
            .depot_magazines(rng.usize(0..=2))
            .idle_after(50_000);
        let queue = FlushConfig::new(cpus).entries(*rng.choice(&[0, 8, 60]).unwrap()).age_after(20_000);
        let exact = seed % 4 > 0;
        let checking = if exact { Checking::Exact } else { Checking::Trust };
        let roomy = seed % 3 > 0;
        let steps = (0..60).map(|_| Step::any(&mut rng, cpus)).collect();
        Self {
            name: format!("domain {seed}"),
            seed,
            steps,
            config: DomainConfig::new(cpus).caches(caches).queue(queue).checking(checking),
            exact,
            pages: if roomy { 1 << 16 } else { PLACES + 300 },
            roomy,
        }
    }
}

/// The CPU whose turn it is.
#[derive(Clone, Default)]
struct VirtualCpu(Rc<Cell<usize>>);

impl CurrentCpu for VirtualCpu {
    fn current(&self) -> Cpu {
        Cpu::new(self.0.get())
    }
}

/// Counts what is attached and not yet released.
#[derive(Clone, Default)]
struct Iommu(Rc<Cell<usize>>);

impl Invalidate for Iommu {
    fn flush_all(&self) {}

    fn release(&self, _attachment: NonZeroUsize) {
        self.0.set(self.0.get() - 1);
    }
}

/// What is live, by slot: what was asked for, and what it got.
type Live = BTreeMap<usize, (u64, IovaRange)>;

struct Tested {
    domain: Option<Domain<spin::Mutex<()>, VirtualCpu, Iommu>>,
    cpu: VirtualCpu,
    iommu: Iommu,
    live: Live,
    now: u64,
    exact: bool,
    roomy: bool,
}

/// What is live, what waits for a flush (if that cannot have been helped by lack of space), and what is reserved.
#[derive(Debug, PartialEq, Eq)]
struct State(Live, Vec<IovaRange>, Vec<IovaRange>);

/// What was asked for and is live, the places of what was placed, and what is reserved.
type Outcomes = (Vec<(usize, u64)>, Vec<IovaRange>, Vec<IovaRange>);

impl Case for Program {
    type Memory = ThisThread;
    type Step = Step;
    type State = State;
    type Result = Outcomes;
    type Subject<'a> = Tested;

    /// Magazines and rings are only for speed.
    const TOLERATES: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn command(&self) -> String {
        command(self.seed, "domain")
    }

    fn program(&self) -> &[Step] {
        &self.steps
    }

    fn frees(step: &Step) -> bool {
        matches!(step, Step::Free { .. } | Step::Poll { .. } | Step::Flush { .. })
    }

    fn memory(&self) -> ThisThread {
        ThisThread.start(Plan::Never);
        ThisThread
    }

    fn subject(&self, _memory: &ThisThread) -> Tested {
        let (cpu, iommu) = (VirtualCpu::default(), Iommu::default());
        let domain = ThisThread.within(|| self.make(cpu.clone(), iommu.clone())).unwrap();
        let (exact, roomy) = (self.exact, self.roomy);
        Tested { domain: Some(domain), cpu, iommu, live: Live::new(), now: 0, exact, roomy }
    }
}

impl Program {
    fn make(
        &self,
        cpu: VirtualCpu,
        iommu: Iommu,
    ) -> Result<Domain<spin::Mutex<()>, VirtualCpu, Iommu>, iova::cache::OutOfMemory> {
        let space = Space::new(Granule::FOUR_KIB, 0..self.pages * PAGE).unwrap();
        Domain::with_flush_queue(space, cpu, iommu, self.config)
    }
}

fn iovas(page: u64, count: u64) -> std::ops::Range<u64> {
    page * PAGE..(page + count) * PAGE
}

impl Tested {
    fn domain(&self) -> &Domain<spin::Mutex<()>, VirtualCpu, Iommu> {
        self.domain.as_ref().unwrap()
    }

    /// Calls the domain, with its memory watched.
    fn call<T>(&self, call: impl FnOnce(&Domain<spin::Mutex<()>, VirtualCpu, Iommu>) -> T) -> T {
        ThisThread.within(|| call(self.domain()))
    }

    fn allocate(&mut self, slots: impl Iterator<Item = usize>, granules: u64) -> Outcome {
        let before = self.live.len();
        for slot in slots {
            if self.live.contains_key(&slot) {
                continue;
            }
            let request = Request::new(granules);
            match self.call(|domain| domain.allocate(&request)) {
                Ok(range) => {
                    self.live.insert(slot, (granules, range));
                }
                Err(AllocateError::OutOfNodeMemory(_)) if self.live.len() == before => {
                    return Outcome::NoMemory;
                }
                Err(AllocateError::OutOfNodeMemory(_)) => return Outcome::Partly,
                Err(AllocateError::OutOfAddressSpace(_)) if !self.roomy => return Outcome::Done,
                Err(error) => panic!("{error}"),
            }
        }
        Outcome::Done
    }

    fn free(&mut self, slot: usize, attach: bool) {
        let Some((_, range)) = self.live.remove(&slot) else { return };
        if attach {
            self.iommu.0.set(self.iommu.0.get() + 1);
            self.call(|domain| domain.free_with(range, NonZeroUsize::MIN)).unwrap();
        } else {
            self.call(|domain| domain.free(range)).unwrap();
        }
        if self.exact {
            self.call(|domain| domain.free(range)).unwrap_err();
        }
    }

    fn placed<T>(result: Result<T, PlaceError>) -> Option<Result<T, Outcome>> {
        match result {
            Ok(value) => Some(Ok(value)),
            Err(PlaceError::OutOfNodeMemory(_)) => Some(Err(Outcome::NoMemory)),
            Err(_) => None,
        }
    }
}

impl sweep::Subject for Tested {
    type Step = Step;
    type State = State;
    type Result = Outcomes;

    fn apply(&mut self, step: &Step) -> Outcome {
        let outcome = |placed| match placed {
            Some(Err(outcome)) => outcome,
            _ => Outcome::Done,
        };
        match *step {
            Step::Allocate { cpu, first, count, granules } => {
                self.cpu.0.set(cpu);
                return self.allocate((first..SLOTS).take(count), granules);
            }
            Step::AllocateAt { slot, page, count } => {
                if self.live.contains_key(&slot) {
                    return Outcome::Done;
                }
                let placed = Self::placed(
                    self.call(|domain| domain.allocate_at(iovas(page, count), AllocMode::Normal)),
                );
                if let Some(Ok(range)) = placed {
                    self.live.insert(slot, (count, range));
                }
                return outcome(placed.map(|placed| placed.map(drop)));
            }
            Step::Free { cpu, first, count, attach } => {
                self.cpu.0.set(cpu);
                (first..SLOTS).take(count).for_each(|slot| self.free(slot, attach));
            }
            Step::Reserve { page, count } => {
                return outcome(
                    Self::placed(self.call(|domain| domain.reserve(iovas(page, count), AllocMode::Normal)))
                        .map(|placed| placed.map(drop)),
                );
            }
            Step::Unreserve { page, count } => {
                return outcome(
                    Self::placed(self.call(|domain| domain.unreserve(iovas(page, count), AllocMode::Normal)))
                        .map(|placed| placed.map(drop)),
                );
            }
            Step::Poll { cpu, nanoseconds } => {
                self.cpu.0.set(cpu);
                self.now += nanoseconds;
                self.call(|domain| domain.poll(self.now));
            }
            Step::Flush { cpu } => {
                self.cpu.0.set(cpu);
                self.call(Domain::flush);
            }
        }
        Outcome::Done
    }

    fn state(&self) -> State {
        let mut queued = Vec::new();
        self.domain().queue().unwrap().for_each_queued(|range| queued.push(range));
        if !self.roomy {
            queued.clear();
        }
        State(self.live.clone(), queued, self.domain().space().lock().reserved_regions().collect())
    }

    fn result(&self) -> Option<Outcomes> {
        let asked = self.live.iter().map(|(slot, (granules, _))| (*slot, *granules)).collect();
        let ranges = self.live.values().map(|(_, range)| *range);
        let placed = ranges.filter(|range| range.last() < PLACES * PAGE).collect();
        self.roomy.then(|| (asked, placed, self.domain().space().lock().reserved_regions().collect()))
    }

    fn validate(&self) {
        self.domain().validate().unwrap();
        let mut ranges: Vec<_> = self.live.values().map(|(_, range)| (range.first(), range.last())).collect();
        ranges.sort_unstable();
        assert!(ranges.is_sorted_by(|below, above| below.1 < above.0), "a range is live twice");
        if self.exact {
            let mut live = Vec::new();
            self.domain().for_each(|range, state| {
                if state == RangeState::Live {
                    live.push((range.first(), range.last()));
                }
            });
            live.sort_unstable();
            assert_eq!(live, ranges, "what was handed out is not what is live");
        }
        assert_eq!(self.domain().statistics().live_ranges(), self.live.len() as u64);
    }

    fn drain(&mut self) {
        for slot in 0..SLOTS {
            self.free(slot, false);
        }
        self.call(Domain::flush);
        assert_eq!(self.iommu.0.get(), 0, "something was not released");
        self.call(|domain| domain.unreserve(.., AllocMode::Normal)).unwrap();
        assert_eq!(self.domain().space().statistics().nodes, 0, "something is left in the tree");
    }
}

/// What the domain has is given back where it is counted.
impl Drop for Tested {
    fn drop(&mut self) {
        ThisThread.within(|| drop(self.domain.take()));
    }
}

#[test]
fn domain() {
    every_failure(Program::of);
}

/// A domain is made with all that it needs, or not at all.
#[test]
fn a_domain_is_made_or_not() {
    let program = Program::of(1);
    for n in 1.. {
        ThisThread.start(Plan::Never);
        let (cpu, iommu) = (VirtualCpu::default(), Iommu::default());
        ThisThread.set_plan(Plan::Nth(n));
        // What is shared with the test stays there.
        let made = ThisThread.within(|| program.make(cpu.clone(), iommu.clone()).map(drop));
        let failed = ThisThread.counts().failed;
        assert_eq!((made.is_err(), ThisThread.counts().live), (failed > 0, 0), "allocation {n}");
        if failed == 0 {
            assert!(n > 3, "it takes caches, a queue and a ledger");
            break;
        }
    }
}
