//! Values that are recognised by a number, and known while they are alive.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

/// Which values are alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live(Rc<Made>);

#[derive(Debug, Default)]
struct Made {
    alive: RefCell<HashSet<u64>>,
    made: Cell<u64>,
}

impl Live {
    pub(crate) fn count(&self) -> usize {
        self.0.alive.borrow().len()
    }

    /// Whether a value was not dropped yet: asked by what it is known by, so that one that is gone is not looked at.
    pub(crate) fn has(&self, identity: u64) -> bool {
        self.0.alive.borrow().contains(&identity)
    }

    fn make(&self) -> u64 {
        self.0.made.set(self.0.made.get() + 1);
        self.0.alive.borrow_mut().insert(self.0.made.get());
        self.0.made.get()
    }
}

/// A number whose drop is noted: one that is lost stays alive, one that is dropped twice is found at once.
#[derive(Debug)]
pub(crate) struct Counted {
    number: u64,
    identity: u64,
    live: Live,
}

impl Counted {
    pub(crate) fn new(number: u64, live: &Live) -> Self {
        Self { number, identity: live.make(), live: live.clone() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What no other value has.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    pub(crate) fn set_number(&mut self, number: u64) {
        self.number = number;
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(self.number, &self.live)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        assert!(self.live.0.alive.borrow_mut().remove(&self.identity), "dropped twice");
    }
}
