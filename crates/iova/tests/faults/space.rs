//! Programs on a space.

use fastrand::Rng;
use iova::{AllocMode, AllocateError, Granule, IovaRange, PlaceError, Request, Space};
use maple_faults::sweep::{Case, Outcome, Subject};
use maple_faults::{FaultyAlloc, Plan};

use crate::{PAGE, command, every_failure};

const PAGES: u64 = 256;

/// One call. Pages are numbers of pages of the aperture.
#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate {
        granules: u64,
        align: u64,
    },
    /// In two steps, of which the second may be left out.
    Prepare {
        granules: u64,
        commit: bool,
    },
    AllocateAt {
        first: u64,
        count: u64,
    },
    /// What covers this page, if it is allocated.
    Free {
        page: u64,
    },
    Reserve {
        first: u64,
        count: u64,
    },
    Unreserve {
        first: u64,
        count: u64,
    },
}

impl Step {
    fn any(rng: &mut Rng) -> Self {
        let (first, count) = (rng.u64(0..PAGES), rng.u64(1..=20));
        match rng.u8(0..16) {
            0..=3 => Self::Allocate { granules: rng.u64(1..=9), align: 1 << rng.u32(0..4) },
            4..=5 => Self::Prepare { granules: rng.u64(1..=4), commit: rng.u8(0..4) > 0 },
            6..=8 => Self::AllocateAt { first, count: 1 + count % 3 },
            9..=12 => Self::Free { page: first },
            13 => Self::Reserve { first, count },
            _ => Self::Unreserve { first, count },
        }
    }
}

struct Program {
    name: String,
    seed: u64,
    steps: Vec<Step>,
}

impl Program {
    fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let steps = (0..200).map(|_| Step::any(&mut rng)).collect();
        Self { name: format!("space {seed}"), seed, steps }
    }
}

/// What is allocated, what is reserved.
type Ranges = (Vec<IovaRange>, Vec<IovaRange>);

struct Tested<'a>(Space<&'a FaultyAlloc>);

impl Case for Program {
    type Memory = FaultyAlloc;
    type Step = Step;
    type State = Ranges;
    type Result = Ranges;
    type Subject<'a> = Tested<'a>;

    const TOLERATES: bool = false;

    fn name(&self) -> &str {
        &self.name
    }

    fn command(&self) -> String {
        command(self.seed, "space")
    }

    fn program(&self) -> &[Step] {
        &self.steps
    }

    fn frees(step: &Step) -> bool {
        matches!(step, Step::Free { .. })
    }

    fn memory(&self) -> FaultyAlloc {
        FaultyAlloc::new(Plan::Never)
    }

    fn subject<'a>(&self, memory: &'a FaultyAlloc) -> Tested<'a> {
        Tested(Space::new_in(Granule::FOUR_KIB, 0..PAGES * PAGE, memory).unwrap())
    }
}

fn iovas(first: u64, count: u64) -> std::ops::Range<u64> {
    first * PAGE..(first + count) * PAGE
}

fn placed<T>(result: Result<T, PlaceError>) -> Outcome {
    match result {
        Err(PlaceError::OutOfNodeMemory(_)) => Outcome::NoMemory,
        _ => Outcome::Done,
    }
}

fn allocated<T>(result: Result<T, AllocateError>) -> Outcome {
    match result {
        Err(AllocateError::OutOfNodeMemory(_)) => Outcome::NoMemory,
        _ => Outcome::Done,
    }
}

impl Subject for Tested<'_> {
    type Step = Step;
    type State = Ranges;
    type Result = Ranges;

    fn apply(&mut self, step: &Step) -> Outcome {
        let Self(space) = self;
        match *step {
            Step::Allocate { granules, align } => {
                allocated(space.allocate(&Request::new(granules).align(align).mode(AllocMode::Atomic)))
            }
            Step::Prepare { granules, commit } => {
                let memory = *space.allocator();
                allocated(space.prepare(&Request::new(granules)).map(|prepared| {
                    let calls = memory.counts().calls;
                    if commit {
                        prepared.commit();
                    } else {
                        drop(prepared);
                    }
                    assert_eq!(memory.counts().calls, calls, "what was prepared asked for memory");
                }))
            }
            Step::AllocateAt { first, count } => {
                placed(space.allocate_at(iovas(first, count), AllocMode::Normal))
            }
            Step::Free { page } => {
                if let Some((range, iova::RangeKind::Allocated)) = space.find(page * PAGE) {
                    assert_eq!(space.free(range.first()), Ok(range));
                    space.free(range.first()).unwrap_err();
                }
                Outcome::Done
            }
            Step::Reserve { first, count } => placed(space.reserve(iovas(first, count), AllocMode::Normal)),
            Step::Unreserve { first, count } => {
                placed(space.unreserve(iovas(first, count), AllocMode::Normal))
            }
        }
    }

    fn state(&self) -> Ranges {
        (self.0.allocations().collect(), self.0.reserved_regions().collect())
    }

    fn result(&self) -> Option<Ranges> {
        Some(self.state())
    }

    fn validate(&self) {
        self.0.validate().unwrap();
        let (statistics, counts) = (self.0.statistics(), self.0.allocator().counts());
        assert_eq!((statistics.nodes as u64, statistics.node_bytes as u64), (counts.live, counts.live_bytes));
    }

    fn drain(&mut self) {
        let (allocated, _) = self.state();
        for range in allocated {
            self.0.free(range.first()).unwrap();
        }
        // Whole regions need no memory.
        self.0.unreserve(.., AllocMode::Normal).unwrap();
    }
}

#[test]
fn space() {
    every_failure(Program::of);
}
