//! What a tree can hold: values that are one non-zero machine word.
//!
//! After `ForeignOwnable` of Rust for Linux: ownership goes into the tree as a word and comes back as a value;
//! in between the tree lends it out.
#![expect(unsafe_code, reason = "turns values into words and back")]

use core::mem::ManuallyDrop;
use core::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroUsize};
use core::ptr::{self, NonNull};
use std_alloc::boxed::Box;
use std_alloc::rc::Rc;
use std_alloc::sync::Arc;

use crate::node::{SlotWord, slide_copies};

/// A value as a tree stores it.
pub type Word = NonNull<()>;

/// A word in a slot. It stands for the value: whoever takes it out of the slot passes it on, and nobody keeps a
/// second one. (`raw` moves held words about as plain data; the tests count values.)
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Held(pub(crate) Word);

// SAFETY: it is transparent and has no destructor.
unsafe impl SlotWord for Held {
    #[inline]
    fn pointer(&self) -> NonNull<()> {
        self.0
    }

    #[inline]
    unsafe fn with_pointer(pointer: NonNull<()>) -> Self {
        Self(pointer)
    }

    #[inline]
    fn slide(slots: &mut [Option<Self>], from: usize, to: usize, count: usize) {
        slide_copies(slots, from, to, count);
    }
}

// SAFETY: an address on its own may be anywhere. Whether the value may is decided where its type is known.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

/// A value that fits into one non-zero machine word.
///
/// Implemented for [`Box`], [`Arc`], [`Rc`], `&T`, [`NonNull`], non-zero integers, and for `()`, the entry of trees that
/// only need to know which ranges are taken.
///
/// # Safety
///
/// Implementations promise that a word made by [`into_word`](Self::into_word) may be passed any number of times
/// to [`borrow`](Self::borrow) and [`borrow_mut`](Self::borrow_mut), then at most once to
/// [`from_word`](Self::from_word) for good, and that
///
/// 1. the word keeps the value alive in between, also when the tree is moved or (if the value is `Send`) sent to
///    another thread;
/// 2. if the value is `Sync`, `borrow` may be called from any thread and by several at once, and what it returns
///    may be used there; if it is `Send`, this is so for `borrow_mut`, by one at a time;
/// 3. while nothing is borrowed, a value may be made from the word, looked at by reference, and forgotten again;
/// 4. all this holds across subtypes: a word of one type may be used as that of another that differs in lifetimes
///    only, where Rust allows to use a tree of the one as a tree of the other;
/// 5. neither `into_word` nor `from_word` panics.
pub unsafe trait Entry: Sized {
    /// What a tree lends out for a value that it holds.
    type Borrowed<'a>
    where
        Self: 'a;

    /// What a tree that is borrowed exclusively lends out: a value that may be changed, where it can be. The
    /// word stays the same, so a shared value ([`Arc`], `&T`) or one that is the word itself is lent as always.
    type BorrowedMut<'a>
    where
        Self: 'a;

    /// Gives the value to the tree.
    fn into_word(self) -> Word;

    /// Takes the value back.
    ///
    /// # Safety
    ///
    /// `word` came from `into_word` of this type, was not taken back before, and nothing borrowed from it is
    /// used any more.
    unsafe fn from_word(word: Word) -> Self;

    /// Looks at the value.
    ///
    /// # Safety
    ///
    /// `word` came from `into_word` of this type, and during `'a` it is not taken back, nor is it lent to be
    /// changed.
    unsafe fn borrow<'a>(word: Word) -> Self::Borrowed<'a>
    where
        Self: 'a;

    /// Looks at the value in order to change it.
    ///
    /// # Safety
    ///
    /// `word` came from `into_word` of this type, and during `'a` it is not taken back, nor is anything else used
    /// that was borrowed from it.
    unsafe fn borrow_mut<'a>(word: Word) -> Self::BorrowedMut<'a>
    where
        Self: 'a;
}

