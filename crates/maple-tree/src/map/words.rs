//! Words into values and back: where the types of a tree and its words meet.
//!
//! Invariant **V1**: each word in the raw tree of a `MapleTree<T>` was made by [`keep`] from a `T`. The raw tree passes
//! a word on when it does not hold it any more (or did not take it), and then it goes to [`take_back`] once.
#![expect(unsafe_code, reason = "turns words into values")]

use core::mem::ManuallyDrop;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::{Entry, Held};
use crate::node::Layout;

/// Makes a value a word.
pub(super) fn keep<T: Entry>(value: T) -> Held {
    Held(value.into_word())
}

/// Makes a word that the raw tree does not hold a value again.
pub(super) fn take_back<T: Entry>(word: Held) -> T {
    // SAFETY: by V1 the word was made from a `T`, and this is the one time that it comes back.
    unsafe { T::from_word(word.0) }
}

/// Looks at the value of a word in a tree that is borrowed exclusively.
pub(super) fn look_at<T: Entry, R>(word: Held, look: impl FnOnce(&T) -> R) -> R {
    // SAFETY: by V1 the word was made from a `T`. Nothing is borrowed from it, since the tree is borrowed exclusively.
    // The value is forgotten, also should `look` panic.
    let value = ManuallyDrop::new(unsafe { T::from_word(word.0) });
    look(&value)
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Lends out a value while the tree is borrowed.
    pub(crate) fn lend(&self, word: Held) -> T::Borrowed<'_> {
        // SAFETY: `word` is in this tree, so by V1 it was made from a `T`; it is taken out only through `&mut self`,
        // which waits for the borrow to end.
        unsafe { T::borrow(word.0) }
    }
}
