//! Counts node visits, with the feature `visits` and in this crate's own tests, and in these what writes take and leave;
//! nothing otherwise.

#[cfg(any(test, feature = "visits"))]
std::thread_local! {
    static VISITS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

#[cfg(any(test, feature = "visits"))]
#[inline]
pub(crate) fn count() {
    VISITS.set(VISITS.get() + 1);
}

#[cfg(not(any(test, feature = "visits")))]
#[inline(always)]
pub(crate) fn count() {}

/// How many visits this thread has counted since it was last asked.
#[cfg(feature = "visits")]
pub(crate) fn take() -> u64 {
    VISITS.take()
}

/// How many nodes `operation` looks at, and what it returns.
#[cfg(all(test, not(miri)))]
pub(crate) fn during<R>(operation: impl FnOnce() -> R) -> (u64, R) {
    let before = VISITS.get();
    let result = operation();
    (VISITS.get() - before, result)
}

/// What happens to nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// The allocator was asked for one.
    Allocate,
    /// One was copied, to be changed under readers.
    Copy,
    /// One waits for readers from now on.
    Retire,
}

#[cfg(test)]
std::thread_local! {
    static WORK: core::cell::Cell<[u64; 3]> = const { core::cell::Cell::new([0; 3]) };
}

#[cfg(test)]
pub(crate) fn note(work: Work, nodes: usize) {
    let mut all = WORK.get();
    all[work as usize] += nodes as u64;
    WORK.set(all);
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) fn note(_work: Work, _nodes: usize) {}

#[cfg(test)]
mod batches;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod overwrites;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walks;
#[cfg(test)]
mod writes;
