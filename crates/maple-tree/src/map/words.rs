//! Words into values and back: where the types of a tree and its words meet.
//!
//! - **V1** Each word in the raw tree of a `MapleTree<T>` was made by [`keep`] from a `T`. The raw tree passes
//!   a word on when it does not hold it any more (or did not take it), and then it goes to [`take_back`] once.
//! - **V2** An iterator that lends out values to be changed comes to each word once: see [`ValuesMut`].
#![expect(unsafe_code, reason = "turns words into values")]

use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::MapleTree;
use crate::alloc::NodeAlloc;
use crate::entry::{CloneEntry, Entry, Held};
use crate::node::Layout;
use crate::raw::RawTree;

/// Makes a value a word.
pub(crate) fn keep<T: Entry>(value: T) -> Held {
    Held(value.into_word())
}

/// Makes a word that the raw tree does not hold a value again.
pub(crate) fn take_back<T: Entry>(word: Held) -> T {
    // SAFETY: by V1 the word was made from a `T`, and this is the one time that it comes back.
    unsafe { T::from_word(word.0) }
}

/// Looks at the value of a word in a tree that is borrowed exclusively.
pub(crate) fn look_at<T: Entry, R>(word: Held, look: impl FnOnce(&T) -> R) -> R {
    // SAFETY: by V1 the word was made from a `T`. Nothing is borrowed from it, since the tree is borrowed
    // exclusively. The value is forgotten, also should `look` panic.
    let value = ManuallyDrop::new(unsafe { T::from_word(word.0) });
    look(&value)
}

/// Looks at two values in a tree that is borrowed exclusively, but shared with readers: that rules out [`look_at`], which
/// makes an owner of each.
pub(crate) fn look_at_both<T: Entry, R>(
    left: Held,
    right: Held,
    look: impl for<'a> FnOnce(T::Borrowed<'a>, T::Borrowed<'a>) -> R,
) -> R {
    // SAFETY: by V1 the words were made from `T`s. They are not taken back before the end of this, since what could do that
    // is borrowed exclusively, and nobody changes the values.
    unsafe { look(T::borrow(left.0), T::borrow(right.0)) }
}

/// Makes a second value like one that may be lent out meanwhile.
pub(crate) fn duplicate<T: CloneEntry>(word: Held) -> T {
    // SAFETY: as above.
    unsafe { T::clone_word(word.0) }
}

/// Lends out the value of a word, for any time.
///
/// # Safety
///
/// By V1 the word was made from a `T`; during `'a` it is not taken back, nor lent to be changed.
pub(crate) unsafe fn lend_unbound<'a, T: Entry + 'a>(word: Held) -> T::Borrowed<'a> {
    // SAFETY: the caller's promise.
    unsafe { T::borrow(word.0) }
}

/// Lets the value of a word in a tree that is borrowed exclusively be changed, or exchanged for another.
pub(super) fn change<T: Entry, R>(word: &mut Held, change: impl FnOnce(&mut T) -> R) -> R {
    /// Keeps the value again, also should `change` panic.
    struct Changing<'a, T: Entry> {
        word: &'a mut Held,
        value: Option<T>,
    }

    impl<T: Entry> Drop for Changing<'_, T> {
        fn drop(&mut self) {
            if let Some(value) = self.value.take() {
                *self.word = keep(value);
            }
        }
    }

    let mut changing = Changing { value: None, word };
    change(changing.value.insert(take_back(*changing.word)))
}

/// The values of a tree that is borrowed exclusively, apart from its nodes.
///
/// Values are not part of the nodes, so nodes may be read while values that were lent are changed. This is
/// invariant in `T`, like `&mut T`.
pub(crate) struct ValuesMut<'a, T>(PhantomData<&'a mut T>);

impl<'a, T: Entry> ValuesMut<'a, T> {
    /// Lends out a value of the tree that this was made from. By V2 nobody does that twice.
    #[inline]
    pub(crate) fn lend(&mut self, word: Held) -> T::BorrowedMut<'a> {
        // SAFETY: by V1 the word was made from a `T`. The tree is borrowed exclusively during `'a`, so it is
        // not taken back, and nothing is borrowed from it but by this; by V2 this is the only time.
        unsafe { T::borrow_mut(word.0) }
    }
}

impl<T: Entry, L: Layout, A: NodeAlloc> MapleTree<T, L, A> {
    /// Lends out a value while the tree is borrowed.
    #[inline]
    pub(crate) fn lend(&self, word: Held) -> T::Borrowed<'_> {
        // SAFETY: `word` is in this tree, so by V1 it was made from a `T`; it is taken out, or lent to be changed,
        // only through `&mut self`, which waits for the borrow to end.
        unsafe { T::borrow(word.0) }
    }

    /// Makes a second value like one in the tree.
    pub(super) fn duplicate(&self, word: Held) -> T
    where
        T: CloneEntry,
    {
        // SAFETY: as above.
        unsafe { T::clone_word(word.0) }
    }

    /// Lends out a value to be changed while the tree is borrowed.
    pub(crate) fn lend_mut(&mut self, word: Held) -> T::BorrowedMut<'_> {
        // SAFETY: as above; what was lent before is not used any more, since the tree is borrowed exclusively.
        unsafe { T::borrow_mut(word.0) }
    }

    /// The nodes, to read, and the values, to change.
    pub(crate) fn nodes_and_values(&mut self) -> (&RawTree<L, A>, ValuesMut<'_, T>) {
        (&self.raw, ValuesMut(PhantomData))
    }
}
