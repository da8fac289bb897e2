//! Closures and drops that panic in the midst of a write, and prepared writes that are forgotten: the tree is valid
//! afterwards, and each value is dropped once.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use maple_faults::{FaultyAlloc, Plan};
use maple_tree::reclaim::{Epochs, Reclaim};
use maple_tree::shared::{SharedMapleTree, WriteGuard};
use maple_tree::{AllocMode, Direction, GapRequest, IndexRange, MapleTree, SmallGaps};

/// Counts what is made and dropped of each number, and may panic when one is dropped or cloned.
#[derive(Debug, Default)]
struct Book {
    made: RefCell<Vec<i32>>,
    panics_at_drop: Cell<Option<usize>>,
    panics_at_clone: Cell<bool>,
}

#[derive(Debug)]
struct Value {
    number: usize,
    book: Rc<Book>,
}

fn fail() -> ! {
    resume_unwind(Box::new("on purpose"))
}

impl Book {
    fn value(self: &Rc<Self>, number: usize) -> Box<Value> {
        let mut made = self.made.borrow_mut();
        if made.len() <= number {
            made.resize(number + 1, 0);
        }
        made[number] += 1;
        Box::new(Value { number, book: self.clone() })
    }

    fn live(&self) -> i32 {
        self.made.borrow().iter().sum()
    }

    fn assert_all_dropped(&self) {
        assert!(self.made.borrow().iter().all(|&live| live == 0), "{:?}", self.made);
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        if self.book.panics_at_clone.get() {
            fail();
        }
        *self.book.value(self.number)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.book.made.borrow_mut()[self.number] -= 1;
        if self.book.panics_at_drop.get() == Some(self.number) {
            self.book.panics_at_drop.set(None);
            fail();
        }
    }
}

type Lock = spin::Mutex<()>;
type Tree<'a> = SharedMapleTree<Box<Value>, Lock, Epochs, SmallGaps, &'a FaultyAlloc>;
type Guard<'t, 'a> = WriteGuard<'t, Box<Value>, Lock, Epochs, SmallGaps, &'a FaultyAlloc>;

const COUNT: u64 = 60;

/// Entries of 5 indices, 10 apart.
fn tree<'a>(alloc: &'a FaultyAlloc, book: &Rc<Book>) -> Tree<'a> {
    let tree =
        Tree::from_tree(MapleTree::new_in(alloc), Epochs::new()).expect("an empty tree needs no memory");
    let mut writer = tree.write();
    for number in 0..COUNT {
        assert!(writer.insert(number * 10..number * 10 + 5, book.value(number as usize)).is_ok());
    }
    drop(writer);
    tree
}

fn panics(action: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(action)).is_err(), "no panic");
}

fn assert_nothing_lost(writer: &Guard<'_, '_>, alloc: &FaultyAlloc, book: &Book) {
    assert_eq!(writer.validate(), Ok(()));
    let (stats, shared) = (writer.stats(), writer.shared_stats());
    assert_eq!(alloc.counts().live_bytes, (stats.node_bytes + shared.bytes) as u64, "nodes are lost");
    assert_eq!(book.live(), (writer.len() + shared.retired_values) as i32, "values are lost");
}

/// A write that panics somewhere; what the tree holds afterwards, and that nothing is lost then nor in the end.
fn case(write: impl FnOnce(&mut Guard<'_, '_>, &Rc<Book>), left: impl Fn(u64) -> bool, others: usize) {
    let (alloc, book) = (FaultyAlloc::new(Plan::Never), Rc::new(Book::default()));
    let tree = tree(&alloc, &book);
    panics(|| write(&mut tree.write(), &book));
    book.panics_at_clone.set(false);
    book.panics_at_drop.set(None);
    for pass in 0..2 {
        let mut writer = tree.write();
        assert_nothing_lost(&writer, &alloc, &book);
        assert_eq!(writer.stats().reserved, 0);
        let reader = tree.read();
        let expected: Vec<u64> = (0..COUNT).filter(|&number| left(number)).collect();
        for &number in &expected {
            assert_eq!(reader.get(number * 10 + 4).map(|value| value.number as u64), Some(number));
        }
        assert_eq!((reader.iter().count(), writer.len()), (expected.len() + others, expected.len() + others));
        drop(reader);
        // And it works as before.
        if pass == 0 {
            assert!(writer.insert(7..9, book.value(1000)).is_ok());
            assert_eq!(writer.erase(8).map(|(_, value)| value.number), Some(1000));
        }
        drop(writer);
        tree.synchronize();
    }
    drop(tree);
    assert_eq!(alloc.counts().live, 0);
    book.assert_all_dropped();
}

