//! What storing and clearing promise at their edges: when they need no memory, what becomes of a panic, and of a
//! prepared write that nobody uses.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::{AllocMode, Entry, IndexRange, InsertErrorKind, MapleTree, SmallGaps, Word};

fn range(first: u64, last: u64) -> IndexRange {
    IndexRange::new(first, last).expect("not empty")
}

/// A value whose drops can be counted: `Rc::strong_count` of the first one, less 1, is how many are alive.
struct Counted(Rc<u8>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

type Tree<'a> = MapleTree<Box<Counted>, SmallGaps, &'a FaultyAlloc>;

/// A leaf without room: an entry of 51 indices in each 100, from 100 on, and what is free between.
fn full_leaf(alloc: &FaultyAlloc) -> MapleTree<(), maple_tree::Gaps, &FaultyAlloc> {
    let mut tree = MapleTree::bounded_in(range(100, 899), alloc);
    for i in 1..=8 {
        tree.insert(i * 100..=i * 100 + 50, ()).expect("free, and there is memory");
    }
    let slots = tree.slots().leaves;
    assert_eq!((tree.stats().height, slots.live, slots.unused), (1, 8, 0));
    tree
}

/// A gap that becomes larger, at the cost of an entry beside it, takes no slot, and so no memory.
#[test]
fn cutting_beside_a_gap_needs_no_memory() {
    for (cut, left) in [
        (range(140, 150), range(100, 139)),
        (range(140, 170), range(100, 139)),
        (range(140, 199), range(100, 139)),
        (range(200, 220), range(221, 250)),
        (range(170, 220), range(221, 250)),
        (range(140, 220), range(100, 139)),
        (range(840, 899), range(800, 839)),
    ] {
        let alloc = FaultyAlloc::new(Plan::Never);
        let mut tree = full_leaf(&alloc);
        alloc.set_plan(Plan::After(0));
        assert_eq!(tree.clear_range(cut), Ok(()), "{cut}");
        assert_eq!(tree.get_entry(left.first()).map(|(range, ())| range), Some(left), "{cut}");
        assert_eq!(tree.gaps_within(cut).next(), Some(cut));
        assert_eq!(tree.validate(), Ok(()));
        assert_eq!(alloc.counts().calls, 1, "{cut} asked for memory");
    }
    // Storing over a tail and all of the gap behind it takes the gap's slot.
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut tree = full_leaf(&alloc);
    alloc.set_plan(Plan::After(0));
    assert_eq!(tree.store(140..=199, ()), Ok(()));
    assert_eq!(tree.get_entry(140).map(|(range, ())| range), Some(range(140, 199)));
    // In the middle of an entry there is no way around two more slots.
    assert!(tree.clear_range(310..=320).is_err());
    assert_eq!(tree.get_entry(310).map(|(at, ())| at), Some(range(300, 350)));
}

/// A tree of `n` adjacent entries of 10 indices, all of them with the same value.
fn row<'a>(n: u64, value: &Counted, alloc: &'a FaultyAlloc) -> Tree<'a> {
    let mut tree = Tree::new_in(alloc);
    for i in 0..n {
        let inserted = tree.insert(range(i * 10, i * 10 + 9), Box::new(value.clone()));
        inserted.expect("free, and there is memory");
    }
    tree
}

