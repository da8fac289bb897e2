//! An IOMMU that remembers what it was not told to forget, and the CPU whose turn it is.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::rc::Rc;

use iova::IovaRange;
use iova::cpu::{Cpu, CurrentCpu};
use iova::flush::Invalidate;

use super::model::granules;

#[derive(Clone, Debug, Default)]
pub(super) struct Iommu(Rc<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// The granules that were unmapped and that a device can still reach.
    stale: RefCell<HashSet<usize>>,
    /// Words that were attached to these, and not released.
    attached: RefCell<HashSet<NonZeroUsize>>,
    next_word: Cell<usize>,
}

impl Iommu {
    /// A range was unmapped and is about to be freed.
    pub(super) fn unmap(&self, range: IovaRange) {
        self.0.stale.borrow_mut().extend(granules(range));
    }

    /// It is live after all.
    pub(super) fn map(&self, range: IovaRange) {
        let mut stale = self.0.stale.borrow_mut();
        stale.retain(|granule| !granules(range).contains(granule));
    }

    /// A range is handed out.
    pub(super) fn must_not_know(&self, range: IovaRange) {
        let stale = self.0.stale.borrow();
        assert!(granules(range).all(|granule| !stale.contains(&granule)), "{range} can still be reached");
    }

    pub(super) fn attachment(&self) -> NonZeroUsize {
        self.0.next_word.set(self.0.next_word.get() + 1);
        let word = NonZeroUsize::new(self.0.next_word.get()).expect("more than nothing");
        self.0.attached.borrow_mut().insert(word);
        word
    }

    pub(super) fn attachments(&self) -> usize {
        self.0.attached.borrow().len()
    }
}

impl Invalidate for Iommu {
    fn flush_all(&self) {
        self.0.stale.borrow_mut().clear();
    }

    fn flush_range(&self, range: IovaRange) {
        self.map(range);
    }

    fn release(&self, attachment: NonZeroUsize) {
        assert!(self.0.attached.borrow_mut().remove(&attachment), "released twice");
    }
}

/// The CPU whose turn it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn(pub(super) Rc<Cell<usize>>);

impl CurrentCpu for Turn {
    fn current(&self) -> Cpu {
        Cpu::new(self.0.get())
    }
}
