//! Two writers, one after the other in whatever order, and a reader.

use loom::sync::Arc;
use loom::thread;
use maple_tree::reclaim::Epochs;
use maple_tree::{MapleTree, SmallGaps};

use super::race::{insert_apart, model};
use super::stand::{Kept, Tree, Value};

fn tree() -> Arc<Tree<SmallGaps>> {
    let tree = Tree::<SmallGaps>::from_tree(MapleTree::new_in(Kept), Epochs::new())
        .expect("an empty tree needs no memory");
    drop(tree.read());
    insert_apart(&mut tree.write(), 0, 3);
    tree.write().collect();
    Arc::new(tree)
}

/// Both copy the same leaf: what one of them wrote is in the other's copy.
#[test]
fn two_writers_copy_the_same_leaf() {
    model(Some(2), || {
        let tree = tree();
        let other = {
            let tree = Arc::clone(&tree);
            thread::spawn(move || tree.write().insert(6..7, Value::new(6)).unwrap())
        };
        tree.write().insert(8..9, Value::new(8)).unwrap();
        other.join().unwrap();
        let numbers: Vec<_> = tree.read().iter().map(|(_, body)| body.number()).collect();
        assert_eq!(numbers, [0, 6, 8, 10, 20]);
        tree.write().validate().unwrap();
        tree.synchronize();
    });
}

/// Who sees the second write sees the first one, too, though they are those of two threads.
#[test]
fn writes_of_two_threads_have_one_order() {
    model(Some(2), || {
        let tree = tree();
        let other = {
            let tree = Arc::clone(&tree);
            thread::spawn(move || {
                let mut writer = tree.write();
                if writer.get(20).is_none() {
                    writer.erase(0);
                }
            })
        };
        let reading = {
            let tree = Arc::clone(&tree);
            thread::spawn(move || {
                let reader = tree.read();
                let second = reader.get(0).is_none();
                let first = reader.get(20).is_none();
                assert!(first || !second);
            })
        };
        tree.write().erase(20);
        other.join().unwrap();
        reading.join().unwrap();
        tree.synchronize();
    });
}
