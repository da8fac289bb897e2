//! Values that are recognised by a number, and counted while they are alive.

use std::cell::Cell;
use std::rc::Rc;

/// How many values are alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live(Rc<Cell<usize>>);

impl Live {
    pub(crate) fn count(&self) -> usize {
        self.0.get()
    }
}

/// A number whose drop is counted: one that is lost stays alive, one that is dropped twice leaves too few.
#[derive(Debug)]
pub(crate) struct Counted {
    number: u64,
    live: Live,
}

impl Counted {
    pub(crate) fn new(number: u64, live: &Live) -> Self {
        live.0.set(live.count() + 1);
        Self { number, live: live.clone() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
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
        self.live.0.set(self.live.count() - 1);
    }
}
