//! Every allocation failure: a program is run once for each allocation that it makes, and that one fails.
//!
//! [`every_failure`] runs a program of a [`Case`] as it is, and then, for n = 1, 2, 3, ... up to the number of its allocations,
//! in three [trials](Trial). After a step that failed the state must be what it was; in the end the program must have come
//! to what it comes to when no allocation fails. Steps that free something may not ask for memory, whatever the plan, and
//! nothing may be left.
//!
//! A check that fails names the program, the trial, n and the step, and the command that runs just this one again:
//! `MAPLE_PROGRAM` chooses the program and `MAPLE_TRIAL` the trial and n.

use std::fmt::{self, Debug};
use std::io::{self, Write};
use std::{env, thread};

use crate::{Counts, FaultyAlloc, Plan, ThisThread};

/// Memory that fails as planned, with all else that a subject borrows.
pub trait Memory {
    /// Changes the plan; its count of calls begins anew.
    fn set_plan(&self, plan: Plan);

    /// What was asked for so far.
    fn counts(&self) -> Counts;

    /// Checks that nothing is left when the subject is gone.
    ///
    /// # Panics
    ///
    /// If something is.
    fn check_nothing_left(&self) {
        let Counts { live, live_bytes, .. } = self.counts();
        assert_eq!((live, live_bytes), (0, 0), "memory is left");
    }
}

impl Memory for FaultyAlloc {
    fn set_plan(&self, plan: Plan) {
        self.set_plan(plan);
    }

    fn counts(&self) -> Counts {
        self.counts()
    }
}

impl Memory for ThisThread {
    fn set_plan(&self, plan: Plan) {
        ThisThread::set_plan(*self, plan);
    }

    fn counts(&self) -> Counts {
        ThisThread::counts(*self)
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, or there was a reason other than memory not to do it.
    Done,
    /// There was no memory, and all is as before.
    NoMemory,
    /// There was no memory, and some of it was done, or done and undone. Applied again it does what is left.
    Partly,
}

/// What programs run on. A step that goes wrong in itself (another value comes back, say) panics.
pub trait Subject {
    /// One step of a program.
    type Step;
    /// All that a step that fails may not change.
    type State;
    /// What a program comes to.
    type Result;

    /// Does a step.
    fn apply(&mut self, step: &Self::Step) -> Outcome;

    /// What is there.
    fn state(&self) -> Self::State;

    /// What the program came to so far, if that does not depend on which allocations failed.
    fn result(&self) -> Option<Self::Result>;

    /// Checks all that can be checked.
    ///
    /// # Panics
    ///
    /// If anything is not right.
    fn validate(&self);

    /// Frees everything, so that the program can run again from the start.
    fn drain(&mut self);
}

/// A program, and how to make what it runs on.
pub trait Case {
    /// The memory, and what else a subject borrows.
    type Memory: Memory;
    /// One step of a program.
    type Step: Debug;
    /// All that a step that fails may not change.
    type State: PartialEq + Debug;
    /// What a program comes to.
    type Result: PartialEq + Debug;
    /// What the program runs on.
    type Subject<'a>: Subject<Step = Self::Step, State = Self::State, Result = Self::Result>;

    /// Whether an allocation may fail without a step that fails: where the subject can do without it.
    const TOLERATES: bool;

    /// A name that stays the same.
    fn name(&self) -> &str;

    /// The command that runs the programs; the variables that choose one are put in front of it.
    fn command(&self) -> String;

    /// The steps.
    fn program(&self) -> &[Self::Step];

    /// Whether a step may not ask for memory: it frees something.
    fn frees(step: &Self::Step) -> bool;

    /// New memory.
    fn memory(&self) -> Self::Memory;

    /// A new subject, which may ask for memory: the plan begins behind it.
    fn subject<'a>(&self, memory: &'a Self::Memory) -> Self::Subject<'a>;
}

/// Which allocations fail, and what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The nth. The step that fails is tried again at once.
    One,
    /// All from the nth on, until a step has failed twice. Then there is memory again.
    While,
    /// All from the nth on, to the end of the program. Then everything is freed, there is memory again, and the same subject
    /// runs the same program.
    All,
}

impl Trial {
    const ALL: [Self; 3] = [Self::One, Self::While, Self::All];

    fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::While => "while",
            Self::All => "all",
        }
    }

    fn plan(self, n: u64) -> Plan {
        match self {
            Self::One => Plan::Nth(n),
            Self::While | Self::All => Plan::After(n - 1),
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What there was to see. A sweep in which nothing failed says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Programs.
    pub programs: u64,
    /// Allocations that they make if none fails.
    pub allocations: u64,
    /// Runs of programs, from start to end.
    pub runs: u64,
    /// Steps that failed.
    pub failed: u64,
    /// Runs in which an allocation failed and no step did.
    pub tolerated: u64,
    /// Runs whose result was compared.
    pub compared: u64,
}

impl Report {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        let Self { programs, allocations, runs, failed, tolerated, compared } = other;
        self.programs += programs;
        self.allocations += allocations;
        self.runs += runs;
        self.failed += failed;
        self.tolerated += tolerated;
        self.compared += compared;
    }
}

/// Runs the program of a case with each of its allocations failing, in each trial.
///
/// # Panics
///
/// If anything is not as it should be.
pub fn every_failure<C: Case>(case: &C) -> Report {
    let mut report = Report::default();
    if env::var("MAPLE_PROGRAM").is_ok_and(|name| name != case.name()) {
        return report;
    }
    let clean = Clean::of(case);
    (report.programs, report.allocations) = (1, clean.allocations);
    let chosen = env::var("MAPLE_TRIAL").ok();
    for trial in Trial::ALL {
        for n in 1..=clean.allocations + 1 {
            if chosen.as_ref().is_none_or(|chosen| *chosen == format!("{trial}:{n}")) {
                clean.run(case, trial, n, &mut report);
            }
        }
    }
    report
}

