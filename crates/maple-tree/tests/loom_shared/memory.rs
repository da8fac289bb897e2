//! What is given back, and when: not while a reader may have found it.

use loom::sync::Arc;
use loom::thread;
use maple_tree::reclaim::Epochs;
use maple_tree::{MapleTree, SmallGaps};

use super::race::{insert_adjoining, insert_apart, model, race};
use super::stand::{Kept, Tree, Value, alive};

/// Values go when their reader is gone, or it did not find them.
#[test]
fn values_go_after_their_readers() {
    model(Some(3), || {
        let tree = Arc::new(
            Tree::<SmallGaps>::from_tree(MapleTree::new_in(Kept), Epochs::new())
                .expect("an empty tree needs no memory"),
        );
        drop(tree.read());
        insert_apart(&mut tree.write(), 0, 2);
        let reading = {
            let tree = Arc::clone(&tree);
            thread::spawn(move || {
                let reader = tree.read();
                let found = reader.get(10);
                thread::yield_now();
                // It is looked at long after it was found.
                found.map(|body| body.number())
            })
        };
        let mut writer = tree.write();
        writer.erase(10);
        writer.collect();
        drop(writer);
        let found = reading.join().unwrap();
        assert!(matches!(found, None | Some(10)));
        tree.synchronize();
        assert_eq!(alive(), 1);
    });
}

/// While there is a reader nothing is dropped that it may have found; afterwards all is.
#[test]
fn a_reader_that_stays() {
    model(None, || {
        let tree = Tree::<SmallGaps>::from_tree(MapleTree::new_in(Kept), Epochs::new())
            .expect("an empty tree needs no memory");
        insert_apart(&mut tree.write(), 0, 6);
        let reader = tree.read();
        let found: Vec<_> = reader.iter().map(|(_, body)| body).collect();
        let mut writer = tree.write();
        for first in 0..6 {
            writer.erase(10 * first);
            writer.collect();
        }
        assert_eq!(writer.shared_stats().retired_values, 6);
        assert_eq!(found.iter().map(|body| body.number()).max(), Some(50));
        drop(reader);
        writer.collect();
        writer.collect();
        assert_eq!((writer.shared_stats().retired_values, alive()), (0, 0));
    });
}

/// A node that readers have left is the next copy, while another reader comes.
#[test]
fn nodes_are_used_again() {
    race::<SmallGaps>(|writer| insert_apart(writer, 0, 3))
        .step(|writer| writer.insert(6..8, Value::new(6)).unwrap())
        .step(|writer| writer.insert(16..18, Value::new(16)).unwrap())
        .step(|writer| writer.insert(26..28, Value::new(26)).unwrap())
        .read(|tree| {
            tree.value_at(6);
            tree.all();
        })
        .preemptions(2)
        .run();
}

/// The second reader comes when the first one may be gone, and in its record.
#[test]
fn readers_one_after_the_other() {
    model(Some(2), || {
        let tree = Arc::new(
            Tree::<SmallGaps>::from_tree(MapleTree::new_in(Kept), Epochs::new())
                .expect("an empty tree needs no memory"),
        );
        drop(tree.read());
        insert_adjoining(&mut tree.write(), 0, 3);
        let reading = {
            let tree = Arc::clone(&tree);
            thread::spawn(move || {
                for _ in 0..2 {
                    let reader = tree.read();
                    assert!(matches!(reader.get(12).map(|body| body.number()), None | Some(10 | 77)));
                }
            })
        };
        for number in [10, 77] {
            let mut writer = tree.write();
            writer.erase(10);
            writer.collect();
            writer.insert(10..20, Value::new(number)).unwrap();
            writer.collect();
        }
        reading.join().unwrap();
        tree.synchronize();
        assert_eq!(alive(), 3);
    });
}