// SAFETY: the word is the box's pointer, which owns the value until a box is made from it again.
unsafe impl<T> Entry for Box<T> {
    type Borrowed<'a>
        = &'a T
    where
        T: 'a;
    type BorrowedMut<'a>
        = &'a mut T
    where
        T: 'a;

    fn into_word(self) -> Word {
        NonNull::from(Box::leak(self)).cast()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: by contract the word is a leaked box that nobody else owns.
        unsafe { Box::from_raw(word.cast().as_ptr()) }
    }

    unsafe fn borrow<'a>(word: Word) -> &'a T
    where
        T: 'a,
    {
        // SAFETY: by contract the box stays leaked, and so its value alive and unmoved, during `'a`.
        unsafe { word.cast().as_ref() }
    }

    unsafe fn borrow_mut<'a>(word: Word) -> &'a mut T
    where
        T: 'a,
    {
        // SAFETY: as above, and by contract nobody else looks at the value during `'a`.
        unsafe { word.cast().as_mut() }
    }
}

macro_rules! shared_pointer {
    ($($shared:ident),+) => {$(
        // SAFETY: the word is its pointer and stands for one strong count.
        unsafe impl<T> Entry for $shared<T> {
            type Borrowed<'a>
                = &'a T
            where
                T: 'a;
            type BorrowedMut<'a>
                = &'a T
            where
                T: 'a;

            fn into_word(self) -> Word {
                // SAFETY: `$shared::into_raw` points into an allocation.
                unsafe { NonNull::new_unchecked($shared::into_raw(self).cast_mut()) }.cast()
            }

            unsafe fn from_word(word: Word) -> Self {
                // SAFETY: by contract the word owns one strong count, which this takes over.
                unsafe { $shared::from_raw(word.cast().as_ptr()) }
            }

            unsafe fn borrow<'a>(word: Word) -> &'a T
            where
                T: 'a,
            {
                // SAFETY: by contract the strong count, and so the value, lives during `'a`.
                unsafe { word.cast().as_ref() }
            }

            unsafe fn borrow_mut<'a>(word: Word) -> &'a T
            where
                T: 'a,
            {
                // SAFETY: the caller's promise, passed on.
                unsafe { Self::borrow(word) }
            }
        }
    )+};
}

shared_pointer!(Arc, Rc);

// SAFETY: a reference is valid for its whole lifetime, whoever holds it, and is `Copy`.
unsafe impl<T> Entry for &T {
    type Borrowed<'a>
        = Self
    where
        Self: 'a;
    type BorrowedMut<'a>
        = Self
    where
        Self: 'a;

    fn into_word(self) -> Word {
        NonNull::from(self).cast()
    }

    unsafe fn from_word(word: Word) -> Self {
        // SAFETY: by contract the word was made from a reference of this very type.
        unsafe { word.cast().as_ref() }
    }

    unsafe fn borrow<'a>(word: Word) -> Self
    where
        Self: 'a,
    {
        // SAFETY: as above.
        unsafe { word.cast().as_ref() }
    }

    unsafe fn borrow_mut<'a>(word: Word) -> Self
    where
        Self: 'a,
    {
        // SAFETY: the caller's promise, passed on.
        unsafe { Self::borrow(word) }
    }
}

// SAFETY: the tree only keeps the address; what it points to is the user's affair.
unsafe impl<T> Entry for NonNull<T> {
    type Borrowed<'a>
        = Self
    where
        Self: 'a;
    type BorrowedMut<'a>
        = Self
    where
        Self: 'a;

    fn into_word(self) -> Word {
        self.cast()
    }

    unsafe fn from_word(word: Word) -> Self {
        word.cast()
    }

    unsafe fn borrow<'a>(word: Word) -> Self
    where
        Self: 'a,
    {
        word.cast()
    }

    unsafe fn borrow_mut<'a>(word: Word) -> Self
    where
        Self: 'a,
    {
        // SAFETY: the caller's promise, passed on.
        unsafe { Self::borrow(word) }
    }
}

