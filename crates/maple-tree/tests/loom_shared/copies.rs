//! What is done on private copies, which one store publishes: readers see all of it, or nothing.

use maple_tree::{AllocMode, SmallGaps, SmallNoGaps};

use super::race::{insert_adjoining, insert_apart, race, retired};
use super::stand::Value;

/// A copy of one leaf is stored into the branch above.
#[test]
fn insert() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 3))
        .step(|writer| {
            // It takes one slot more, for which there is room.
            writer.insert(5..8, Value::new(6)).unwrap();
            assert_eq!(retired(writer), (1, 0));
        })
        .read(|tree| {
            tree.value_at(6);
            tree.value_at(0);
            tree.all();
        })
        .run();
}

/// What was erased in the copy is still in the leaf that a reader may be in. Nobody sees it come back.
#[test]
fn insert_and_erase_in_the_copy() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 3))
        .step(|writer| writer.insert(5..8, Value::new(6)).unwrap())
        .step(|writer| {
            writer.erase(0);
        })
        .read(|tree| {
            tree.value_at(0);
            tree.at(6);
            tree.value_at(0);
        })
        .preemptions(3)
        .run();
}

/// The leaf is full: two take its place, and the branch above is copied.
#[test]
fn split() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| {
            writer.insert(80..90, Value::new(80)).unwrap();
            assert_eq!(retired(writer), (1, 1));
        })
        .read(|tree| {
            tree.value_at(80);
            tree.at(70);
            tree.all();
        })
        .run();
}

/// The range is free in two leaves: both are copied, and the branch that has the pivot between them.
#[test]
fn insert_across_leaves() {
    race::<SmallGaps>(|writer| {
        insert_apart(writer, 0, 6);
        writer.erase(10);
        writer.erase(20);
    })
    .without_nodes_at_hand()
    .step(|writer| {
        let before = retired(writer);
        writer.insert(8..27, Value::new(8)).unwrap();
        let after = retired(writer);
        assert_eq!((after.0 - before.0, after.1 - before.1), (2, 1));
    })
    .read(|tree| {
        tree.value_at(9);
        tree.at(26);
        tree.value_at(0);
        tree.all();
    })
    .run();
}

/// What is free there is a whole child.
#[test]
fn insert_where_a_branch_has_no_child() {
    race::<SmallNoGaps>(|writer| {
        insert_adjoining(writer, 0, 16);
        writer.erase_each(40..80, |_, _| true);
    })
    .step(|writer| writer.insert(50..60, Value::new(50)).unwrap())
    .read(|tree| {
        tree.value_at(55);
        tree.at(30);
        tree.all();
    })
    .run();
}

/// Each index has its old value or its new one, also where entries are cut.
#[test]
fn store_over_two_entries() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| writer.store(35..45, Value::new(99)).unwrap())
        .read(|tree| {
            assert!(tree.at(36).is_some());
            assert!(tree.value_at(44).is_some());
            assert!(tree.at(47).is_some());
        })
        .run();
}

/// Two entries in two leaves go, and readers go over all.
#[test]
fn store_in_the_place_of_two_entries() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| writer.store(30..50, Value::new(99)).unwrap())
        .read(|tree| {
            assert!(tree.value_at(45).is_some());
            tree.all();
        })
        .run();
}

/// An entry is cut in two, and its value cloned.
#[test]
fn store_into_an_entry() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 5))
        .step(|writer| writer.store(12..15, Value::new(99)).unwrap())
        .read(|tree| {
            assert!(tree.at(17).is_some());
            assert!(tree.at(13).is_some());
            tree.all();
        })
        .run();
}

/// Two leaves are cut, and a whole one between them goes.
#[test]
fn store_over_many() {
    race::<SmallNoGaps>(|writer| insert_adjoining(writer, 0, 16))
        .step(|writer| writer.store(35..95, Value::new(99)).unwrap())
        .read(|tree| {
            assert!(tree.value_at(36).is_some());
            assert!(tree.at(60).is_some());
            tree.all();
        })
        .run();
}

#[test]
fn store_over_just_one() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| {
            writer.store(30..40, Value::new(99)).unwrap();
            assert_eq!(retired(writer), (0, 0));
        })
        .read(|tree| {
            assert!(tree.value_at(30).is_some());
            assert!(tree.at(39).is_some());
        })
        .run();
}

/// Entries that stick out are cut: all of the range becomes free at once.
#[test]
fn clear_range() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| writer.clear_range(35..55).unwrap())
        .read(|tree| {
            tree.value_at(36);
            tree.at(45);
            tree.value_at(52);
            assert!(tree.value_at(32).is_some());
        })
        .run();
}

#[test]
fn merge() {
    race::<SmallGaps>(|writer| {
        for first in (0..80).step_by(10) {
            let number = if first == 30 || first == 40 { 7 } else { first };
            writer.insert(first..first + 10, Value::new(number)).unwrap();
        }
    })
    .step(|writer| assert_eq!(writer.merge(..), 1))
    .read(|tree| {
        assert_eq!(tree.value_at(45), Some(7));
        assert_eq!(tree.at(35), Some(7));
        tree.all();
    })
    .run();
}

/// The same entries in fewer nodes.
#[test]
fn compact() {
    race::<SmallNoGaps>(|writer| {
        insert_adjoining(writer, 0, 16);
        writer.erase_each(.., |range, _| range.first() % 40 != 0);
    })
    .without_nodes_at_hand()
    .step(|writer| {
        let before = writer.stats().leaves;
        writer.compact();
        assert!(writer.stats().leaves < before);
    })
    .read(|tree| {
        assert_eq!(tree.value_at(40), Some(40));
        assert_eq!(tree.value_at(50), None);
        tree.all();
    })
    .run();
}

/// Readers see nothing of a write that was prepared and then is not done. Nodes that they are in are not given back.
#[test]
fn prepared_and_not_used() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| drop(writer.prepare_store(35..45, AllocMode::Normal).unwrap()))
        .step(|writer| {
            writer.erase(30);
        })
        .read(|tree| {
            tree.value_at(36);
            tree.at(44);
            tree.all();
        })
        .run();
}
