//! What is measured: the interfaces that the workloads use, one for each kind of subject.
//!
//! Each is as small as the workloads allow, and generic code is compiled for each subject, so that nothing stands
//! between a workload's loop and the subject's own functions.

/// What all kinds have.
pub trait Subject {
    /// As it appears in reports.
    const NAME: &'static str;
    /// Whether the others are compared with this one.
    const OURS: bool = false;
    /// Rows that it cannot do, and why.
    const CANNOT: &'static [(&'static str, &'static str)] = &[];
    /// Rows in which its time grows with n, and is out of bounds for large n. A name that ends in `*` stands for all
    /// rows that begin so.
    const LINEAR: &'static [&'static str] = &[];
    /// Up to which n it takes part in these, unless asked to.
    const LINEAR_UP_TO: usize = 10_000;
}

/// A map from disjoint ranges (both ends included) to values.
pub trait RangeMap: Subject + Sized {
    fn new() -> Self;

    /// Over a range that is free.
    fn insert(&mut self, first: u64, last: u64, value: usize);

    fn get(&self, index: u64) -> Option<usize>;

    /// Over a range that is there, exactly.
    fn store(&mut self, first: u64, last: u64, value: usize);

    /// The value of the range at `index` becomes another one. False if the subject has no such operation.
    fn replace(&mut self, _index: u64, _value: usize) -> bool {
        false
    }

    /// The range `first..=last`, which is there, is taken out.
    fn erase(&mut self, first: u64, last: u64);

    /// Goes over all ranges in order and adds up `first ^ last ^ value`.
    fn sum(&self) -> u64;

    /// The same for so many ranges behind the one at `index`, or before it.
    fn walk(&self, _index: u64, _steps: usize, _back: bool) -> u64 {
        0
    }
}

/// A set of ranges in which a free one can be found.
pub trait GapSearch: Subject + Sized {
    /// Whether it finds the highest or lowest aligned range that fits; if not, these answers are its own.
    const ALIGNS: bool = true;

    /// Ranges lie within `0..=last`, and so do the searches.
    fn new(last: u64) -> Self;

    fn insert(&mut self, first: u64, last: u64);

    /// The first index of the free range.
    fn find(&self, search: &Search) -> Option<u64>;
}

/// What to find.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    pub first: u64,
    pub last: u64,
    pub size: u64,
    /// A power of two.
    pub align: u64,
    pub top_down: bool,
}

impl Search {
    /// Where in a free run the range lies, if the run is large enough: for subjects that leave that to their users.
    pub fn fit(&self, first: u64, last: u64) -> Option<u64> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        let found = if self.top_down {
            (last.checked_add(1)?.checked_sub(self.size)?) & !(self.align - 1)
        } else {
            first.checked_next_multiple_of(self.align)?
        };
        (first <= found && found.checked_add(self.size - 1)? <= last).then_some(found)
    }
}

/// An allocator of ranges: as high as possible, if it can.
pub trait Allocator: Subject + Sized {
    /// What it needs for a free.
    type Range: Copy;

    fn new(space: Space) -> Self;

    fn allocate(&mut self, size: u64) -> Option<Self::Range>;

    fn free(&mut self, range: Self::Range);
}

/// Where ranges are allocated.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// The last index. The first one is [`FIRST`](Self::FIRST).
    pub last: u64,
    /// Whether ranges are aligned to their size, rounded up to a power of two, or not at all.
    pub natural: bool,
    /// The most ranges that there will be.
    pub ranges: usize,
}

impl Space {
    /// To one of the peers index 0 means failure, and another one cannot free what begins at 1.
    pub const FIRST: u64 = 64;

    pub fn align(&self, size: u64) -> u64 {
        if self.natural { size.next_power_of_two() } else { 1 }
    }
}

/// A range map that threads share: some read, one writes.
pub trait SharedMap: Subject + Send + Sync + Sized {
    /// What is held while reading: a pin, a lock, a snapshot.
    type Reader<'a>
    where
        Self: 'a;