#[test]
fn a_store_is_complete_when_displaced_panics() {
    let mut calls = 0;
    let displaced = |_: IndexRange, value: &Value| {
        calls += 1;
        if value.number == 12 {
            fail();
        }
    };
    case(
        |writer, book| {
            let _ = writer.store_with(98..402, book.value(100), AllocMode::Normal, displaced);
        },
        |number| !(10..40).contains(&number),
        // The new one, and number 40, of which the front is cut.
        1,
    );
    assert_eq!(calls, 3, "10, 11, 12");
}

#[test]
fn a_store_over_one_entry_is_complete_when_displaced_panics() {
    case(
        |writer, book| {
            let _ = writer.store_with(100..105, book.value(100), AllocMode::Normal, |_, _| fail());
        },
        |number| number != 10,
        1,
    );
}

#[test]
fn a_range_is_clear_when_cleared_panics() {
    // Without a cut, one by one.
    case(
        |writer, _| {
            let _ = writer.clear_range_with(100..400, AllocMode::Normal, |_, _| fail());
        },
        |number| !(10..40).contains(&number),
        0,
    );
    // With one, at once.
    case(
        |writer, _| {
            let _ = writer.clear_range_with(102..403, AllocMode::Normal, |_, _| fail());
        },
        |number| number == 40 || !(10..40).contains(&number),
        1,
    );
}

#[test]
fn nothing_happens_when_split_panics() {
    case(
        |writer, _| {
            let _ = writer.prepare_store_split(102..103, AllocMode::Normal, |_, _| fail());
        },
        |_| true,
        0,
    );
    case(
        |writer, book| {
            book.panics_at_clone.set(true);
            let _ = writer.store(102..103, book.value(100));
        },
        |_| true,
        0,
    );
    case(
        |writer, book| {
            book.panics_at_clone.set(true);
            let _ = writer.clear_range(102..103);
        },
        |_| true,
        0,
    );
}

#[test]
fn nothing_happens_when_wanted_panics() {
    case(|writer, _| assert!(writer.erase_if(102, |_, _| fail()).is_none()), |_| true, 0);
    let merge = |writer: &mut Guard<'_, '_>, book: &Rc<Book>| {
        assert!(writer.insert(5..7, book.value(100)).is_ok());
        writer.merge_by(.., |_, _| fail());
    };
    case(merge, |_| true, 1);
}

#[test]
fn what_came_before_a_panic_in_retain_stays_done() {
    let mut calls = 0;
    let wanted = |_: IndexRange, value: &Value| {
        calls += 1;
        if value.number == 10 { fail() } else { value.number % 2 == 0 }
    };
    case(|writer, _| writer.retain(wanted), |number| number % 2 == 0 || number > 10, 0);
    assert_eq!(calls, 11);
}

/// Retired values are dropped when a later write begins, which then does not happen: its own value is dropped, too.
#[test]
fn a_write_in_which_a_retired_value_panics_loses_nothing() {
    type Write = fn(&mut Guard<'_, '_>, &Rc<Book>);
    let writes: [Write; 8] = [
        |writer, book| drop(writer.insert(597..599, book.value(100))),
        |writer, book| drop(writer.store(597..599, book.value(100))),
        |writer, book| drop(writer.replace(590, book.value(100)).map(|_| ())),
        |writer, book| drop(writer.allocate(&request(), book.value(100))),
        |writer, _| assert!(writer.reserve(597..599).is_ok()),
        |writer, _| assert!(writer.erase(590).is_some()),
        |writer, _| writer.retain(|_, _| true),
        |writer, _| writer.clear(),
    ];
    for write in writes {
        let (alloc, book) = (FaultyAlloc::new(Plan::Never), Rc::new(Book::default()));
        let tree = tree(&alloc, &book);
        tree.synchronize();
        let reader = tree.reclaim().pin();
        for number in 0..40 {
            tree.write().erase(number * 10);
        }
        drop(reader);
        // The one that was retired first.
        book.panics_at_drop.set(Some(0));
        panics(|| write(&mut tree.write(), &book));
        assert_nothing_lost(&tree.write(), &alloc, &book);
        tree.synchronize();
        assert_nothing_lost(&tree.write(), &alloc, &book);
        drop(tree);
        assert_eq!(alloc.counts().live, 0);
        book.assert_all_dropped();
    }
}

fn request() -> GapRequest {
    GapRequest::new(IndexRange::FULL, 3, 1, Direction::TopDown).expect("the request makes sense")
}

