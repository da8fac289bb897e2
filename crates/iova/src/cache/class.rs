//! Which ranges are cached together.

use crate::granule::Granule;
use crate::range::IovaRange;
use crate::request::{Alignment, Request};

/// The size classes of a cache of what lies in an aperture: 2^0, 2^1, ... granules. A range of class c is aligned to its size.
///
/// So any two ranges of a class are as good as each other, but for the limit of a request, and a range is one
/// number in a magazine.
#[derive(Clone, Copy)]
pub(super) struct Classes {
    count: usize,
    /// The aperture, in pfns.
    first: u64,
    last: u64,
    granule: Granule,
}

/// What a request needs of a cached range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) class: usize,
    /// The highest first pfn at which a range of the class ends at or below the limit.
    pub(super) highest: u64,
    /// The same for the preferred limit, if that makes a difference and has room for a range of the class.
    pub(super) preferred: Option<u64>,
}

/// The binary logarithm of a size, rounded up; 64 of none.
#[inline]
const fn order(size: u64) -> usize {
    match size {
        // Mostly. A processor guesses so, and goes on before the size has come from memory.
        1 => 0,
        // Zeros at that end are quicker to count on a processor of any age.
        _ if size.is_power_of_two() => size.trailing_zeros() as usize,
        _ => (u64::BITS - size.wrapping_sub(1).leading_zeros()) as usize,
    }
}

impl Classes {
    /// The largest class has at most 2^31 granules.
    pub(super) const MOST: usize = 32;

    pub(super) fn new(count: usize, aperture: IovaRange) -> Self {
        let (first, last) = (aperture.first_pfn().get(), aperture.last_pfn().get());
        Self { count: count.min(Self::MOST), first, last, granule: aperture.granule() }
    }

    pub(super) const fn count(self) -> usize {
        self.count
    }

    pub(super) fn aperture(self) -> IovaRange {
        IovaRange::of_granules(self.first, self.last - self.first, self.granule)
    }

    pub(super) const fn granule(self) -> Granule {
        self.granule
    }

    /// The class that a request is rounded up to, if any range of that class below the limit will do.
    ///
    /// Whatever a request can ask for beyond its size and limit must be looked at here: it has to follow from
    /// natural alignment to the size of the class.
    #[inline]
    pub(super) fn class_for(self, request: &Request) -> Option<usize> {
        // No granules are of class 64.
        let class = order(request.granules());
        if class >= self.count {
            return None;
        }
        let size = 1_u64 << class;
        let is_aligned = match request.alignment() {
            Alignment::Natural => true,
            Alignment::Granules(align) => align.is_power_of_two() && align <= size,
        };
        // What is aligned to its size crosses no multiple of that size, nor of any larger power of two.
        let crosses_none =
            request.boundary_granules().is_none_or(|boundary| boundary.is_power_of_two() && boundary >= size);
        (is_aligned && crosses_none).then_some(class)
    }

    /// What a request needs of a cached range, if any of a class below the limit will do.
    pub(super) fn need(self, request: &Request) -> Option<Need> {
        let class = self.class_for(request)?;
        let size = 1_u64 << class;
        let highest = |limit| self.granule().last_whole_pfn(limit)?.checked_sub(size - 1);
        let preferred = request.preferred_limit().filter(|preferred| *preferred < request.limit_iova());
        Some(Need { class, highest: highest(request.limit_iova())?, preferred: preferred.and_then(highest) })
    }

    /// The request that is asked of the backing instead, so that the range fits its class when it is freed.
    pub(super) fn rounded(need: Need, request: &Request) -> Request {
        let rounded = Request::new(1 << need.class).limit(request.limit_iova()).mode(request.alloc_mode());
        match request.preferred_limit() {
            Some(preferred) => rounded.prefer_limit(preferred),
            None => rounded,
        }
    }

    /// The class that a range belongs to, if it may be one of ours.
    #[inline]
    pub(super) fn class_of(self, range: IovaRange) -> Option<usize> {
        let granules = u64::try_from(range.granules()).ok()?;
        let (class, _) = self.class_at(range.first(), granules)?;
        (range.granule() == self.granule()).then_some(class)
    }

    /// The class and the first pfn of so many granules from an iova on, if they may be a range of ours.
    #[inline]
    pub(super) fn class_at(self, iova: u64, granules: u64) -> Option<(usize, u64)> {
        let class = order(granules);
        if class >= self.count || granules != 1 << class {
            return None;
        }
        let first = self.granule.pfn_of(iova).get();
        let last = first | (granules - 1);
        let is_aligned = first << self.granule.shift() == iova && first & (granules - 1) == 0;
        (is_aligned && first >= self.first && last <= self.last).then_some((class, first))
    }

    /// The range of a class that begins at a pfn.
    #[inline]
    pub(super) fn range(self, class: usize, first: u64) -> IovaRange {
        IovaRange::of_granules(first, (1 << class) - 1, self.granule())
    }
}

#[cfg(test)]
mod tests {
    use maple_tree::IndexRange;

    use super::*;

    const PAGE: u64 = 4096;

    /// All there is.
    fn aperture(granule: Granule) -> IovaRange {
        IovaRange::of_pfns(IndexRange::new(0, u64::MAX >> granule.shift()).unwrap(), granule)
    }