    fn new() -> Self;

    /// Begins to read: for one lookup, or for several.
    fn read(&self, several: bool) -> Self::Reader<'_>;

    fn get(reader: &Self::Reader<'_>, index: u64) -> Option<usize>;

    /// Over a range that is free. Tries again if it is refused.
    fn insert(&self, first: u64, last: u64, value: usize);

    /// How many insertions were refused so far.
    fn refused(&self) -> u64 {
        0
    }

    /// The range `first..=last`, which is there, is taken out.
    fn erase(&self, first: u64, last: u64);

    /// Makes an empty map have these entries, which are in order.
    fn fill(&mut self, entries: impl Iterator<Item = (u64, u64, usize)>) {
        entries.for_each(|(first, last, value)| self.insert(first, last, value));
    }

    /// Goes over all ranges in order and adds up `first ^ last ^ value`.
    fn sum(&self) -> u64;
}

/// A map that could be shared and has one owner.
pub struct Alone<S>(S);

impl<S: Subject> Subject for Alone<S> {
    const NAME: &'static str = S::NAME;
    const OURS: bool = S::OURS;
    const CANNOT: &'static [(&'static str, &'static str)] = S::CANNOT;
    const LINEAR: &'static [&'static str] = S::LINEAR;
    const LINEAR_UP_TO: usize = S::LINEAR_UP_TO;
}

impl<S: SharedMap> RangeMap for Alone<S> {
    fn new() -> Self {
        Self(S::new())
    }

    #[inline]
    fn insert(&mut self, first: u64, last: u64, value: usize) {
        self.0.insert(first, last, value);
    }

    fn get(&self, index: u64) -> Option<usize> {
        S::get(&self.0.read(false), index)
    }

    fn store(&mut self, first: u64, last: u64, value: usize) {
        self.erase(first, last);
        self.insert(first, last, value);
    }

    #[inline]
    fn erase(&mut self, first: u64, last: u64) {
        self.0.erase(first, last);
    }

    fn sum(&self) -> u64 {
        self.0.sum()
    }
}

/// An allocator that can be made to find no memory.
pub trait Failing: Allocator {
    /// Its calls for memory fail from now on, or succeed again.
    fn fail(&mut self, fails: bool);

    /// How many indices were freed and are not free.
    fn lost(&mut self) -> u64;
}

/// A domain in which one thread gives back many ranges at a time while another one allocates.
pub trait Convoy: Subject + Sync + Sized {
    /// With `n` ranges of one page that wait to be given back.
    fn new(last: u64, n: usize) -> Self;

    /// Called by each thread at its start, and by the first one at the end.
    fn enter(_thread: u32, _others: bool) {}

    /// Allocates and frees a range that no cache holds.
    fn pair(&self, size: u64);

    /// Gives back all that waits.
    fn give_back(&self);
}

/// A domain for two threads.
pub trait SharedDomain: Subject + Sync {
    type Range: Copy;

    fn new(last: u64) -> Self;

    /// Called by each thread at its start, and by the first one at the end.
    fn enter(_thread: u32, _others: bool) {}

    fn allocate(&self, size: u64) -> Option<Self::Range>;

    fn free(&self, range: Self::Range);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fitting_into_a_run() {
        let top = Search { first: 0, last: 100, size: 4, align: 4, top_down: true };
        assert_eq!(top.fit(10, 30), Some(24));
        assert_eq!(top.fit(90, 200), Some(96));
        assert_eq!(top.fit(1, 6), None);
        assert_eq!(top.fit(0, 2), None);
        let bottom = Search { top_down: false, ..top };
        assert_eq!(bottom.fit(10, 30), Some(12));
        assert_eq!(bottom.fit(98, 200), None);
        assert_eq!(bottom.fit(u64::MAX - 2, u64::MAX), None);
    }
}
