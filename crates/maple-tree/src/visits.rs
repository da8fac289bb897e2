//! How many nodes operations look at: for measuring, with the feature `visits` only.
//!
//! Each visit adds to a variable of its thread, so a program with this feature is slower. What it counts depends on nothing but
//! the trees and what is done to them: not on the compiler, the machine, or what else runs there.

/// The nodes of all trees that this thread looked at since it last called this, or since it began.
///
/// A node counts each time that an operation comes to it, whether it reads or writes there. An edge of a child that is looked at
/// from its parent counts as one, too. O(1); allocates nothing.
///
/// ```
/// use maple_tree::{MapleTree, visits};
///
/// let mut tree: MapleTree<Box<&str>> = MapleTree::new();
/// tree.insert(16..=31, Box::new("a"))?;
/// visits::take();
/// tree.get(20);
/// assert_eq!(visits::take(), 1, "the root is a leaf");
/// assert_eq!(visits::take(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn take() -> u64 {
    crate::node::visits::take()
}
