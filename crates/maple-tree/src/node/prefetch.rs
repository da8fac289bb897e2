//! Telling the processor what is going to be read. Where there is no way to, nothing happens.
#![cfg_attr(
    all(target_arch = "x86_64", target_feature = "sse", not(miri)),
    expect(unsafe_code, reason = "the instruction is a function that takes a pointer")
)]

/// Has all of `place` fetched from memory, without waiting for it.
#[inline]
pub(super) fn prefetch<T>(place: *const T) {
    #[cfg(all(target_arch = "x86_64", target_feature = "sse", not(miri)))]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        for offset in (0..size_of::<T>()).step_by(64) {
            // SAFETY: it is a hint. Nothing is read, whatever the address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast::<i8>().wrapping_add(offset)) };
        }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse", not(miri))))]
    let _ = place;
}
