//! A shared tree, what it held when, and node memory that shows who uses it too long.
#![expect(unsafe_code, reason = "an allocator")]

use std::alloc::Layout as MemoryLayout;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use maple_tree::reclaim::Epochs;
use maple_tree::shared::{ReadGuard, SharedMapleTree};
use maple_tree::{
    AllocError, AllocMode, Compaction, Global, IndexRange, Layout, NodeAlloc, SmallGaps, SmallNoGaps,
};

use crate::lock::Lock;

/// How many indices there are.
const INDICES: u64 = 48;
/// How many entries there are when threads begin: trees of three levels.
const ENTRIES: u64 = 24;

type Tree<L> = SharedMapleTree<Arc<usize>, Lock, Epochs, L, Quarantine>;
type Reader<'t, L> = ReadGuard<'t, Arc<usize>, Lock, Epochs, L, Quarantine>;

/// An entry, and the number of its value.
type Entry = (IndexRange, usize);

/// The global allocator, but nothing is used again: what is given back is zeros from then on, so that who is still in there
/// finds nothing.
#[derive(Debug, Default)]
pub(crate) struct Quarantine(Mutex<Vec<(NonNull<u8>, MemoryLayout)>>);

// SAFETY: the pointers are to memory that nobody uses.
unsafe impl Send for Quarantine {}
// SAFETY: as above.
unsafe impl Sync for Quarantine {}

// SAFETY: memory is the global allocator's.
unsafe impl NodeAlloc for Quarantine {
    fn allocate(&self, layout: MemoryLayout, mode: AllocMode) -> Result<NonNull<u8>, AllocError> {
        Global.allocate(layout, mode)
    }

    unsafe fn deallocate(&self, node: NonNull<u8>, layout: MemoryLayout) {
        // SAFETY: by contract it is memory of this layout.
        unsafe { node.write_bytes(0, layout.size()) };
        locked(&self.0).push((node, layout));
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        for (node, layout) in locked(&self.0).drain(..) {
            // SAFETY: it came from there, and the tree is gone.
            unsafe { Global.deallocate(node, layout) };
        }
    }
}

/// Nobody is taken off while there is this lock: it is not one of shuttle's.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What covers each index.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State(Vec<Option<Entry>>);

impl State {
    fn at(&self, index: u64) -> Option<Entry> {
        self.0[index as usize]
    }

    fn is_free(&self, range: IndexRange) -> bool {
        (range.first()..=range.last()).all(|index| self.at(index).is_none())
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<_> = self.0.iter().flatten().copied().collect();
        entries.dedup();
        entries
    }

    /// Makes a range hold something or nothing; what is cut by its ends keeps the rest.
    fn put(&mut self, range: IndexRange, number: Option<usize>) {
        for (entry, number) in self.entries().into_iter().filter(|(entry, _)| entry.overlaps(range)) {
            self.set(entry, None);
            let before = range.first().checked_sub(1).and_then(|last| IndexRange::new(entry.first(), last));
            let after = IndexRange::new(range.last() + 1, entry.last());
            for rest in [before, after].into_iter().flatten() {
                self.set(rest, Some(number));
            }
        }
        self.set(range, number);
    }

    fn set(&mut self, range: IndexRange, number: Option<usize>) {
        for index in range.first()..=range.last() {
            self.0[index as usize] = number.map(|number| (range, number));
        }
    }
}

/// All states, in the order of the writes.
#[derive(Debug)]
struct Log {
    /// The last one may be that of a write which is not complete yet.
    states: Vec<State>,
    /// How many writes are complete: readers that come now see at least what these did.
    complete: usize,
    /// All values there ever were.
    values: Vec<Arc<usize>>,
}

impl Log {
    fn value(&mut self) -> (usize, Arc<usize>) {
        let number = self.values.len();
        self.values.push(Arc::new(number));
        (number, Arc::clone(&self.values[number]))
    }
}

/// A tree with its history.
pub(crate) struct Stand<L: Layout> {
    tree: Tree<L>,
    log: Mutex<Log>,
}

impl<L: Layout> Stand<L> {
    pub(crate) fn new() -> Arc<Self> {
        let bounds = IndexRange::sized(0, INDICES).expect("not empty");
        let tree = Tree::bounded_in(bounds, Quarantine::default(), Epochs::new());
        let mut log =
            Log { states: vec![State(vec![None; INDICES as usize])], complete: 0, values: Vec::new() };
        for range in (0..ENTRIES).filter_map(|i| IndexRange::sized(i * INDICES / ENTRIES, 2 - i % 2)) {
            let (number, value) = log.value();
            assert!(tree.write().insert(range, value).is_ok());
            log.states[0].set(range, Some(number));
        }
        Arc::new(Self { tree, log: Mutex::new(log) })
    }

