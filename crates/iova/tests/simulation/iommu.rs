//! An IOMMU that takes its time, and remembers what it has not been told to forget.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroUsize;
use std::rc::Weak;

use iova::IovaRange;
use iova::flush::Invalidate;

use crate::world::World;

/// A range that was unmapped, and which unmapping that was.
type Stale = (IovaRange, u64);

/// What the device can still reach, by first iova.
#[derive(Default)]
pub(crate) struct Iotlb {
    stale: RefCell<BTreeMap<u64, Stale>>,
    unmapped: Cell<u64>,
    /// The number of the last unmapping, by first iova.
    last: RefCell<BTreeMap<u64, u64>>,
    /// Words that were attached to these and not released.
    attached: RefCell<HashSet<NonZeroUsize>>,
    next_word: Cell<usize>,
    /// Whether something was queued where nothing was.
    pub(crate) armed: Cell<bool>,
}

impl Iotlb {
    /// The range was unmapped and is about to be freed.
    pub(crate) fn unmap(&self, range: IovaRange) {
        self.unmapped.set(self.unmapped.get() + 1);
        assert_eq!(self.stale.borrow_mut().insert(range.first(), (range, self.unmapped.get())), None);
        self.last.borrow_mut().insert(range.first(), self.unmapped.get());
    }

    /// Which unmapping of this range was the last.
    pub(crate) fn last_unmapping(&self, range: IovaRange) -> Option<u64> {
        self.last.borrow().get(&range.first()).copied()
    }

    /// The range is being handed out.
    pub(crate) fn must_not_know(&self, range: IovaRange) {
        let stale = self.stale.borrow();
        let below = stale.range(..=range.last()).next_back();
        assert!(below.is_none_or(|(_, (old, _))| old.last() < range.first()), "{range} can still be reached");
    }

    /// Forgets one unmapping, but not a later one of the same range. Another flush may have been faster.
    fn forget(&self, (range, number): Stale) {
        let mut stale = self.stale.borrow_mut();
        if stale.get(&range.first()) == Some(&(range, number)) {
            stale.remove(&range.first());
        }
    }

    pub(crate) fn attachment(&self) -> NonZeroUsize {
        self.next_word.set(self.next_word.get() + 1);
        let word = NonZeroUsize::new(self.next_word.get()).unwrap();
        self.attached.borrow_mut().insert(word);
        word
    }

    pub(crate) fn attachments(&self) -> usize {
        self.attached.borrow().len()
    }
}

pub(crate) struct Iommu(pub(crate) Weak<World>);

impl Invalidate for Iommu {
    /// Forgets what was unmapped when this began. Meanwhile others go on.
    fn flush_all(&self) {
        let Some(world) = self.0.upgrade() else { return };
        let covered = world.iotlb.stale.borrow().clone();
        world.meanwhile();
        covered.into_values().for_each(|stale| world.iotlb.forget(stale));
    }

    fn flush_range(&self, range: IovaRange) {
        let Some(world) = self.0.upgrade() else { return };
        let covered = world.iotlb.stale.borrow().get(&range.first()).copied();
        world.meanwhile();
        // A flush of everything that found the ring full again has covered it already.
        covered.into_iter().for_each(|stale| world.iotlb.forget(stale));
    }

    fn arm(&self) {
        let Some(world) = self.0.upgrade() else { return };
        world.iotlb.armed.set(true);
    }

    fn release(&self, attachment: NonZeroUsize) {
        let Some(world) = self.0.upgrade() else { return };
        assert!(world.iotlb.attached.borrow_mut().remove(&attachment), "released twice");
    }
}