// SAFETY: a fixed non-zero word; there is no value to keep.
unsafe impl Entry for () {
    type Borrowed<'a> = ();
    type BorrowedMut<'a> = ();

    fn into_word(self) -> Word {
        NonNull::dangling()
    }

    unsafe fn from_word(_word: Word) -> Self {}

    unsafe fn borrow<'a>(_word: Word) -> Self::Borrowed<'a>
    where
        Self: 'a,
    {
    }

    unsafe fn borrow_mut<'a>(_word: Word) -> Self::BorrowedMut<'a>
    where
        Self: 'a,
    {
    }
}

/// An [`Entry`] that can be cloned while a tree holds it and may have lent it out: for
/// [`MapleTree::try_clone`](crate::MapleTree::try_clone).
///
/// All types that are entries are this if they are `Clone`.
///
/// # Safety
///
/// Implementations promise that while a value is borrowed, it may be made from its word, looked at by reference, and
/// forgotten again, as [`Entry`] has it for one that is not borrowed. A type for which that is not so, because it owns
/// its value alone, has a `clone_word` that goes without.
pub unsafe trait CloneEntry: Entry + Clone {
    /// A clone of the value.
    ///
    /// # Safety
    ///
    /// As for [`Entry::borrow`], for the time of the call.
    unsafe fn clone_word(word: Word) -> Self {
        // SAFETY: by the contract of this trait; the value is forgotten, also should `clone` panic.
        let value = ManuallyDrop::new(unsafe { Self::from_word(word) });
        Self::clone(&value)
    }
}

// SAFETY: a box may not be made while its value is borrowed, so the value is cloned from a borrow.
unsafe impl<T: Clone> CloneEntry for Box<T> {
    unsafe fn clone_word(word: Word) -> Self {
        // SAFETY: the caller's promise, passed on.
        Self::new(T::clone(unsafe { Self::borrow(word) }))
    }
}

// SAFETY: arcs share their value.
unsafe impl<T> CloneEntry for Arc<T> {}
// SAFETY: likewise.
unsafe impl<T> CloneEntry for Rc<T> {}
// SAFETY: a reference is `Copy`.
unsafe impl<T> CloneEntry for &T {}
// SAFETY: a pointer is `Copy`.
unsafe impl<T> CloneEntry for NonNull<T> {}
// SAFETY: there is no value.
unsafe impl CloneEntry for () {}

macro_rules! non_zero_integer {
    ($($integer:ty => $primitive:ty),+) => {$(
        // SAFETY: the word's address is the number itself; there is no value to keep.
        unsafe impl Entry for $integer {
            type Borrowed<'a> = Self;
            type BorrowedMut<'a> = Self;

            fn into_word(self) -> Word {
                let address = ptr::without_provenance_mut(self.get() as usize);
                // SAFETY: the address is not zero, and `usize` is at least as wide as the number.
                unsafe { NonNull::new_unchecked(address) }
            }

            unsafe fn from_word(word: Word) -> Self {
                // SAFETY: by contract the address is a number that `into_word` stored, so not zero.
                unsafe { Self::new_unchecked(word.addr().get() as $primitive) }
            }

            unsafe fn borrow<'a>(word: Word) -> Self
            where
                Self: 'a,
            {
                // SAFETY: the caller's promise, passed on; the number is `Copy`.
                unsafe { Self::from_word(word) }
            }

            unsafe fn borrow_mut<'a>(word: Word) -> Self
            where
                Self: 'a,
            {
                // SAFETY: the caller's promise, passed on.
                unsafe { Self::borrow(word) }
            }
        }

        // SAFETY: a number is `Copy`.
        unsafe impl CloneEntry for $integer {}
    )+};
}

non_zero_integer!(NonZeroUsize => usize, NonZeroU8 => u8, NonZeroU16 => u16);
#[cfg(any(target_pointer_width = "32", target_pointer_width = "64"))]
non_zero_integer!(NonZeroU32 => u32);
#[cfg(target_pointer_width = "64")]
non_zero_integer!(core::num::NonZeroU64 => u64);
