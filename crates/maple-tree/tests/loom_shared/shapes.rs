//! What changes the shape of the tree: nodes that are taken out, joined, put on top.

use maple_tree::{Layout, SmallGaps, SmallNoGaps};

use super::race::{Seeing, insert_adjoining, insert_apart, race, retired};
use super::stand::{Value, Writer};

/// The last entry of a leaf goes, and the leaf with it. A reader may find the leaf empty before that.
#[test]
fn free_at_empty() {
    race::<SmallGaps>(|writer| {
        insert_adjoining(writer, 0, 8);
        writer.erase_each(10..40, |_, _| true);
    })
    .without_nodes_at_hand()
    .step(|writer| {
        let before = retired(writer);
        writer.erase(0);
        assert_eq!(retired(writer), (before.0 + 1, before.1));
    })
    .read(|tree| {
        tree.value_at(0);
        tree.all();
        tree.value_at(5);
    })
    .run();
}

/// A leaf, and the branch above it.
#[test]
fn free_at_empty_at_two_levels() {
    for read in [Seeing::in_order(), Seeing::in_reverse()] {
        race::<SmallGaps>(|writer| {
            insert_adjoining(writer, 0, 20);
            writer.erase_each(90.., |_, _| true);
            writer.erase_each(10..80, |_, _| true);
            // As if there had been more in it.
            writer.insert(170..180, Value::new(170)).unwrap();
        })
        .without_nodes_at_hand()
        .step(|writer| {
            writer.erase(175);
        })
        .read(read)
        .run();
    }
}

/// The whole tree.
#[test]
fn free_at_empty_up_to_the_root() {
    race::<SmallNoGaps>(|writer| {
        insert_apart(writer, 0, 12);
        writer.erase_each(10.., |_, _| true);
    })
    .without_nodes_at_hand()
    .step(|writer| {
        writer.erase(0);
        assert_eq!(writer.stats().height, 0);
    })
    .step(|writer| writer.insert(0..10, Value::new(7)).unwrap())
    .read(|tree| {
        tree.value_at(0);
        tree.all();
        tree.value_at(0);
    })
    .preemptions(2)
    .run();
}

/// A sparse leaf is joined with the one beside it, in copies.
#[test]
fn merge_of_sparse_leaves() {
    race::<SmallGaps>(|writer| {
        insert_adjoining(writer, 0, 13);
        writer.erase_each(50..80, |_, _| true);
        writer.erase_each(10..30, |_, _| true);
        writer.collect();
    })
    .step(|writer| {
        let before = writer.stats().leaves;
        writer.erase(30);
        assert!(writer.stats().leaves < before, "nothing was joined");
    })
    .read(|tree| {
        assert_eq!(tree.value_at(40), Some(40));
        tree.at(30);
        tree.all();
    })
    .run();
}

/// The root is full: a new one takes its place, one level higher.
#[test]
fn root_growth() {
    race::<SmallNoGaps>(|writer| insert_adjoining(writer, 0, 16))
        .step(|writer| {
            let before = writer.stats().height;
            writer.insert(160..170, Value::new(160)).unwrap();
            assert_eq!(writer.stats().height, before + 1);
        })
        .read(|tree| {
            tree.value_at(165);
            tree.value_at(0);
            tree.all();
        })
        .preemptions(2)
        .run();
}

/// The first leaf becomes two.
#[test]
fn root_growth_from_a_leaf() {
    race::<SmallGaps>(|writer| insert_adjoining(writer, 0, 4))
        .step(|writer| {
            writer.insert(40..50, Value::new(40)).unwrap();
            assert_eq!(writer.stats().height, 2);
        })
        .read(|tree| {
            tree.value_at(45);
            tree.value_at(0);
            tree.all();
        })
        .run();
}

/// Leaves nodes at hand, of both kinds.
fn keep_nodes<L: Layout>(writer: &mut Writer<'_, L>) {
    insert_adjoining(writer, 0, 24);
    writer.clear();
    writer.collect();
}

/// The root has one child left, which is made to cover all that the root does, and takes its place.
#[test]
fn root_collapse() {
    race::<SmallGaps>(|writer| {
        keep_nodes(writer);
        insert_adjoining(writer, 0, 5);
    })
    .step(|writer| {
        assert_eq!(writer.stats().height, 2);
        writer.erase(40);
        assert_eq!(writer.stats().height, 1);
    })
    .read(|tree| {
        tree.value_at(45);
        assert_eq!(tree.value_at(35), Some(30));
        tree.all();
    })
    .run();
}

/// Two leaves become one, the root has no other child, and goes.
#[test]
fn root_collapse_after_a_merge() {
    race::<SmallNoGaps>(|writer| {
        keep_nodes(writer);
        insert_adjoining(writer, 0, 5);
        writer.erase_each(0..20, |_, _| true);
    })
    .step(|writer| {
        assert_eq!(writer.stats().height, 2);
        writer.erase(20);
        assert_eq!(writer.stats().height, 1);
    })
    .read(|tree| {
        tree.value_at(25);
        assert_eq!(tree.value_at(45), Some(40));
        tree.all();
    })
    .run();
}
