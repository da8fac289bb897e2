//! Words in bags: a stack that takes no memory to grow, once there are bags for it.
#![expect(unsafe_code, reason = "bags are raw memory from a fallible allocator that can be chosen")]

use core::alloc::Layout as MemoryLayout;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::alloc::{AllocError, AllocMode, NodeAlloc};
use crate::entry::Held;

/// How many words go into a bag, which thereby is as large as a leaf.
pub(crate) const WORDS: usize = 31;

/// What a bag takes, in bytes.
pub(crate) const BYTES: usize = size_of::<Bag>();

#[repr(C, align(64))]
struct Bag {
    next: Option<NonNull<Bag>>,
    words: [MaybeUninit<Held>; WORDS],
}

/// Bags without words.
///
/// - **B1** Each bag is initialised memory of the tree's allocator, and in one stack or one chain only.
#[derive(Debug)]
pub(crate) struct Bags {
    top: Option<NonNull<Bag>>,
    count: usize,
}

/// Words. All bags but the one on top are full.
#[derive(Debug)]
pub(crate) struct WordStack {
    bags: Bags,
    /// How many words are in the bag on top, at least 1 if there is one.
    in_top: usize,
}

// SAFETY: bags are owned by their stack and hold plain words. What values need to cross threads is decided where their
// type is known.
unsafe impl Send for Bags {}
// SAFETY: as above; through a shared reference nothing but counts can be had.
unsafe impl Sync for Bags {}

impl Bags {
    pub(crate) const fn new() -> Self {
        Self { top: None, count: 0 }
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    fn push(&mut self, bag: NonNull<Bag>) {
        // SAFETY: B1, and the bag is the caller's.
        unsafe { (*bag.as_ptr()).next = self.top };
        self.top = Some(bag);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<NonNull<Bag>> {
        let bag = self.top?;
        // SAFETY: B1.
        self.top = unsafe { (*bag.as_ptr()).next };
        self.count -= 1;
        Some(bag)
    }

    /// Adds a bag.
    pub(crate) fn allocate<A: NodeAlloc>(&mut self, alloc: &A, mode: AllocMode) -> Result<(), AllocError> {
        let bag = alloc.allocate(MemoryLayout::new::<Bag>(), mode)?.cast::<Bag>();
        // SAFETY: by the contract of `NodeAlloc` the memory is unused, and sized and aligned for a bag.
        unsafe { bag.write(Bag { next: None, words: [const { MaybeUninit::uninit() }; WORDS] }) };
        self.push(bag);
        Ok(())
    }

    /// Gives a bag back; whether there was one.
    pub(crate) fn deallocate<A: NodeAlloc>(&mut self, alloc: &A) -> bool {
        let Some(bag) = self.pop() else { return false };
        // SAFETY: B1: it came from this allocator, and is not in any chain now.
        unsafe { alloc.deallocate(bag.cast(), MemoryLayout::new::<Bag>()) };
        true
    }
}

impl WordStack {
    pub(crate) const fn new() -> Self {
        Self { bags: Bags::new(), in_top: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        match self.bags.count.checked_sub(1) {
            Some(full) => full * WORDS + self.in_top,
            None => 0,
        }
    }

    pub(crate) fn bags(&self) -> usize {
        self.bags.count
    }

    /// How many words can be added before a bag is needed.
    pub(crate) fn room(&self) -> usize {
        if self.bags.top.is_some() { WORDS - self.in_top } else { 0 }
    }

    /// Adds a word, maybe with a bag of those without words. Whether there was room.
    pub(crate) fn push(&mut self, word: Held, spare: &mut Bags) -> bool {
        if self.room() == 0 {
            let Some(bag) = spare.pop() else { return false };
            self.bags.push(bag);
            self.in_top = 0;
        }
        let Some(bag) = self.bags.top else { return false };
        // SAFETY: B1; there is room in the bag on top.
        unsafe { (*bag.as_ptr()).words[self.in_top].write(word) };
        self.in_top += 1;
        true
    }

    /// Takes out a word. A bag that is left without any goes to those.
    pub(crate) fn pop(&mut self, spare: &mut Bags) -> Option<Held> {
        let bag = self.bags.top?;
        self.in_top -= 1;
        // SAFETY: B1; the words of the bag on top below `in_top` were written, and this one is not read again.
        let word = unsafe { (*bag.as_ptr()).words[self.in_top].assume_init() };
        if self.in_top == 0 {
            if let Some(bag) = self.bags.pop() {
                spare.push(bag);
            }
            self.in_top = WORDS;
        }
        Some(word)
    }
}