    /// One write. Readers may see it from its begin on, and must from its end.
    pub(crate) fn write(&self, rng: &mut Rng) {
        let first = rng.u64(..INDICES);
        let range = IndexRange::new(first, (first + rng.u64(..4)).min(INDICES - 1)).expect("in order");
        let mut writer = self.tree.write();
        let (mut next, number, value) = {
            let mut log = locked(&self.log);
            let (number, value) = log.value();
            (log.states.last().expect("one at least").clone(), number, value)
        };
        let kind = rng.u8(..32);
        let before = next.at(first);
        match kind {
            0..=7 if next.is_free(range) => next.put(range, Some(number)),
            8..=18 => before.into_iter().for_each(|(entry, _)| next.put(entry, None)),
            19..=23 => next.put(range, Some(number)),
            24..=27 => before.into_iter().for_each(|(entry, _)| next.put(entry, Some(number))),
            31 if rng.u8(..4) == 0 => next.0.fill(None),
            _ => {}
        }
        let clears = kind == 31 && next.0.iter().all(Option::is_none);
        locked(&self.log).states.push(next.clone());
        match kind {
            0..=7 => {
                assert_eq!(writer.insert(range, value).is_ok(), next.at(first).map(|at| at.1) == Some(number))
            }
            8..=18 => {
                let erased = writer.erase(first).map(|(range, value)| (range, *value));
                assert_eq!(erased, before);
            }
            19..=23 => assert!(writer.store(range, value).is_ok()),
            24..=27 => {
                let replaced = writer.replace(first, value).ok().flatten().copied();
                assert_eq!(replaced, before.map(|(_, number)| number));
            }
            28 => drop(writer.prepare_store(range, AllocMode::Normal).map(drop)),
            29 => drop(writer.compact_step(&mut Compaction::new(), rng.usize(..4))),
            30 => writer.collect(),
            _ if clears => writer.clear(),
            _ => {}
        }
        assert_eq!(writer.validate(), Ok(()));
        let entries: Vec<_> = writer.iter().map(|(range, value)| (range, *value)).collect();
        assert_eq!(entries, next.entries(), "the writer's own entries");
        let mut log = locked(&self.log);
        log.complete = log.states.len() - 1;
    }

    /// A reader that looks so often, and goes.
    pub(crate) fn read(&self, rng: &mut Rng, looks: usize) {
        let reader = self.tree.read();
        let (mut found, mut seen) = (Vec::new(), 0);
        for _ in 0..looks {
            if rng.u8(..4) > 0 {
                self.look_up(&reader, rng.u64(..INDICES), &mut seen, &mut found);
            } else {
                self.iterate(&reader, rng.bool(), &mut found);
            }
        }
        let log = locked(&self.log);
        let alive = |number: &usize| Arc::strong_count(&log.values[*number]) > 1;
        assert!(found.iter().all(alive), "a value was dropped under its reader");
    }

    /// A lookup finds what was there at a moment between its begin and its end, and not before what this reader saw.
    fn look_up(&self, reader: &Reader<'_, L>, index: u64, seen: &mut usize, found: &mut Vec<usize>) {
        let from = locked(&self.log).complete.max(*seen);
        let at = reader.get_entry(index).map(|(range, value)| (range, *value));
        let log = locked(&self.log);
        let states = &log.states[from..];
        let moment = states.iter().position(|state| state.at(index) == at);
        let moment =
            moment.unwrap_or_else(|| unreachable!("{at:?} was at {index} at no time, but {states:?}"));
        *seen = from + moment;
        found.extend(at.map(|(_, number)| number));
    }

    /// An iteration finds all that was there all the time, and nothing that was there at no time, in order.
    fn iterate(&self, reader: &Reader<'_, L>, back: bool, found: &mut Vec<usize>) {
        let from = locked(&self.log).complete;
        let entries = reader.iter();
        let plain = |(range, value): (IndexRange, &usize)| (range, *value);
        let mut entries: Vec<Entry> =
            if back { entries.rev().map(plain).collect() } else { entries.map(plain).collect() };
        if back {
            entries.reverse();
        }
        assert!(entries.windows(2).all(|pair| pair[0].0.last() < pair[1].0.first()), "{entries:?}");
        let log = locked(&self.log);
        let states = &log.states[from..];
        for entry in &entries {
            let there = |state: &State| state.at(entry.0.first()) == Some(*entry);
            assert!(states.iter().any(there), "{entry:?} was there at no time");
        }
        for entry in states[0].entries() {
            let always = states.iter().all(|state| state.at(entry.0.first()) == Some(entry));
            assert!(!always || entries.contains(&entry), "{entry:?} was there all the time");
        }
        found.extend(entries.into_iter().map(|(_, number)| number));
    }

    /// Waits for all readers.
    pub(crate) fn synchronize(&self) {
        self.tree.synchronize();
    }

    /// When all threads have gone: nothing waits, and what is not in the tree was dropped.
    pub(crate) fn end(&self) {
        self.tree.synchronize();
        let stats = self.tree.write().shared_stats();
        assert_eq!((stats.retired_leaves, stats.retired_branches, stats.retired_values), (0, 0, 0));
        let log = locked(&self.log);
        let entries = log.states.last().expect("one at least").entries();
        for value in &log.values {
            let parts = entries.iter().filter(|(_, number)| *number == **value).count();
            assert_eq!(Arc::strong_count(value), 1 + parts, "value {value}");
        }
    }
}

/// Both kinds of trees.
pub(crate) trait Tested: Layout {}

impl Tested for SmallGaps {}
impl Tested for SmallNoGaps {}