    fn classes() -> Classes {
        Classes::new(6, aperture(Granule::FOUR_KIB))
    }

    #[test]
    fn sizes_are_rounded_up() {
        let class = |granules| classes().need(&Request::new(granules)).map(|need| need.class);
        assert_eq!([1, 2, 3, 4, 5, 32].map(class), [Some(0), Some(1), Some(2), Some(2), Some(3), Some(5)]);
        assert_eq!([0, 33, u64::MAX].map(class), [None; 3]);
    }

    #[test]
    fn nothing_is_larger_than_all_there_is() {
        let granule = Granule::new(1 << 62).unwrap();
        let classes = Classes::new(6, aperture(granule));
        assert_eq!(
            [1, 2, 4, 8].map(|granules| classes.class_at(0, granules)),
            [Some((0, 0)), Some((1, 0)), Some((2, 0)), None]
        );
        assert_eq!((classes.class_at(1 << 63, 2), classes.class_at(1 << 63, 4)), (Some((1, 2)), None));
        assert_eq!((classes.range(2, 0).bytes(), classes.range(2, 0).last()), (1 << 64, u64::MAX));
    }

    #[test]
    fn only_alignments_that_follow_are_served() {
        let class = |align| classes().need(&Request::new(3).align(align)).map(|need| need.class);
        assert_eq!([1, 2, 4].map(class), [Some(2); 3]);
        assert_eq!([0, 3, 8, 1 << 63].map(class), [None; 4]);
    }

    #[test]
    fn the_limit_is_that_of_the_last_byte() {
        let highest = |limit| classes().need(&Request::new(4).limit(limit)).map(|need| need.highest);
        assert_eq!(highest(4 * PAGE - 1), Some(0));
        assert_eq!(highest(4 * PAGE - 2), None);
        assert_eq!(highest(0), None);
        assert_eq!(highest(8 * PAGE - 1), Some(4));
        assert_eq!(highest(u64::MAX), Some((1 << 52) - 4));
    }

    #[test]
    fn a_boundary_follows_from_alignment_or_is_wrong() {
        let class = |granules, boundary| {
            classes().need(&Request::new(granules).align(1).not_crossing(boundary)).map(|need| need.class)
        };
        assert_eq!([4, 8, 1 << 63].map(|boundary| class(3, boundary)), [Some(2); 3]);
        // The backing says what is wrong with these.
        assert_eq!([0, 1, 2, 3, 5, 6].map(|boundary| class(3, boundary)), [None; 6]);
    }

    #[test]
    fn a_preferred_limit_counts_if_it_is_lower() {
        let need = |preferred, limit| classes().need(&Request::new(2).prefer_limit(preferred).limit(limit));
        let both = |preferred, limit| need(preferred, limit).map(|need| (need.preferred, need.highest));
        assert_eq!(both(4 * PAGE - 1, 8 * PAGE - 1), Some((Some(2), 6)));
        assert_eq!(both(8 * PAGE - 1, 8 * PAGE - 1), Some((None, 6)));
        assert_eq!(both(u64::MAX, 8 * PAGE - 1), Some((None, 6)));
        assert_eq!(both(PAGE - 1, 8 * PAGE - 1), Some((None, 6)));
        assert_eq!(both(0, 0), None);
    }

    #[test]
    fn ranges_and_classes_correspond() {
        for (class, first) in [(0, 0), (0, (1 << 52) - 1), (5, 32), (3, (1 << 52) - 8)] {
            let range = classes().range(class, first);
            assert_eq!((range.first_pfn().get(), range.granules()), (first, 1 << class));
            assert_eq!(classes().class_of(range), Some(class));
        }
        let pages =
            |first, last| IovaRange::of_pfns(IndexRange::new(first, last).unwrap(), Granule::FOUR_KIB);
        // Not a power of two, not aligned, too large.
        assert_eq!(
            [pages(0, 2), pages(2, 5), pages(0, 63)].map(|range| classes().class_of(range)),
            [None; 3]
        );
        let all = aperture(Granule::BYTE);
        assert_eq!(Classes::new(usize::MAX, all).class_of(all), None);
        // Of another granule, or beyond the aperture.
        let byte = IovaRange::of_pfns(IndexRange::single(0), Granule::BYTE);
        assert_eq!(classes().class_of(byte), None);
        // So many that no class has them, nor 64 bits.
        let granules = [0, 3, 64, 1 << 52, (1 << 52) + 1, 1 << 63, u64::MAX];
        assert_eq!(granules.map(|granules| classes().class_at(0, granules)), [None; 7]);
        let at = |iova| classes().class_at(iova, 2);
        assert_eq!([0, 2 * PAGE].map(at), [Some((1, 0)), Some((1, 2))]);
        assert_eq!([1, PAGE, 2 * PAGE + 1, u64::MAX].map(at), [None; 4]);
        let few = Classes::new(6, pages(2, 9));
        assert_eq!(few.class_at(PAGE, 1), None);
        let class = |first, last| few.class_of(pages(first, last));
        assert_eq!([class(2, 3), class(8, 9), class(1, 1), class(10, 10)], [Some(1), Some(1), None, None]);
    }
}