/// A run in which nothing failed.
struct Clean<C: Case> {
    /// What was there before each step.
    states: Vec<C::State>,
    result: Option<C::Result>,
    allocations: u64,
}

impl<C: Case> Clean<C> {
    fn of(case: &C) -> Self {
        let memory = case.memory();
        let mut subject = case.subject(&memory);
        let mut place = Place::new(case, "none:0".to_owned());
        memory.set_plan(Plan::Never);
        let calls = memory.counts().calls;
        let mut states = Vec::with_capacity(case.program().len());
        for step in case.program() {
            place.next();
            states.push(subject.state());
            assert_eq!(apply::<C>(&mut subject, step, &memory), Outcome::Done);
            subject.validate();
        }
        let (result, allocations) = (subject.result(), memory.counts().calls - calls);
        finish(subject, &memory);
        Self { states, result, allocations }
    }

    fn run(&self, case: &C, trial: Trial, n: u64, report: &mut Report) {
        let memory = case.memory();
        let mut subject = case.subject(&memory);
        let mut place = Place::new(case, format!("{trial}:{n}"));
        let failed_before = memory.counts().failed;
        memory.set_plan(trial.plan(n));
        let mut failures = 0;
        for (number, step) in case.program().iter().enumerate() {
            place.next();
            // Up to the first failure everything is as in the run without one.
            let diverged = memory.counts().failed > failed_before;
            let mut before = diverged.then(|| subject.state());
            let mut outcome = apply::<C>(&mut subject, step, &memory);
            let mut attempts = 1;
            while outcome != Outcome::Done {
                failures += 1;
                subject.validate();
                let state = subject.state();
                if outcome == Outcome::NoMemory {
                    let before = before.as_ref().unwrap_or(&self.states[number]);
                    assert_eq!(&state, before, "what was not done changed something");
                }
                before = Some(state);
                match trial {
                    Trial::One => assert_eq!(attempts, 1, "it fails though there is memory"),
                    Trial::While if attempts == 1 => {}
                    Trial::While => {
                        assert_eq!(attempts, 2, "it fails though there is memory");
                        memory.set_plan(Plan::Never);
                    }
                    Trial::All => break,
                }
                let again = apply::<C>(&mut subject, step, &memory);
                attempts += 1;
                if (trial, attempts, outcome) == (Trial::While, 2, Outcome::NoMemory) {
                    assert_eq!(again, outcome, "without memory it fails once, and then does not");
                }
                outcome = again;
            }
            if attempts > 1 {
                subject.validate();
            }
        }
        place.end();
        subject.validate();

        let failed = memory.counts().failed - failed_before;
        assert_eq!(failed > 0, n <= self.allocations, "whether an allocation failed");
        assert!(C::TOLERATES || failed == 0 || failures > 0, "a failure was passed over");
        report.runs += 1;
        report.failed += failures;
        report.tolerated += u64::from(failed > 0 && failures == 0);
        if trial == Trial::All {
            let calls = memory.counts().calls;
            subject.drain();
            assert_eq!(memory.counts().calls, calls, "freeing everything asked for memory");
            subject.validate();
            memory.set_plan(Plan::Never);
            place.again();
            for step in case.program() {
                place.next();
                assert_eq!(apply::<C>(&mut subject, step, &memory), Outcome::Done);
            }
            place.end();
            subject.validate();
        }
        if let (Some(result), Some(clean)) = (subject.result(), &self.result) {
            assert_eq!(result, *clean, "the program came to something else");
            report.compared += 1;
        }
        finish(subject, &memory);
    }
}

/// Does a step, and checks what it asked for.
fn apply<C: Case>(subject: &mut C::Subject<'_>, step: &C::Step, memory: &C::Memory) -> Outcome {
    let before = memory.counts();
    let outcome = subject.apply(step);
    let now = memory.counts();
    if C::frees(step) {
        assert_eq!((now.calls, outcome), (before.calls, Outcome::Done), "what frees asked for memory");
    }
    assert!(outcome == Outcome::Done || now.failed > before.failed, "it failed though there was memory");
    outcome
}

/// Drops a subject, whatever it holds.
fn finish<S>(subject: S, memory: &impl Memory) {
    let calls = memory.counts().calls;
    drop(subject);
    assert_eq!(memory.counts().calls, calls, "dropping asked for memory");
    memory.check_nothing_left();
}

/// Where a run is. Says so when a check fails, and how to come back there.
struct Place<'c, C: Case> {
    case: &'c C,
    trial: String,
    /// The number of the step, from 1.
    step: usize,
    round: &'static str,
}

impl<'c, C: Case> Place<'c, C> {
    fn new(case: &'c C, trial: String) -> Self {
        Self { case, trial, step: 0, round: "" }
    }

    fn next(&mut self) {
        self.step += 1;
    }

    fn end(&mut self) {
        self.step = usize::MAX;
    }

    fn again(&mut self) {
        (self.step, self.round) = (0, ", again with memory");
    }
}

impl<C: Case> Drop for Place<'_, C> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let Self { case, trial, step, round } = self;
        let at = match step.checked_sub(1).and_then(|step| Some((step, case.program().get(step)?))) {
            Some((number, step)) => format!("step {number}, {step:x?}"),
            None => "outside of its steps".to_owned(),
        };
        // Past the test's captured output: what is broken may panic once more when it is dropped, which ends the process.
        let _ = writeln!(
            io::stderr(),
            "{}, {trial}{round}: {at}. To run it again:\n    MAPLE_PROGRAM='{}' MAPLE_TRIAL={trial} {}",
            case.name(),
            case.name(),
            case.command()
        );
    }
}
