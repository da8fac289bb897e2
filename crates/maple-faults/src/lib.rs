//! Memory that fails on purpose, for tests and for replays under memory pressure.
//!
//! - [`FaultyAlloc`] sits in front of another allocator of nodes, decides by a [`Plan`] which calls fail, and counts
//!   everything, so that a test can say: this operation made no call at all.
//! - [`FaultyGlobal`] does the same with all that a thread asks the global allocator for.
//! - [`sweep`] runs a program once for each allocation that it makes, which then fails.
//!
//! ```
//! use maple_faults::{FaultyAlloc, Plan};
//! use maple_tree::MapleTree;
//!
//! let alloc = FaultyAlloc::new(Plan::After(0));
//! let mut tree: MapleTree<(), maple_tree::Gaps, _> = MapleTree::new_in(&alloc);
//! assert!(tree.insert(0..10, ()).is_err());
//! alloc.set_plan(Plan::Never);
//! tree.insert(0..10, ())?;
//! assert_eq!((alloc.counts().calls, alloc.counts().failed), (2, 1));
//! # Ok::<(), maple_tree::InsertError<()>>(())
//! ```
#![expect(unsafe_code, reason = "implements the traits of allocators")]

mod global;
pub mod sweep;

use std::alloc::Layout;
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use maple_tree::{AllocError, AllocMode, Global, NodeAlloc};

pub use global::{FaultyGlobal, ThisThread};

/// Which calls fail.
#[derive(Clone, Debug, Default)]
pub enum Plan {
    /// None.
    #[default]
    Never,
    /// All after the first so many.
    After(u64),
    /// The one with this number, counted from 1 when the plan is set.
    Nth(u64),
    /// Every so many; 1 is each.
    Every(u64),
    /// Each with this probability, 0.0 to 1.0, as the seed decides.
    Random {
        /// How probable a failure is.
        probability: f64,
        /// What the sequence of failures follows from.
        seed: u64,
    },
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("none fails"),
            Self::After(calls) => write!(f, "all fail from number {} on", calls.saturating_add(1)),
            Self::Nth(call) => write!(f, "number {call} fails"),
            Self::Every(calls) => write!(f, "every {calls}th fails"),
            Self::Random { probability, seed } => {
                write!(f, "each fails with probability {probability} (seed {seed})")
            }
        }
    }
}

/// What an allocator was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls to allocate, successful or not.
    pub calls: u64,
    /// Those that failed, by plan or because the allocator below failed.
    pub failed: u64,
    /// Allocations that were not yet given back.
    pub live: u64,
    /// Their bytes.
    pub live_bytes: u64,
    /// The most bytes there were at a time.
    pub peak_bytes: u64,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    calls_of_plan: u64,
    random: fastrand::Rng,
    counts: Counts,
}

impl State {
    fn new(plan: Plan) -> Self {
        let random = random(&plan);
        Self { plan, calls_of_plan: 0, random, counts: Counts::default() }
    }

    fn set_plan(&mut self, plan: Plan) {
        *self = Self { counts: self.counts, ..Self::new(plan) };
    }

    /// Counts a call, which `below` answers unless it is to fail.
    fn allocate<T>(&mut self, layout: Layout, below: impl FnOnce() -> Option<T>) -> Option<T> {
        self.counts.calls += 1;
        let memory = if self.fails() { None } else { below() };
        let counts = &mut self.counts;
        if memory.is_some() {
            counts.live = counts.live.wrapping_add(1);
            counts.live_bytes = counts.live_bytes.wrapping_add(layout.size() as u64);
            counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
        } else {
            counts.failed += 1;
        }
        memory
    }

    /// Counts what is given back. More than was allocated wraps around, which no test takes for nothing.
    fn deallocate(&mut self, layout: Layout) {
        self.counts.live = self.counts.live.wrapping_sub(1);
        self.counts.live_bytes = self.counts.live_bytes.wrapping_sub(layout.size() as u64);
    }

    fn fails(&mut self) -> bool {
        self.calls_of_plan += 1;
        match self.plan {
            Plan::Never => false,
            Plan::After(calls) => self.calls_of_plan > calls,
            Plan::Nth(call) => self.calls_of_plan == call,
            Plan::Every(calls) => self.calls_of_plan % calls.max(1) == 0,
            Plan::Random { probability, .. } => self.random.f64() < probability,
        }
    }
}

/// A node allocator that fails as planned and counts. Share it by reference.
#[derive(Debug)]
pub struct FaultyAlloc<A = Global> {
    below: A,
    state: Mutex<State>,
}

impl FaultyAlloc {
    /// In front of the global allocator.
    pub fn new(plan: Plan) -> Self {
        Self::over(Global, plan)
    }
}

impl<A> FaultyAlloc<A> {
    /// In front of another allocator.
    pub fn over(below: A, plan: Plan) -> Self {
        Self { below, state: Mutex::new(State::new(plan)) }
    }

    /// Changes the plan; its count of calls begins anew.
    pub fn set_plan(&self, plan: Plan) {
        self.state().set_plan(plan);
    }

    /// What was asked for so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The counts are right even if somebody else panicked: no code in here panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random(plan: &Plan) -> fastrand::Rng {
    match plan {
        Plan::Random { seed, .. } => fastrand::Rng::with_seed(*seed),
        _ => fastrand::Rng::with_seed(0),
    }
}

// SAFETY: memory comes from `below`, which keeps the promises; the lock does not unwind.
unsafe impl<A: NodeAlloc> NodeAlloc for FaultyAlloc<A> {
    fn allocate(&self, layout: Layout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        self.state().allocate(layout, || self.below.allocate(layout, mode).ok()).ok_or(AllocError)
    }

    unsafe fn deallocate(&self, node: NonNull<u8>, layout: Layout) {
        self.state().deallocate(layout);
        // SAFETY: the caller's promise, passed on: `node` came from `below`.
        unsafe { self.below.deallocate(node, layout) };
    }
}
