//! What is done by one store into a node that readers are in. No node is retired, so what they see is this store.

use maple_tree::{SmallGaps, SmallNoGaps};

use super::race::{Seeing, insert_adjoining, insert_apart, race, retired};
use super::stand::Value;

/// An entry of a tree that is one leaf.
#[test]
fn erase() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 2))
        .step(|writer| {
            writer.erase(12);
            assert_eq!(retired(writer), (0, 0));
        })
        .read(|tree| {
            tree.at(10);
            tree.value_at(14);
            tree.at(0);
        })
        .run();
}

/// Both readers see the same order of events: whoever comes later does not see less.
#[test]
fn erase_with_two_readers() {
    race::<SmallNoGaps>(|writer| insert_apart(writer, 0, 2))
        .step(|writer| {
            writer.erase(12);
        })
        .read(|tree| {
            tree.value_at(10);
            tree.value_at(10);
        })
        .readers(2)
        .preemptions(2)
        .run();
}

/// In order and in reverse, over two leaves.
#[test]
fn erase_while_readers_go_over_all() {
    for read in [Seeing::in_order(), Seeing::in_reverse()] {
        race::<SmallGaps>(|writer| insert_apart(writer, 0, 3))
            .step(|writer| {
                writer.erase(10);
                assert_eq!(retired(writer), (0, 0));
            })
            .read(read)
            .run();
    }
}

/// The reader sees the old value, nothing, or the new one, in this order.
#[test]
fn the_same_range_again() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 3))
        .step(|writer| {
            writer.erase(12);
            assert_eq!(retired(writer), (0, 0));
        })
        .step(|writer| {
            writer.insert(10..15, Value::new(77)).unwrap();
            assert_eq!(retired(writer), (0, 0));
        })
        .read(|tree| {
            tree.value_at(10);
            tree.at(12);
        })
        .run();
}

#[test]
fn replace() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 2))
        .step(|writer| {
            assert!(writer.replace(12, Value::new(77)).is_ok());
            assert_eq!(retired(writer), (0, 0));
        })
        .read(|tree| {
            assert!(tree.value_at(10).is_some());
            assert!(tree.at(12).is_some());
            tree.all();
        })
        .run();
}

/// Without a cut its entries go one by one.
#[test]
fn clear_range() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 4))
        .write(|writer| {
            writer.clear_range(8..26).unwrap();
            assert_eq!(retired(writer), (0, 0));
        })
        .stage(|writer| {
            writer.erase(10);
        })
        .stage(|writer| {
            writer.erase(20);
        })
        .read(|tree| {
            tree.value_at(20);
            tree.value_at(10);
            tree.all();
        })
        .run();
}

/// By one store to the root.
#[test]
fn clear() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 8))
        .step(|writer| {
            writer.clear();
            assert_eq!(retired(writer), (2, 1));
        })
        .read(|tree| {
            tree.value_at(10);
            tree.value_at(50);
            tree.all();
        })
        .run();
}

/// The root is stored over that of an empty tree.
#[test]
fn the_first_insertion() {
    race::<SmallGaps>(|_| ())
        .step(|writer| {
            writer.insert(10..15, Value::new(10)).unwrap();
            assert_eq!(retired(writer), (0, 0));
        })
        .read(|tree| {
            tree.value_at(10);
            tree.at(14);
        })
        .run();
}