#[test]
fn the_rest_is_collected_after_a_drop_that_panics() {
    case(
        |writer, book| {
            for number in 0..COUNT / 2 {
                writer.erase(number * 10);
            }
            // One of those that earlier writes have not dropped yet.
            book.panics_at_drop.set(Some(COUNT as usize / 2 - 2));
            writer.collect();
            writer.collect();
        },
        |number| number >= COUNT / 2,
        0,
    );
}

#[test]
fn the_rest_of_a_tree_goes_all_the_same() {
    for into_tree in [false, true] {
        let (alloc, book) = (FaultyAlloc::new(Plan::Never), Rc::new(Book::default()));
        let tree = tree(&alloc, &book);
        let reader = tree.reclaim().pin();
        for number in 0..COUNT / 2 {
            tree.write().erase(number * 10);
        }
        drop(reader);
        book.panics_at_drop.set(Some(7));
        panics(|| if into_tree { drop(tree.into_tree()) } else { drop(tree) });
        assert_eq!(alloc.counts().live, 0);
        book.assert_all_dropped();
    }
}

/// A prepared write that is forgotten has not happened, and does not keep readers from what they find.
#[test]
fn a_prepared_write_may_be_forgotten() {
    let (alloc, book) = (FaultyAlloc::new(Plan::Never), Rc::new(Book::default()));
    let tree = tree(&alloc, &book);
    let forget: [fn(&mut Guard<'_, '_>); 3] = [
        |writer| std::mem::forget(writer.prepare_store(98..402, AllocMode::Normal)),
        |writer| std::mem::forget(writer.prepare_insert(7..9, AllocMode::Normal)),
        |writer| {
            let one = writer.prepare_store_split(98..99, AllocMode::Normal, |_, _| None);
            std::mem::forget(one);
        },
    ];
    let mut erased = 20;
    for forget in forget {
        for again in [false, true] {
            let mut writer = tree.write();
            forget(&mut writer);
            // It is given up by the next write; what can be read is right before, too.
            assert_eq!(writer.get(235).map(|value| value.number), None);
            assert_eq!(writer.get(384).map(|value| value.number), Some(38));
            if !again {
                drop(writer);
                writer = tree.write();
            }
            assert_eq!(writer.erase(erased * 10).map(|(_, value)| value.number as u64), Some(erased));
            assert_eq!(writer.validate(), Ok(()));
            drop(writer);
            tree.synchronize();
            let reader = tree.read();
            assert_eq!(reader.get(erased * 10).map(|value| value.number), None);
            erased += 1;
            let numbers: Vec<_> = reader.iter().map(|(_, value)| value.number as u64).collect();
            assert_eq!(numbers, (0..20).chain(erased..COUNT).collect::<Vec<_>>());
            let (writer, counts) = (tree.write(), alloc.counts());
            let bytes = writer.stats().node_bytes + writer.shared_stats().bytes;
            assert_eq!(counts.live_bytes, bytes as u64, "nodes are lost");
        }
        forget(&mut tree.write());
    }
    drop(tree);
    assert_eq!(alloc.counts().live, 0);
    book.assert_all_dropped();
}

/// What a reader looks at may be shown to the writer's closures, and cloned, at the same time.
#[test]
fn readers_go_on_looking_at_what_closures_see() {
    let (alloc, book) = (FaultyAlloc::new(Plan::Never), Rc::new(Book::default()));
    let tree = tree(&alloc, &book);
    let reader = tree.read();
    let values: Vec<_> = (10..20).map(|number| reader.get(number * 10)).collect();
    let mut seen = 0;
    let mut writer = tree.write();
    assert!(writer.store(102..103, book.value(100)).is_ok());
    assert!(writer.clear_range(112..113).is_ok());
    let split = |_: IndexRange, value: &Value| Some(book.value(value.number));
    assert!(writer.prepare_store_split(122..123, AllocMode::Normal, split).is_ok());
    let count = |_: IndexRange, _: &Value| seen += 1;
    assert!(writer.store_with(125..162, book.value(101), AllocMode::Normal, count).is_ok());
    let differ = |left: &Value, right: &Value| left.number == right.number;
    writer.merge_by(.., differ);
    writer.retain(|_, value| value.number % 2 == 0);
    writer.clear();
    drop(writer);
    for (value, number) in values.into_iter().zip(10..) {
        assert_eq!(value.map(|value| value.number), Some(number));
    }
    assert_eq!(seen, 3, "13, 14 and 15");
    drop(reader);
    drop(tree);
    book.assert_all_dropped();
}
