//! `core`'s atomics where shuttle says which thread comes next. Not shuttle's own: those are larger, and a slot of a node is
//! just a pointer.
//!
//! One thread runs at a time and sees all that others have done before. So orderings mean nothing here, and a fence need
//! not be noticed: that is for loom.

use core::sync::atomic::{self, Ordering};

use shuttle::sync::atomic::AtomicBool;

/// Another thread may come here.
fn switch() {
    AtomicBool::new(false).load(Ordering::SeqCst);
}

#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct AtomicUsize(atomic::AtomicUsize);

impl AtomicUsize {
    pub(crate) const fn new(value: usize) -> Self {
        Self(atomic::AtomicUsize::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> usize {
        switch();
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: usize, order: Ordering) {
        switch();
        self.0.store(value, order);
    }

    pub(crate) fn fetch_add(&self, value: usize, order: Ordering) -> usize {
        switch();
        self.0.fetch_add(value, order)
    }

    pub(crate) fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
        switch();
        self.0.fetch_sub(value, order)
    }

    pub(crate) fn compare_exchange(
        &self,
        current: usize,
        new: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        switch();
        self.0.compare_exchange(current, new, success, failure)
    }
}

#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct AtomicPtr<T>(atomic::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    pub(crate) const fn new(value: *mut T) -> Self {
        Self(atomic::AtomicPtr::new(value))
    }

    /// # Safety
    ///
    /// As for `core`'s.
    #[expect(unsafe_code, reason = "what `core` does, behind a name of our own")]
    pub(crate) const unsafe fn from_ptr<'a>(pointer: *mut *mut T) -> &'a Self {
        // SAFETY: it is transparent, and has the size and the alignment of a pointer; the rest is the caller's promise.
        unsafe { &*pointer.cast::<Self>() }
    }

    pub(crate) fn load(&self, order: Ordering) -> *mut T {
        switch();
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: *mut T, order: Ordering) {
        switch();
        self.0.store(value, order);
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        switch();
        // Not the weak one: which of them fails would be for the processor to say.
        self.0.compare_exchange(current, new, success, failure)
    }
}