/// A receiver of displaced entries that always panics is called once. The write is completed, nothing is lost.
#[test]
fn a_receiver_that_panics_is_not_called_again() {
    type Write = fn(&mut Tree<'_>, Box<Counted>, &mut dyn FnMut());
    let writes: [(Write, usize); 4] = [
        (
            |tree, value, panics| {
                let _ = tree.store_with(5..45, value, AllocMode::Normal, |_, _| panics());
            },
            1,
        ),
        (
            |tree, _, panics| {
                let _ = tree.clear_range_with(5..45, AllocMode::Normal, |_, _| panics());
            },
            0,
        ),
        (
            |tree, _, panics| {
                let _ = tree.clear_range_with(10..40, AllocMode::Normal, |_, _| panics());
            },
            0,
        ),
        (
            |tree, value, panics| {
                if let Ok(prepared) = tree.prepare_store(5..45, AllocMode::Normal) {
                    prepared.store_each(value, |_, _| panics());
                }
            },
            1,
        ),
    ];
    for (write, new) in writes {
        let (alloc, value) = (FaultyAlloc::new(Plan::Never), Counted(Rc::new(0)));
        let mut tree = row(6, &value, &alloc);
        let mut calls = 0;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            write(&mut tree, Box::new(value.clone()), &mut || {
                calls += 1;
                resume_unwind(Box::new(()));
            });
        }));
        assert!(panicked.is_err() && calls == 1);
        assert_eq!(tree.validate(), Ok(()));
        assert_eq!(tree.len(), 3 + new);
        assert_eq!(tree.get(20).is_some(), new == 1);
        assert_eq!(Rc::strong_count(&value.0), 1 + tree.len(), "values are lost, or there twice");
        drop(tree);
        assert_eq!((Rc::strong_count(&value.0), alloc.counts().live), (1, 0));
    }
}

/// A prepared write that is forgotten takes its nodes along. The tree counts right, and goes on.
#[test]
#[cfg_attr(miri, ignore = "it leaks on purpose")]
fn a_prepared_write_that_is_forgotten() {
    let (alloc, value) = (FaultyAlloc::new(Plan::Never), Counted(Rc::new(0)));
    let mut tree = Tree::new_in(&alloc);
    mem::forget(tree.prepare_insert(0..5, AllocMode::Normal));
    assert_eq!((tree.stats().node_bytes, tree.validate()), (0, Ok(())));
    let mut tree = row(40, &value, &alloc);
    let before = tree.stats();
    mem::forget(tree.prepare_store(203..=206, AllocMode::Normal));
    assert_eq!((tree.stats(), tree.validate()), (before, Ok(())));
    assert_eq!(tree.store(203..=206, Box::new(value.clone())).map_err(|error| error.kind), Ok(()));
    assert_eq!(tree.validate(), Ok(()));
    // A clone that was made for the forgotten one is lost with it.
    drop(tree);
    assert_eq!(Rc::strong_count(&value.0), 2);
}

/// One that is dropped gives its nodes and its clone back.
#[test]
fn a_prepared_write_that_is_dropped() {
    let (alloc, value) = (FaultyAlloc::new(Plan::Never), Counted(Rc::new(0)));
    let mut tree = row(40, &value, &alloc);
    let (before, live) = (tree.stats(), alloc.counts().live);
    drop(tree.prepare_store(203..=206, AllocMode::Normal));
    assert_eq!((tree.stats(), alloc.counts().live), (before, live));
    assert_eq!(Rc::strong_count(&value.0), 41);
}

/// A value that cannot be cloned twice.
struct Fragile(Box<u8>);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        resume_unwind(Box::new(()))
    }
}

// SAFETY: the same as for a box, which this is.
#[expect(unsafe_code, reason = "implements an unsafe trait")]
unsafe impl Entry for Fragile {
    type Borrowed<'a> = &'a u8;
    type BorrowedMut<'a> = &'a mut u8;

    fn into_word(self) -> Word {
        self.0.into_word()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: the caller's promise, passed on.
        Self(unsafe { Box::from_word(word) })
    }

    unsafe fn borrow<'a>(word: Word) -> &'a u8 {
        // SAFETY: the caller's promise, passed on.
        unsafe { <Box<u8> as Entry>::borrow(word) }
    }

    unsafe fn borrow_mut<'a>(word: Word) -> &'a mut u8 {
        // SAFETY: the caller's promise, passed on.
        unsafe { <Box<u8> as Entry>::borrow_mut(word) }
    }
}

