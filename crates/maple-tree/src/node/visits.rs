//! Counts node visits in this crate's own tests; nothing otherwise.

#[cfg(test)]
std::thread_local! {
    static VISITS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

#[cfg(test)]
pub(crate) fn count() {
    VISITS.set(VISITS.get() + 1);
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) fn count() {}

/// How many nodes `operation` looks at, and what it returns.
#[cfg(all(test, not(miri)))]
pub(crate) fn during<R>(operation: impl FnOnce() -> R) -> (u64, R) {
    let before = VISITS.get();
    let result = operation();
    (VISITS.get() - before, result)
}

#[cfg(test)]
mod bulk;
#[cfg(test)]
mod overwrites;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walks;
