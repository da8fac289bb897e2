//! A global allocator that fails as planned, for what comes from there: a `Vec` that is grown fallibly, a `Box`, nodes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};

use crate::{Counts, Plan, State};

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// The system's allocator. What a thread asks for [within](ThisThread::within) a region fails as planned, and counts.
///
/// Code that is not prepared for a failure ends the process: a region must contain nothing but what is tested.
///
/// ```
/// use maple_faults::{FaultyGlobal, Plan, ThisThread};
///
/// #[global_allocator]
/// static GLOBAL: FaultyGlobal = FaultyGlobal;
///
/// ThisThread.set_plan(Plan::After(0));
/// let mut values: Vec<u8> = Vec::new();
/// assert!(ThisThread.within(|| values.try_reserve(1)).is_err());
/// assert!(values.try_reserve(1).is_ok());
/// assert_eq!(ThisThread.counts().calls, 1);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FaultyGlobal;

/// The plan and the counts of this thread in a [`FaultyGlobal`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisThread;

impl ThisThread {
    /// Runs something whose allocations fail as planned, and count.
    pub fn within<R>(self, run: impl FnOnce() -> R) -> R {
        watched(true, run)
    }

    /// Runs something in a region whose allocations do not count, nor fail: what the tested code calls of the test.
    pub fn outside<R>(self, run: impl FnOnce() -> R) -> R {
        watched(false, run)
    }

    /// Changes the plan; its count of calls begins anew.
    pub fn set_plan(self, plan: Plan) {
        with_state(|state| state.set_plan(plan));
    }

    /// What was asked for within regions so far. What was allocated in one is to be given back in one.
    pub fn counts(self) -> Counts {
        with_state(|state| state.counts)
    }

    /// Begins to count anew, with a plan.
    pub fn start(self, plan: Plan) {
        with_state(|state| *state = State::new(plan));
    }
}

fn with_state<R>(run: impl FnOnce(&mut State) -> R) -> R {
    // Nothing in here asks for memory, so nobody has borrowed it.
    STATE.with_borrow_mut(|state| run(state.get_or_insert_with(|| State::new(Plan::Never))))
}

fn watched<R>(watched: bool, run: impl FnOnce() -> R) -> R {
    /// Puts back what was, also if there is a panic.
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            WATCHED.set(self.0);
        }
    }

    let _before = Before(WATCHED.replace(watched));
    run()
}

/// Whether this thread is in a region. A panic is on its way out of one: its message needs memory.
fn is_watched() -> bool {
    WATCHED.get() && !std::thread::panicking()
}

// SAFETY: memory comes from the system's allocator; what is counted is a thread's own, and does not unwind.
unsafe impl GlobalAlloc for FaultyGlobal {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        let below = || unsafe { System.alloc(layout) };
        if !is_watched() {
            return below();
        }
        let memory =
            with_state(|state| state.allocate(layout, || Some(below()).filter(|memory| !memory.is_null())));
        memory.unwrap_or(std::ptr::null_mut())
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if is_watched() {
            with_state(|state| state.deallocate(layout));
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}