/// The clone is made before anything is changed. Should that panic, nothing has happened.
#[test]
fn a_clone_that_panics() {
    let alloc = FaultyAlloc::new(Plan::Never);
    let mut tree: MapleTree<Fragile, SmallGaps, _> = MapleTree::new_in(&alloc);
    tree.insert(0..100, Fragile(Box::new(7))).map_err(|error| error.kind).expect("free");
    let (before, live) = (tree.dump().to_string(), alloc.counts().live);
    for write in [
        |tree: &mut MapleTree<Fragile, SmallGaps, _>| drop(tree.store(40..60, Fragile(Box::new(8)))),
        |tree: &mut MapleTree<Fragile, SmallGaps, _>| assert_eq!(tree.clear_range(40..60), Ok(())),
    ] {
        assert!(catch_unwind(AssertUnwindSafe(|| write(&mut tree))).is_err());
        assert_eq!((tree.dump().to_string(), alloc.counts().live), (before.clone(), live));
        assert_eq!(tree.get(50), Some(&7));
    }
    // Where one part is left no clone is needed.
    assert_eq!(tree.clear_range(60..), Ok(()));
    assert_eq!(tree.get_entry(0).map(|(at, _)| at), Some(range(0, 59)));
}

/// Who splits an entry gets the range of the right part, once, and only if there are two parts. Without a second value
/// nothing happens, and neither does it without memory.
#[test]
fn values_are_split_by_the_caller() {
    let alloc = FaultyAlloc::new(Plan::Never);
    // No `Clone` is asked for.
    struct Offset(u64);
    fn unasked<T>(_: IndexRange, _: &T) -> Option<T> {
        unreachable!("nothing to split")
    }
    let mut tree: MapleTree<Box<Offset>, SmallGaps, _> = MapleTree::new_in(&alloc);
    tree.insert(100..200, Box::new(Offset(0))).map_err(|error| error.kind).expect("free");
    tree.reserve(200..300).expect("free");

    let before = (tree.dump().to_string(), alloc.counts().live);
    let entry = range(100, 199);
    let refused = tree.prepare_store_split(140..160, AllocMode::Normal, |_, _| None).map(drop);
    assert_eq!(refused, Err(InsertErrorKind::NotSplit { entry }));
    let refused = tree.clear_range_split(140..160, AllocMode::Normal, |_, _| None, |_, _| ());
    assert_eq!(refused, Err(InsertErrorKind::NotSplit { entry }));
    assert_eq!((tree.dump().to_string(), alloc.counts().live), before);

    // One part is left, or it is a reserved range that is cut: there is nothing to split.
    assert_eq!(tree.clear_range_split(190..210, AllocMode::Normal, unasked, |_, _| ()), Ok(()));
    assert_eq!(tree.clear_range_split(240..260, AllocMode::Normal, unasked, |_, _| ()), Ok(()));

    let mut asked = Vec::new();
    let cleared = tree.clear_range_split(
        140..160,
        AllocMode::Normal,
        |right, value| {
            asked.push(right);
            Some(Box::new(Offset(value.0 + right.first() - 100)))
        },
        |_, _| (),
    );
    assert_eq!(cleared, Ok(()));
    assert_eq!(asked, [range(160, 189)]);
    let entries: Vec<_> = tree.iter().map(|(range, offset)| (range, offset.0)).collect();
    assert_eq!(entries, [(range(100, 139), 0), (range(160, 189), 60)]);
    assert_eq!(tree.get_entry_mut(170).map(|(range, offset)| (range, offset.0)), Some((range(160, 189), 60)));
    assert_eq!(tree.stats().reserved, 2);
    assert_eq!(tree.validate(), Ok(()));

    // Nobody is asked where there is no memory.
    alloc.set_plan(Plan::After(0));
    let before = tree.dump().to_string();
    let no_memory = tree.clear_range_split(110..120, AllocMode::Atomic, unasked, |_, _| ());
    assert!(matches!(no_memory, Err(InsertErrorKind::NodeMemory(_))), "{no_memory:?}");
    assert_eq!(tree.dump().to_string(), before);
}
